"""A snapshot record: an HTTP answer against the book, what differs to records, and what health must know of it."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from processors.core.cloudevents import rfc3339
from processors.core.kambi import shards
from processors.core.kambi.answers import Answer, Refused, What, read_answer
from processors.core.kambi.book import SNAPSHOT_LINE, Book
from processors.core.kambi.dedupe import WINDOW_S
from processors.core.kambi.entries import EventEntry
from processors.core.kambi.envelope import Envelope
from processors.core.kambi.findings import Unreadable
from processors.core.kambi.merge import STARTED, EventMerge
from processors.core.kambi.merge_offers import merge_absence, merge_offer
from processors.core.kambi.state import newest_ms, shelf
from processors.core.processor import Context, SourceRecord
from schemas.codec import encode
from schemas.kambi import events
from schemas.kambi.codes import Code, Count

BEFORE_REQUEST_MS: Final = 2_000
"""How far an answer may lag behind push (fact sheet §7): caches on the way, and clocks that differ."""
ABSENCES: Final = 2
"""Complete answers of live/open in a row without a started or finished event that mean it is gone."""
_FINISHED: Final = "FINISHED"
_LISTED_ONCE: Final = frozenset({STARTED, _FINISHED})
"""States that an event has only after live/open had it: one that is to come is rightly absent, and of a state that
nobody knows nothing is concluded."""
FINISHED_MS: Final = 90_000
"""For how long nobody must have said that an event is finished before lists without it count: it has left them, and
its removal by push is still to come. The connector that followed it asks for it every minute and hears that it is
there, or gone; but the removal may fall into a gap, and a connector that began anew does not know the event."""
_NOT_FOUND: Final = 404
_CLOCK_STEP_NS: Final = 60_000_000_000
"""How far our clock may have been set back between a request and its answer; later, it is no time of a request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFinding:
    """What a snapshot found out about one event.

    Attributes:
        event_id: The event.
        is_there: The answer has it, in whatever part.
        differences: Records that went out, by the short name of their type, e.g. ``odds.changed``.
        raced: Differences that were left alone because push changed the entity since.
    """

    event_id: int
    is_there: bool
    differences: Counter[str] = field(default_factory=Counter)
    raced: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapshotFinding:
    """What a snapshot found out.

    Attributes:
        what: Kind of request.
        requested_ns: When it was sent.
        is_complete: What is not in it does not exist.
        events: The task's own events that it asked for or shows.
    """

    what: What
    requested_ns: int
    is_complete: bool
    events: tuple[EventFinding, ...]


@dataclass(frozen=True, slots=True)
class Taken:
    """A snapshot that was read: what it found, and the book it changed, not written yet."""

    finding: SnapshotFinding
    book: Book


