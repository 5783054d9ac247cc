"""A frame: its children one by one to candidates, facts, judgement, records; every candidate accounted for."""

from collections.abc import Collection
from typing import Any

import msgspec

from processors.core.cloudevents import rfc3339
from processors.core.kambi import shards
from processors.core.kambi.book import Book
from processors.core.kambi.debulk import Bulk, open_bulk
from processors.core.kambi.dedupe import WINDOW_S, line_number
from processors.core.kambi.envelope import Envelope
from processors.core.kambi.facts import Facts
from processors.core.kambi.findings import PassedOver, Unplaced, Unreadable
from processors.core.kambi.foreign import glance
from processors.core.kambi.judging import mark_outdated
from processors.core.kambi.late import judge
from processors.core.kambi.moments import Moment, Moments
from processors.core.kambi.normalize import normalize
from processors.core.kambi.packet import read_packet
from processors.core.kambi.settled import note_settled
from processors.core.kambi.state import keep
from processors.core.kambi.watch import watch
from processors.core.processor import Context, SourceRecord
from schemas.codec import encode
from schemas.kambi import events
from schemas.kambi.codes import Code, Count

_COPIED = frozenset({6, 7, 8, 11, 22, 23})
"""Message types that the general keys share with those of the event (fact sheet §6)."""


class FrameFinding(msgspec.Struct, frozen=True, gc=False):
    """What health must know of a message.

    Attributes:
        messages: Type and event of each child that can be read and names an event, of any shard.
        removed: Own events that left the offering with it.
        share: Which events are own.
    """

    messages: list[tuple[int, int]]
    removed: list[int]
    share: shards.Share


def process_frame(
    record: SourceRecord, line: str, received_ns: int, context: Context, *, copy_skew_ms: int
) -> FrameFinding | None:
    """Write the records and dead letters of a ``frame`` record; ``None`` if it is no message."""
    value = record.value or b""
    packet = read_packet(value)
    if isinstance(packet, Unreadable):
        context.dead_letter(value, packet.code, packet.detail)
        return None
    bulk = packet if isinstance(packet, PassedOver) else open_bulk(packet)
    if isinstance(bulk, PassedOver):
        context.count(bulk.what)
        return None
    return Frame(bulk, record, line, received_ns, context, copy_skew_ms).process()


