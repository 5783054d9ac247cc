"""What the vendor says: approvals and look-ups are kept by their raw position, each once."""

from bisect import insort
from enum import Enum, auto
from typing import Final

from processors.core.rms.join.case import Case
from processors.core.rms.join.entries import Item, item_of
from schemas.rms.codes import Count
from schemas.rms.pending import Evident

MAX_ITEMS: Final = 16
"""Evidence kept of one slip or code; a desk decides once, twice when it errs."""
_OK: Final = 200
_NOT_FOUND: Final = 404


class Kept(Enum):
    """What became of evidence."""

    NEW = auto()
    REPEAT = auto()
    TOO_MUCH = auto()


def keep(items: list[Item], item: Item) -> Kept:
    """Put evidence into its place in the order of ``rms.raw``."""
    if any(one.raw == item.raw for one in items):
        return Kept.REPEAT
    if len(items) >= MAX_ITEMS:
        return Kept.TOO_MUCH
    insort(items, item, key=lambda one: one.raw)
    return Kept.NEW


def take_evident(case: Case, message: Evident) -> Item | Kept | None:
    """Take evidence for a slip; return it when it is to be judged, ``None`` when it decides nothing by itself."""
    if message.said is None:
        _take_undecided(case, message)
        return None
    item = item_of(message, message.said)
    kept = keep(case.entry.items, item)
    if kept is not Kept.NEW:
        return kept
    case.heard(message.received_ns)
    return item


def _take_undecided(case: Case, message: Evident) -> None:
    bet = case.entry.bet
    if bet is None:
        case.count(Count.NO_BET)
        return
    case.heard(message.received_ns)
    requested_ns = message.requested_ns
    if message.status == _OK:
        if requested_ns is not None and requested_ns > (bet.cleared_ns or 0):
            bet.cleared_ns, bet.cleared_raw = requested_ns, message.raw
            bet.cleared_before = message.by_code_before
        return
    told_ns = message.received_ns if requested_ns is None else requested_ns
    if message.status == _NOT_FOUND and told_ns > bet.deadline_ns:
        bet.is_missing = True
    else:
        bet.has_errors = True
