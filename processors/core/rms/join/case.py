"""One bet slip under judgment: what is known of it, the customer's time, and what there is to tell."""

from dataclasses import dataclass
from enum import Enum, auto

import msgspec

from processors.core.rms.join.coverage import is_gapped
from processors.core.rms.join.entries import Bet, Clock, Item, Passage, Raw, SlipEntry
from processors.core.rms.join.settings import JoinSettings
from schemas.rms.codes import Count
from schemas.rms.decisions import Conflict, Decision, Late, Orphan
from schemas.rms.lookups import LookUp

Record = Decision | Late | Conflict | Orphan | LookUp


@dataclass(frozen=True, slots=True)
class Told:
    """A record to write; its time, UTC ns."""

    record: Record
    time_ns: int


class Place(msgspec.Struct, frozen=True, gc=False):
    """Whose it is, and by what it is judged: the same for all slips and codes of a customer.

    Attributes:
        customer: Customer id.
        clock: The customer's time and gaps.
        passage: The customer's approvals by code that have passed.
        settings: Spans.
        raw_topic: Physical name of ``rms.raw``.
    """

    customer: str
    clock: Clock
    passage: Passage
    settings: JoinSettings
    raw_topic: str

    def position(self, raw: Raw) -> str:
        """Return a raw position as records have it."""
        return f"{self.raw_topic}/{raw[0]}/{raw[1]}"


class Case(msgspec.Struct, gc=False):
    """A slip with its entry, which the rules change; ``effects`` in the order of emission."""

    slip: str
    entry: SlipEntry
    place: Place
    effects: list[Told | Count] = []

    @property
    def now_ns(self) -> int:
        """The customer's time; 0 before it began."""
        return self.place.clock.now_ns

    def tell(self, record: Record, time_ns: int) -> None:
        """Write a record."""
        self.effects.append(Told(record, time_ns))

    def count(self, what: Count) -> None:
        """Count what yields no record."""
        self.effects.append(what)

    def heard(self, *times_ns: int) -> None:
        """A record about the slip came; it is remembered from the latest of its times on."""
        self.entry.last_ns = max(self.entry.last_ns, self.now_ns, *times_ns)


class Order(Enum):
    """Whether all approvals by code alone are here that belong to a bet and came before something else.

    ``GIVEN_UP``: perhaps not, but it is waited for no more. What came in time may win then; nothing expires for it.
    """

    HERE = auto()
    AWAITED = auto()
    GIVEN_UP = auto()


def order_of(bet: Bet, before: int, place: Place) -> Order:
    """Tell whether a bet can be judged by what came after the first ``before`` approvals by code alone.

    So the first in ``rms.raw`` wins, whichever id it names and however long its way is.
    """
    if before <= 0:
        return Order.HERE
    answer, now_ns = bet.answer, place.clock.now_ns
    if answer is None:
        return Order.GIVEN_UP if now_ns > bet.patience_ns else Order.AWAITED
    if answer.code is None:
        return Order.HERE
    if answer.is_known and place.passage.mark >= before:
        return Order.HERE if bet.start_ns > place.passage.given_up_ns else Order.GIVEN_UP
    return Order.GIVEN_UP if now_ns > order_ns(bet, place) else Order.AWAITED


def order_ns(bet: Bet, place: Place) -> int:
    """Return until when order is awaited; it is given up only where a state was lost, not for a backlog of hours."""
    return bet.patience_ns + place.settings.order_ns


def doubt_from_ns(bet: Bet) -> int:
    """Return since when a decision about the bet may have been missed."""
    first = bet.start_ns
    if bet.placement is not None:
        first = min(first, bet.placement.placed_ns)
    if bet.answer is not None:
        first = min(first, bet.answer.answered_ns)
    return first if bet.cleared_ns is None else max(first, bet.cleared_ns)


def is_bet_gapped(bet: Bet, place: Place) -> bool:
    """Tell whether a gap lies within the bet's window, as far as no look-up covers it."""
    return is_gapped(place.clock, doubt_from_ns(bet), bet.deadline_ns)


def may_be_in_time(item: Item, bet: Bet) -> bool:
    """Tell whether evidence may have been sent before the window ended; what was looked up holds whenever it came."""
    if item.evidence == "looked_up" or item.received_ns <= bet.deadline_ns:
        return True
    return item.after_ns is not None and item.after_ns <= bet.deadline_ns


def is_proven(bet: Bet, place: Place) -> bool:
    """Tell whether all that was sent within the bet's window is here."""
    return place.clock.proven_ns > bet.deadline_ns


def is_cleared(bet: Bet) -> bool:
    """Tell whether a look-up said that nobody had decided when the window ended."""
    return bet.cleared_ns is not None and bet.cleared_ns >= bet.deadline_ns


def is_in_doubt(bet: Bet, place: Place) -> bool:
    """Tell whether a decision within the bet's window may have been missed."""
    if is_cleared(bet):
        return False
    is_open = bet.answer is not None and bet.answer.disposition == "unknown" and bet.cleared_ns is None
    return is_open or is_bet_gapped(bet, place)
