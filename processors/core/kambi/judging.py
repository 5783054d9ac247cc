"""What judging a fact needs, whatever it is about: values as the book keeps them, and the mark of a late one."""

from typing import Any, Final

from msgspec import UNSET

from processors.core.kambi.entries import Part
from processors.core.kambi.normalize.values import STARTING_PRICE
from schemas.kambi import events

MAX_WORD: Final = 64
"""Of a status or a state in the book: entries must fit into a changelog record, whatever the vendor calls a status."""
MAX_PART_BYTES: Final = 64 * 1024
"""Of a clock, score, statistics or description in the book; a larger one is stated again by every snapshot."""

_CLOCK: Final = "clock"
_DESCRIPTION: Final = "description"
PART_NAMES: dict[type[events.Normalized], str] = {
    events.ClockChanged: _CLOCK,
    events.ClockRemoved: _CLOCK,
    events.ScoreChanged: "score",
    events.StatisticsChanged: "statistics",
    events.EventDescriptionChanged: _DESCRIPTION,
}
"""Records that are an event's value as a whole, by the name of the value."""


def odds_of(outcome: events.Outcome | events.OutcomeOdds) -> int | None:
    """Return an outcome's odds as the book keeps them."""
    odds = outcome.odds_thousandths
    if odds is UNSET:
        return STARTING_PRICE if outcome.starting_price is True else None
    return odds


def book_value(value: Any) -> Any:
    """Return ``value`` as the book keeps it, ``None`` if it is absent; of words no more than tells them apart."""
    if value is UNSET:
        return None
    return value[:MAX_WORD] if type(value) is str else value


def kept(record: Any, payload: bytes) -> bytes:
    """Return what the book keeps of a clock, score, statistics or description."""
    return b"" if type(record) is events.ClockRemoved or len(payload) > MAX_PART_BYTES else payload


def is_older(order: int, version: int | None, known: Part) -> bool:
    """Tell whether what has ``order`` and ``version`` is older than ``known``; versions decide where both have one."""
    if version is not None and known.version is not None and version != known.version:
        return version < known.version
    return order < known.order


def mark_late(candidate: Any) -> bool:
    """Mark ``candidate`` as late; return that it is."""
    candidate.late = True
    return True


def mark_outdated(candidate: Any) -> None:
    """Mark ``candidate`` as late with all its outcomes, if its facts are those."""
    candidate.late = True
    if type(candidate) is not events.OfferAdded:
        for outcome in getattr(candidate, "outcomes", ()):
            outcome.late = True