class Frame:
    """One frame on its way. ``Again`` (``again``) is one that goes it a second time."""

    __slots__ = (
        "_book",
        "_bulk",
        "_context",
        "_envelope",
        "_facts",
        "_foreign",
        "_general",
        "_held",
        "_index",
        "_moments",
        "_now_s",
        "_received_ms",
        "_removed",
        "_share",
        "_whole",
    )

    def __init__(  # noqa: PLR0917  # made in one place, out of what a record is
        self, bulk: Bulk, record: SourceRecord, line: str, received_ns: int, context: Context, copy_skew_ms: int
    ) -> None:
        self._bulk = bulk
        self._context = context
        self._received_ms = received_ns // 1_000_000
        self._now_s = context.stream_time_ns // 1_000_000_000
        number = line_number(line.encode())
        self._facts = Facts(context, number, self._now_s, copy_skew_ms)
        self._book = Book(context.store, number, self._now_s)
        self._envelope = Envelope(record, line, received_ns, context)
        self._share = shards.share_of(line, context.store)
        self._whole = self._share.shards == 1
        self._general = shards.GENERAL in line
        self._held = watch(context).lines.is_held if self._general else None
        self._moments = Moments(self._received_ms)
        self._index = 0
        self._foreign = 0
        self._removed: list[int] = []

    def process(self) -> FrameFinding:
        """Process all children; the store is written in the end, memory after that (see ``Context.memory``)."""
        context, facts, moments = self._context, self._facts, self._moments
        messages: list[tuple[int, int]] = []
        may_be_foreign = self._general and not self._whole
        for number, child in enumerate(self._bulk.children):
            if isinstance(child, Unreadable):
                self._dead_letter(number, child)
                continue
            moment = moments.of(child.t)
            foreign = glance(child, self._share) if may_be_foreign else None
            if foreign is not None:
                moment.children += 1
                messages.append((child.mt, foreign[0]))
                self._pass_over(*foreign)
                continue
            candidates = normalize(child, moment.time_ms)
            if isinstance(candidates, Unreadable):
                self._dead_letter(number, candidates)
                continue
            moment.children += 1
            event_id = getattr(candidates[0], "event_id", None)
            if type(event_id) is int:
                messages.append((child.mt, event_id))
            spelling = moment.spelling
            for candidate in candidates:
                placed = self._placed(candidate, moment, number)
                if placed is not None:
                    if self._held is not None:
                        facts.sighting.awaits_copies = child.mt in _COPIED and self._held(placed.event_id)
                    payload = facts.new_part(placed, child.mt, spelling, moment.time_ms)
                    if payload is not None:
                        self._forward(placed, payload, moment)
                self._index += 1
        self._note()
        keep(facts.sighting, self._book, context, self._now_s)
        return FrameFinding(messages, self._removed, self._share)

    def _note(self) -> None:
        self._moments.note(self._context)
        if self._foreign:
            self._context.count(Count.FOREIGN_EVENT, self._foreign)

    def _is_outdated(self, candidate: Any) -> bool:
        """Mark what was received long before the rest, as a standby drains it from its spool, and nobody knows.

        It may be gone for so long that its removal is forgotten, too.
        """
        if self._now_s - self._received_ms // 1000 <= WINDOW_S or self._book.knows(candidate):
            return False
        mark_outdated(candidate)
        return True

    def _forward(self, candidate: Any, payload: bytes, moment: Moment) -> None:
        order, time = moment.order, rfc3339(moment.said_ms)
        if type(candidate) is events.OutcomeSettled:
            payload = self._settled(candidate, payload)
            note_settled(candidate.outcome_id, order, self._context.store)
        elif self._is_outdated(candidate) or judge(candidate, payload, order, self._book):
            self._context.count(Count.LATE)
            payload = encode(candidate)
        elif type(candidate) is events.EventRemoved:
            self._removed.append(candidate.event_id)
        self._facts.judged()
        self._envelope.forward(candidate, payload, self._index, time)
        if type(candidate) is events.EventRemoved and candidate.late is msgspec.UNSET:
            self._envelope.forward_end(candidate, self._index, time)

    def _dead_letter(self, number: int, finding: Unreadable) -> None:
        self._context.dead_letter(self._bulk.parts()[number], finding.code, finding.detail, self._index)
        self._index += 1

    def _pass_over(self, event_id: int, offers: Collection[int | None]) -> None:
        """Leave the indices of another shard's candidates unused, and learn what ``_placed`` would of each."""
        for offer_id in offers:
            if offer_id is not None:
                self._book.remember_place(offer_id, event_id)
        self._foreign += len(offers)
        self._index += len(offers)

    def _placed(self, candidate: Any, moment: Moment, number: int) -> Any:
        """Return ``candidate`` if it is ours, with its event as far as anybody knows it; else ``None``."""
        if isinstance(candidate, Unplaced):
            candidate = self._with_event(candidate, number)
            if candidate is None:
                return None
        if self._whole or type(candidate) is events.OutcomeSettled or self._share.holds(candidate.event_id):
            return candidate
        self._foreign += 1
        offer_id = getattr(candidate, "offer_id", None)
        if offer_id is not None and self._general:
            self._book.remember_place(offer_id, candidate.event_id)
        return None

    def _with_event(self, candidate: Unplaced, number: int) -> events.OfferRemoved | None:
        event_id = self._book.event_of(candidate.offer_id)
        if event_id is not None:
            return candidate.placed_in(event_id)
        # On a general line every shard reads this; on any other line, only this task does.
        if not self._general or self._share.holds(candidate.offer_id):
            detail = f"no event id, and nobody knows offer {candidate.offer_id}"
            self._context.dead_letter(self._bulk.parts()[number], Code.NO_EVENT_ID, detail, self._index)
        else:
            self._foreign += 1
        return None

    def _settled(self, candidate: events.OutcomeSettled, payload: bytes) -> bytes:
        """Fill in the event if the vendor did not; after the fact was told by what the vendor said."""
        if candidate.event_id is msgspec.UNSET and candidate.offer_id is not msgspec.UNSET:
            event_id = self._book.event_of(candidate.offer_id)
            if event_id is not None:
                candidate.event_id = event_id
                return encode(candidate)
        return payload
