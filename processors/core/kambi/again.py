"""A frame, or one child of it, that is replayed: what is not newer than all that is out of it is refused.

Late facts of a live line go out marked, for they are as old as the line; a replay may be days old, and a person asked
for it. So it brings only what would be current: anything as new or newer of the same entity refuses it, and so does
having forgotten the entity. Health, lines and the newest vendor time are not told of it.
"""

from copy import deepcopy
from typing import Any, Final

import msgspec

from processors.core.cloudevents import rfc3339
from processors.core.kambi.book import Book
from processors.core.kambi.debulk import Bulk, open_bulk
from processors.core.kambi.dedupe import WINDOW_S, line_number
from processors.core.kambi.envelope import Envelope
from processors.core.kambi.findings import PassedOver, Unreadable
from processors.core.kambi.frames import Frame
from processors.core.kambi.judging import book_value
from processors.core.kambi.late import judge
from processors.core.kambi.moments import Moment
from processors.core.kambi.packet import read_packet
from processors.core.kambi.settled import note_settled, settled_ms
from processors.core.processor import Context
from processors.core.replay import Replay
from processors.core.stamps import STAMP_ERRORS, read_stamps
from schemas.codec import encode
from schemas.kambi import events
from schemas.kambi.codes import Code, Count

_WHOLE_OFFER: Final = (events.OfferAdded, events.OfferRemoved)
"""Say what becomes of all outcomes of an offer: anything newer of one of them is newer than these."""
_WHOLE_EVENT: Final = (events.OffersSuspended, events.EventRemoved)
"""Say what becomes of all offers of an event."""


def replay_frame(replay: Replay, context: Context, *, copy_skew_ms: int) -> None:
    """Write the records, refusals and dead letters of a replay; where there are none, what was counted says why."""
    record, value = replay.record, replay.record.value or b""
    try:
        stamps = read_stamps(dict(record.headers))
    except STAMP_ERRORS as error:
        context.dead_letter(value, Code.REPLAY_REFUSED, f"its stamps: {type(error).__name__}: {error}", replay.index)
        return
    if stamps.kind != "frame":
        why = f"a {stamps.kind[:40]} is no frame: what it said is said again by the next"
        context.dead_letter(value, Code.REPLAY_REFUSED, why, replay.index)
        return
    if replay.index is None:
        packet = read_packet(value)
        if isinstance(packet, Unreadable):
            context.dead_letter(value, packet.code, packet.detail)
            return
        bulk = packet if isinstance(packet, PassedOver) else open_bulk(packet)
        if isinstance(bulk, PassedOver):
            context.count(bulk.what)
            return
    else:
        bulk = Bulk.of_child(value)
    Again(bulk, replay, stamps.line, stamps.received_ns, context, copy_skew_ms).process()