def take_snapshot(
    record: SourceRecord,
    stamps: dict[str, bytes],
    line: str,
    received_ns: int,
    context: Context,
    *,
    cause_of: Callable[[int, What], str],
) -> Taken | None:
    """Write the records and dead letters of a ``snapshot`` record; ``None`` if all of it is one dead letter.

    The caller writes the book (``state.keep``) when everything else is done. ``cause_of`` tells what a difference of an
    event is, for ``ce_tccause``.
    """
    value = record.value or b""
    try:
        position, status = stamps["tc-position"].decode(), int(stamps["tc-status"])
        requested_ns = int(stamps["tc-requested-ns"])
        if not 0 <= requested_ns <= received_ns + _CLOCK_STEP_NS:
            raise ValueError(f"tc-requested-ns {requested_ns}"[:60])
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        context.dead_letter(value, Code.BAD_HEADERS, f"{type(error).__name__}: {error}")
        return None
    answer = read_answer(position, status, value)
    if isinstance(answer, Refused):
        answer = _refused(answer, position, status, value)
    if isinstance(answer, Unreadable):
        context.dead_letter(value, Code.BAD_SNAPSHOT, answer.detail)
        return None
    newest = newest_ms(context.store)
    as_of_ms = requested_ns // 1_000_000 - BEFORE_REQUEST_MS
    if context.stream_time_ns - received_ns > WINDOW_S * 1_000_000_000:
        context.count(Count.SNAPSHOT_OUTDATED)  # what it shows may be gone for so long that its removal is forgotten
        return None
    merge = _Merge(
        answer,
        status,
        Book(context.store, SNAPSHOT_LINE, context.stream_time_ns // 1_000_000_000),
        context,
        requested_ms=requested_ns // 1_000_000,
        as_of_ms=min(as_of_ms, newest) if newest else as_of_ms,
    )
    merge.run()
    merge.forward(Envelope(record, line, received_ns, context), rfc3339(received_ns // 1_000_000), cause_of)
    return Taken(
        SnapshotFinding(
            what=answer.what,
            requested_ns=requested_ns,
            is_complete=answer.whole,
            events=tuple(merge.found),
        ),
        merge.book,
    )


def _refused(refused: Refused, position: str, status: int, value: bytes) -> Answer | Unreadable:
    """Return what an error means: 404 is an empty answer, as long as it is the API that says it."""
    if status == _NOT_FOUND and value.strip()[:1] in {b"", b"{"}:
        answer = read_answer(position, 200, b'{"betOffers":[],"liveData":[],"liveEvents":[],"events":[]}')
        if isinstance(answer, Answer):
            return answer
    return Unreadable(Code.BAD_SNAPSHOT, f"error {refused.status} {refused.message}"[:200])


class _Merge:
    """One answer on its way into the book."""

    def __init__(
        self, answer: Answer, status: int, book: Book, context: Context, *, requested_ms: int, as_of_ms: int
    ) -> None:
        self._answer = answer
        self._is_gone = status == _NOT_FOUND
        self._requested_ms = requested_ms
        self._context = context
        self._share = shards.share_of_task(context.store)
        self.as_of_ms = as_of_ms
        self.book = book
        self.found: list[EventFinding] = []
        self._records: list[Any] = []

    def run(self) -> None:
        """Merge event by event, in the order in which the request or the answer names them."""
        answer = self._answer
        shown: dict[int, list[events.Fact]] = {event_id: [] for event_id in answer.asked}
        for fact in answer.facts:
            shown.setdefault(fact.event_id, []).append(fact)
        foreign = 0
        for event_id, facts in shown.items():
            if self._share.holds(event_id):
                self._event(event_id, facts)
            else:
                foreign += 1
        if foreign:
            self._context.count(Count.FOREIGN_EVENT, foreign)
        if answer.what == "live-open" and answer.whole and not self._is_gone:
            self._absent_events(shown.keys())

    def forward(self, envelope: Envelope, time: bytes, cause_of: Callable[[int, What], str]) -> None:
        """Write records and dead letters; each takes an index."""
        index = 0
        for record in self._records:
            cause = ("ce_tccause", cause_of(record.event_id, self._answer.what).encode())
            envelope.forward(record, encode(record), index, time, cause)
            if type(record) is events.EventRemoved:
                envelope.forward_end(record, index, time, cause)
            index += 1
        for broken in self._answer.broken:
            self._context.dead_letter(broken.value, broken.finding.code, broken.finding.detail, index)
            index += 1
        raced = sum(event.raced for event in self.found)
        if raced:
            self._context.count(Count.RACED, raced)
        if self._is_gone:
            self._context.count(Count.SNAPSHOT_NOT_FOUND)
        elif self._answer.what == "offers" and not self._answer.whole:
            self._context.count(Count.SNAPSHOT_SHORT)

    def _event(self, event_id: int, facts: list[events.Fact]) -> None:
        answer, merge = self._answer, EventMerge(event_id, self.as_of_ms, self.book)
        if merge.is_history:
            merge.raced += bool(facts)
        elif self._is_gone:
            if answer.what == "offers":
                merge.remove()
        else:
            self._merge(merge, facts)
        self._take(merge, is_there=bool(facts))

    def _merge(self, merge: EventMerge, facts: list[events.Fact]) -> None:
        answer = self._answer
        offers: set[int] = set()
        has_live = has_clock = has_description = False
        for fact in facts:
            match fact:
                case events.EventOpened():
                    merge.describe(fact)
                    event = self.book.event(merge.event_id)
                    if answer.what == "live-open" and event is not None and event.absences:
                        self.book.change_event(merge.event_id).absences = 0
                    elif answer.what == "offers" and event is not None and event.state == _FINISHED:
                        self.book.change_event(merge.event_id).shown_ms = self._requested_ms
                case events.OfferAdded():
                    offers.add(fact.offer_id)
                    merge_offer(merge, fact, whole=answer.what == "offers")
                case _:
                    has_live = True
                    has_clock = has_clock or isinstance(fact, events.ClockChanged)
                    has_description = has_description or isinstance(fact, events.EventDescriptionChanged)
                    merge.part(fact)
        if answer.what == "offers" and answer.whole and merge.event_id in answer.asked:
            merge_absence(merge, offers)
        # The score is there always, so live data that lacks another value says that there is none.
        if has_live and not has_clock:
            merge.part(events.ClockRemoved(event_id=merge.event_id))
        if has_live and not has_description and answer.what == "live-data":
            merge.part(events.EventDescriptionChanged(event_id=merge.event_id))

    def _absent_events(self, listed: Any) -> None:
        for event_id in shelf(self._context).event_ids():
            event = self.book.event(event_id)
            if event_id in listed or event is None or event.removed_s or event.state not in _LISTED_ONCE:
                continue
            if not self._share.holds(event_id) or self._is_awaited(event):
                continue
            merge = EventMerge(event_id, self.as_of_ms, self.book)
            absences = event.absences + 1
            if absences >= ABSENCES:
                merge.remove()
            elif event.order > self.as_of_ms:
                merge.raced += 1
                absences = 0
            if not merge.records:
                self.book.change_event(event_id).absences = absences
            self._take(merge, is_there=False)

    def _is_awaited(self, event: EventEntry) -> bool:
        said_ms = max(event.order, event.shown_ms)
        return event.state == _FINISHED and self._requested_ms < said_ms + FINISHED_MS

    def _take(self, merge: EventMerge, *, is_there: bool) -> None:
        self._records += merge.records
        self.found.append(
            EventFinding(
                event_id=merge.event_id,
                is_there=is_there,
                differences=merge.differences,
                raced=merge.raced,
            )
        )
