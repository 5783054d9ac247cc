"""What the book keeps: one entry an offer, one an event, one list of an event's offers; and how they are stored."""

from typing import Final

import msgspec

OFFER: Final = b"o"
"""First byte of the store keys of offers; an offer id follows."""
EVENT: Final = b"e"
"""First byte of the store keys of events; an event id follows."""
MEMBERS: Final = b"m"
"""First byte of the store keys of the lists of offers; an event id follows."""


class OutcomeEntry(msgspec.Struct, array_like=True, gc=False):
    """An outcome.

    Attributes:
        order: Its order time, UTC ms.
        line: Number of the line that said it last; 0 = a snapshot.
        odds: Thousandths, -1 = starting price, ``None`` = none.
        status: As sent; ``None`` = nobody said.
        removed_s: Stream time of its removal, seconds; 0 = it is there.
    """

    order: int
    line: int
    odds: int | None = None
    status: str | None = None
    removed_s: int = 0


class OfferEntry(msgspec.Struct, array_like=True, gc=False):
    """A bet offer with its outcomes.

    Attributes:
        event_id: Its event.
        order: Order time of the offer itself: added, removed, status.
        line: Number of the line that said that last; 0 = a snapshot.
        floor: Order time of the newest that said which outcomes there are: what is older says nothing about others.
        defined: The offer was added as a whole; false while only changes of it came by.
        suspended: ``None`` = nobody said.
        visible: Likewise.
        cash_out: Likewise.
        removed_s: Stream time of its removal, seconds; 0 = it is there.
        outcomes: By id.
        gone: Order time of its last removal, its own or its event's: what is not newer is history. -1 = never.
    """

    event_id: int
    order: int = 0
    line: int = 0
    floor: int = 0
    defined: bool = False
    suspended: bool | None = None
    visible: bool | None = None
    cash_out: str | None = None
    removed_s: int = 0
    outcomes: dict[int, OutcomeEntry] = {}
    gone: int = -1

    def newest(self) -> int:
        """Return the newest order time of the offer and its outcomes."""
        newest = max(self.order, self.floor)
        for outcome in self.outcomes.values():
            newest = max(newest, outcome.order)
        return newest


class Part(msgspec.Struct, array_like=True, gc=False):
    """Clock, score, statistics or description of an event.

    Attributes:
        order: Its order time, UTC ms.
        line: Number of the line that said it last; 0 = a snapshot.
        version: The vendor's, if it has one.
        value: The record that said so, as it went out; empty = there is none any more.
    """

    order: int
    line: int
    version: int | None
    value: bytes


class EventEntry(msgspec.Struct, array_like=True, gc=False):
    """An event and what is said of the event itself.

    Attributes:
        created_s: Stream time of its first entry, seconds.
        order: Order time of the state.
        line: Number of the line that said the state last; 0 = a snapshot.
        state: ``None`` = nobody said.
        known: The event was added or opened; false while only changes of it came by.
        floor: Order time of its removal: what is not newer is history. -1 = never.
        removed_s: Stream time of its removal, seconds; 0 = it is there.
        suspended_order: Order time of the last suspension of all offers.
        absences: Complete answers of live/open in a row that did not have it.
        parts: Clock, score, statistics, description.
        statistics: Occurrence type → order time and value.
        recent: Ticker lines, occurrences and visualizations → order time, oldest first; bounded.
        shown_ms: When its own answer was asked for that last had it finished, UTC ms; 0 = none had.
    """

    created_s: int
    order: int = 0
    line: int = 0
    state: str | None = None
    known: bool = False
    floor: int = -1
    removed_s: int = 0
    suspended_order: int = 0
    absences: int = 0
    parts: dict[str, Part] = {}
    statistics: dict[str, tuple[int, int]] = {}
    recent: dict[str, int] = {}
    shown_ms: int = 0

    def newest(self) -> int:
        """Return the newest order time of all that is said of the event itself."""
        return max(
            self.order,
            self.floor,
            self.suspended_order,
            max((part.order for part in self.parts.values()), default=0),
            max((order for order, _ in self.statistics.values()), default=0),
            max(self.recent.values(), default=0),
        )


encode = msgspec.msgpack.Encoder().encode
decode_offer = msgspec.msgpack.Decoder(OfferEntry).decode
decode_event = msgspec.msgpack.Decoder(EventEntry).decode
decode_members = msgspec.msgpack.Decoder(list[int]).decode


def offer_key(offer_id: int) -> bytes:
    """Return the store key of an offer."""
    return OFFER + offer_id.to_bytes(8, "big")


def event_key(event_id: int) -> bytes:
    """Return the store key of an event."""
    return EVENT + event_id.to_bytes(8, "big")


def members_key(event_id: int) -> bytes:
    """Return the store key of the list of an event's offers."""
    return MEMBERS + event_id.to_bytes(8, "big")


def key_id(key: bytes) -> int:
    """Return the id in a store key of this module."""
    return int.from_bytes(key[1:], "big")