class Again(Frame):
    """One frame, or one child, on its way for a second time."""

    __slots__ = ("_line_number", "_mark", "_part", "_part_envelope", "_received_s")

    def __init__(  # noqa: PLR0917  # as its base
        self, bulk: Bulk, replay: Replay, line: str, received_ns: int, context: Context, copy_skew_ms: int
    ) -> None:
        super().__init__(bulk, replay.record, line, received_ns, context, copy_skew_ms)
        self._held = None  # no copies are awaited of what is long past
        self._line_number = line_number(line.encode())
        self._mark = replay.mark
        self._part = replay.index
        self._part_envelope = _part_envelope(replay, line, received_ns, context)
        self._received_s = received_ns // 1_000_000_000
        self._index = replay.index or 0

    def _note(self) -> None:
        if self._foreign:
            self._context.count(Count.FOREIGN_EVENT, self._foreign)

    def _placed(self, candidate: Any, moment: Moment, number: int) -> Any:
        """Refuse what is not newer, too: before its facts are taken note of, or a copy to come would be none."""
        placed = super()._placed(candidate, moment, number)
        why = None if placed is None else self._newer(placed, moment.order)
        if why is None:
            return placed
        index = self._index if self._part is None else self._part
        self._context.dead_letter(self._bulk.parts()[number], Code.REPLAY_REFUSED, why, index)
        return None

    def _forward(self, candidate: Any, payload: bytes, moment: Moment) -> None:
        order, time = moment.order, rfc3339(moment.said_ms)
        if type(candidate) is events.OutcomeSettled:
            payload = self._settled(candidate, payload)
            note_settled(candidate.outcome_id, order, self._context.store)
        elif judge(candidate, payload, order, self._book):
            payload = encode(candidate)  # older than a child of the same frame
        self._facts.judged()
        if self._part is None or self._index == self._part:
            self._envelope.forward(candidate, payload, self._index, time, self._mark)
            if type(candidate) is events.EventRemoved and candidate.late is msgspec.UNSET:
                self._envelope.forward_end(candidate, self._index, time, self._mark)
        else:
            self._part_envelope.forward(candidate, payload, self._index - self._part, time, self._mark)

    def _newer(self, candidate: Any, order: int) -> str | None:
        """Return what is as new as ``candidate``, or newer; takes such outcomes out of it where others are left.

        Judged against what is stored, so that children of one frame with one time do not refuse each other.
        """
        store = self._context.store
        if type(candidate) is events.OutcomeSettled:
            settled = settled_ms(candidate.outcome_id, store)
            is_newer = settled is not None and settled >= order
            return f"outcome {candidate.outcome_id}: settled at {settled}, this is of {order}" if is_newer else None
        book = Book(store, self._line_number, self._now_s)
        what = _name(candidate)
        age_s = self._now_s - self._received_s
        if age_s > WINDOW_S and not book.knows(candidate):
            return f"{what}: nothing is known of it, and this is {age_s} s old"
        newest = _newest(candidate, book)
        refusal = f"{what}: something of {newest} is out, this is of {order}"
        if isinstance(candidate, _WHOLE_OFFER + _WHOLE_EVENT):
            return refusal if newest >= order else None
        probe = deepcopy(candidate)
        # A millisecond earlier, so that what is out of the same time refuses it, too: it may be a copy.
        judge(probe, encode(probe), order - 1, book)
        if probe.late is True:
            return refusal
        outcomes = getattr(probe, "outcomes", None)
        if outcomes is not None:
            candidate.outcomes = [
                outcome for outcome, found in zip(candidate.outcomes, outcomes, strict=True) if found.late is not True
            ]
            if not candidate.outcomes:
                return refusal
            if len(candidate.outcomes) < len(outcomes):
                self._context.count(Count.PARTIAL_DUPLICATE)
        return None


def _part_envelope(replay: Replay, line: str, received_ns: int, context: Context) -> Envelope:
    """Return the envelope of what a child brings beside its first record: ids below its own, which nobody else has."""
    record = replay.record
    envelope = Envelope(record, line, received_ns, context)
    envelope.place_below(replay.index or 0)
    return envelope


def _name(candidate: Any) -> str:
    offer_id = getattr(candidate, "offer_id", msgspec.UNSET)
    offer = "" if offer_id is msgspec.UNSET else f" offer {offer_id}"
    return f"event {candidate.event_id}{offer}"


def _newest(candidate: Any, book: Book) -> int:
    """Return the newest order time of what ``candidate`` is about: its offer, or its event with all offers."""
    offer_id = book_value(getattr(candidate, "offer_id", msgspec.UNSET))
    offer = None if offer_id is None else book.offer(offer_id)
    if offer is not None:
        return offer.newest()
    event = book.event(candidate.event_id)
    newest = 0 if event is None else event.newest()
    if isinstance(candidate, _WHOLE_EVENT):
        for member in book.members(candidate.event_id):
            known = book.offer(member)
            newest = max(newest, 0 if known is None else known.newest())
    return newest
