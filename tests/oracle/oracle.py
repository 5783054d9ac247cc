"""What a task has to write for its raw records: the rules as they are stated, over a plain list of what was said.

Slow on purpose: it keeps everything that went out as current in one list and looks through it for every fact. It
imports nothing from the core. The rules: DESIGN's facts and dedupe, docs/architecture.md "Identity", the fact sheet.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from tests.oracle import snapshots
from tests.oracle.view import View
from tests.oracle.wire import TOPICS, BadChildError, Candidate, Json, candidates, usable_time

WINDOW_S: Final = 120
"""Seconds of stream time for which a fact is remembered, from the first of its entity and t."""
AHEAD_MS: Final = 60_000
"""How far ahead of the receipt a vendor time is believed."""

_ITEMS: Final = {
    "ticker.added": "ticker_id",
    "occurrence.changed": "occurrence_id",
    "visualization.changed": "visualization_id",
    "live-statistic.changed": "occurrence_type_id",
}
_PARTS: Final = {
    "clock.changed": "clock",
    "clock.removed": "clock",
    "score.changed": "score",
    "statistics.changed": "statistics",
    "event.description-changed": "description",
}
_STATES: Final = frozenset({"event.added", "event.opened", "event.state-changed"})


class SourceRecord(Protocol):
    """A raw record."""

    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def value(self) -> bytes: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


@dataclass(frozen=True, slots=True)
class Written:
    """A record or a dead letter that is to be there.

    Attributes:
        position: ``partition/offset`` of the raw record and the index, ``None`` for a whole frame; of what is told with
            the record of an index, its number below that.
        topic: Short topic: ``events``, ``offers`` …, or ``dead-letters``.
        kind: Short type, or the code of a dead letter.
        key: Record key; of dead letters ``None``.
        value: The value; of dead letters what failed.
    """

    position: tuple[int, int, int | None] | tuple[int, int, int | None, int]
    topic: str
    kind: str
    key: int | None
    value: Any


@dataclass(slots=True)
class Said:
    """Something that went out as current.

    Attributes:
        order: Its order time, UTC ms.
        event: Its event.
        offer: Its offer, if it is about one.
        outcome: Its outcome, if it is about one.
        what: Entity within these: ``offer``, ``outcome``, ``state``, ``clock`` …
        kind: What was said of it.
        at_s: Stream time.
        version: The vendor's.
        undone: Of a removal: the event or an offer of it came again since.
    """

    order: int
    event: int
    offer: int | None
    outcome: int | None
    what: str
    kind: str
    at_s: int
    version: int | None = None
    undone: bool = False


@dataclass(slots=True)
class _Spoken:
    """One value of one entity as somebody said it first, and who said it since; its copies may have another t."""

    t: int
    lines: Counter[str]
    is_late: bool = False


@dataclass(slots=True)
class _Span:
    """All facts of one entity whose t is within one span of time."""

    since_s: int
    spoken: dict[str, list[_Spoken]] = field(default_factory=dict)


@dataclass(slots=True)
class _Group:
    """All facts of one (event, mt, entity, t): which line said which value how often."""

    since_s: int
    lines: dict[str, Counter[str]] = field(default_factory=dict)


class Oracle:
    """One task's account.

    Args:
        copy_skew_ms: How far apart the t of copies may be; 0: they are equal.
    """

    def __init__(self, copy_skew_ms: int = 0) -> None:
        self._skew_ms = copy_skew_ms
        self._spans: dict[tuple[Any, ...], _Span] = {}
        self._new: list[tuple[Json, _Spoken]] = []
        self.written: list[Written] = []
        self.counts: Counter[str] = Counter()
        self._now_ns = 0
        self._frames: set[tuple[str, str, int]] = set()
        self._shares: dict[str, tuple[int, int]] = {}
        self._groups: dict[tuple[Any, ...], _Group] = {}
        self._task_share = (0, 1)
        self.newest_ms = 0
        """The newest vendor time that is believed."""
        self.said: list[Said] = []
        self.view = View()
        self._places: dict[int, int] = {}
        """Offers of foreign events, and of removed ones → event."""

    @property
    def _now_s(self) -> int:
        return self._now_ns // 1_000_000_000

    def read(self, record: SourceRecord) -> None:
        """Take one raw record."""
        stamps = {name: value.decode() for name, value in record.headers}
        self._now_ns = max(self._now_ns, int(stamps["tc-received-ns"]))
        line, kind = stamps["tc-line"], stamps["tc-kind"]
        if kind == "frame":
            identity = (line, stamps["tc-connection"], int(stamps["tc-frame"]))
            if identity in self._frames:
                self.counts["repeats"] += 1
                return
            self._frames.add(identity)
            self._frame(record, line, int(stamps["tc-received-ns"]) // 1_000_000)
        elif kind == "snapshot":
            self._snapshot(record, stamps)
        elif kind == "opened":
            told = json.loads(record.value)
            self._shares[line] = self._task_share = (told["shard"], told["shards"])
        elif kind == "tick":
            if record.partition < json.loads(record.value)["shards"]:
                self._task_share = (record.partition, json.loads(record.value)["shards"])
            self._forget()

    def _snapshot(self, record: SourceRecord, stamps: dict[str, str]) -> None:
        found = snapshots.merge(self, stamps, record.value, self._task_share)
        for index, (event, (kind, value)) in enumerate(found):
            # What a record says is told by copy: the account goes on with its own.
            told = json.loads(json.dumps(value)) | {"event_id": event, "source": "snapshot"}
            position = (record.partition, record.offset, index)
            self.written.append(Written(position, TOPICS[kind], kind, event, told))
            self._end(self.written[-1])

    # One frame.

    def _frame(self, record: SourceRecord, line: str, received_ms: int) -> None:
        children = self._children(record)
        index = 0
        for child in children:
            position = (record.partition, record.offset, index)
            try:
                found = candidates(child)
            except BadChildError as bad:
                self.written.append(Written(position, "dead-letters", bad.args[0], None, child))
                index += 1
                continue
            time = usable_time(child.get("t"))
            order = time if time is not None and time <= received_ms + AHEAD_MS else received_ms
            if time is None:
                self.counts["kambi.no-vendor-time"] += 1
            elif order != time:
                self.counts["kambi.vendor-time-ahead"] += 1
            else:
                self.newest_ms = max(self.newest_ms, time)
            for candidate in found:
                self._candidate(candidate, child, line, time, order, (record.partition, record.offset, index))
                index += 1

    def _children(self, record: SourceRecord) -> list[Any]:
        packet = record.value.decode()
        if not packet or packet[0] not in "0123456":
            self._whole(record, "kambi.not-a-packet")
            return []
        if packet[0] != "2":
            return []
        children: list[Any]
        try:
            _, text = json.loads(packet[1:])
            children = json.loads(text)
        except ValueError:
            self._whole(record, "kambi.not-json")
            return []
        return children

    def _whole(self, record: SourceRecord, code: str) -> None:
        position = (record.partition, record.offset, None)
        self.written.append(Written(position, "dead-letters", code, None, record.value))

    # One candidate.

    def _candidate(
        self,
        candidate: Candidate,
        child: Json,
        line: str,
        time: int | None,
        order: int,
        position: tuple[int, int, int],
    ) -> None:
        if not self._is_ours(candidate, child, line, position):
            return
        mt, t = child["mt"], repr(child.get("t")) if time is None else time
        common: Json = {} if time is None else {"vendor_time_ms": time}
        self._new = []
        if not self._is_new(candidate, mt, t, line):
            self.counts["kambi.duplicate"] += 1
            return
        value = candidate.value | common
        if candidate.event is None and candidate.offer is not None:
            candidate.event = self._event_of(candidate.offer)  # of a settled outcome
        if candidate.event is not None:
            value["event_id"] = candidate.event
        if candidate.outcomes is not None:
            value["outcomes"] = candidate.outcomes
        if self._is_late(candidate, value, order):
            self.counts["kambi.late"] += 1
        if not value.get("late"):
            self._apply(candidate, value)
        elif candidate.outcomes is None:
            self._mark_late([said for said, _ in self._new])
        key = candidate.value["outcome_id"] if candidate.kind == "outcome.settled" else candidate.event
        self.written.append(Written(position, TOPICS[candidate.kind], candidate.kind, key, value))
        self._end(self.written[-1])

    def _end(self, last: Written) -> None:
        """The end of an event is told to who reads its offers or its scores alone, too, with ids below its own."""
        if last.kind != "event.removed" or "late" in last.value:
            return
        for number, kind in enumerate(("offers.removed", "scores.removed")):
            position = (*last.position[:3], number)
            self.written.append(Written(position, TOPICS[kind], kind, last.key, last.value))

    def _is_ours(self, candidate: Candidate, child: Json, line: str, position: tuple[int, int, int]) -> bool:
        """Apply the shard rule; a candidate that says no event gets it from its offer."""
        if candidate.kind == "outcome.settled":
            return True
        shard, shards = self._shares.get(line, (0, 1))
        is_general = "-general" in line
        if candidate.event is None:
            assert candidate.offer is not None
            candidate.event = self._event_of(candidate.offer)
            if candidate.event is None:
                if is_general and candidate.offer % shards != shard:
                    self.counts["kambi.foreign-event"] += 1
                else:
                    self.written.append(Written(position, "dead-letters", "kambi.no-event-id", None, child))
                return False
        if candidate.event % shards == shard:
            return True
        self.counts["kambi.foreign-event"] += 1
        if candidate.offer is not None and is_general:
            self._places.setdefault(candidate.offer, candidate.event)
        return False

    def _event_of(self, offer: int) -> int | None:
        own = [said.event for said in self.said if said.offer == offer]
        return own[-1] if own else self._places.get(offer)

    # Which facts are new.

    def _is_new(self, candidate: Candidate, mt: int, t: int | str, line: str) -> bool:
        """Take the copies out of ``candidate``; return whether anything is left."""
        if candidate.kind == "outcome.settled":
            event, entity = None, candidate.value["outcome_id"]
        else:
            event = candidate.event
            item = _ITEMS.get(candidate.kind)
            entity = candidate.value[item] if item else candidate.offer
        identity = (event, mt, candidate.kind, entity, t)
        if candidate.outcomes is None:
            return self._is_first(identity, candidate.value | {"event_id": candidate.event}, line)
        new = [outcome for outcome in candidate.outcomes if self._is_first(identity, outcome, line)]
        if 0 < len(new) < len(candidate.outcomes):
            self.counts["kambi.partial-duplicate"] += 1
        candidate.outcomes = new
        return bool(new)

    def _is_first(self, identity: tuple[Any, ...], value: Json, line: str) -> bool:
        """Count the value once more on ``line``; it is new if no other line had it that often."""
        t = identity[-1]
        if self._skew_ms and isinstance(t, int):
            return self._is_first_near(identity[:-1], t, value, line)
        group = self._groups.get(identity)
        if group is None or self._now_s - group.since_s > WINDOW_S:
            group = self._groups[identity] = _Group(self._now_s)
        lines = group.lines.setdefault(json.dumps(value, sort_keys=True), Counter())
        lines[line] += 1
        return all(lines[line] > times for other, times in lines.items() if other != line)

    def _is_first_near(self, identity: tuple[Any, ...], t: int, value: Json, line: str) -> bool:
        """Take the value for a copy of the oldest equal one nearby that this line has not matched, else for new.

        One that went out late stands for no later value: that may be the current one.
        """
        text, skew, width = json.dumps(value, sort_keys=True), self._skew_ms, max(2 * self._skew_ms, 1_000)
        near = []
        for span in range((t - skew) // width, (t + skew) // width + 1):
            known = self._spans.get((identity, span))
            if known is not None and self._now_s - known.since_s <= WINDOW_S:
                near += [spoken for spoken in known.spoken.get(text, []) if abs(spoken.t - t) <= skew]
        for spoken in sorted(near, key=lambda spoken: spoken.t):
            if spoken.lines[line] < max(spoken.lines.values()) and not (spoken.is_late and spoken.t < t):
                spoken.lines[line] += 1
                self.counts["kambi.copy"] += spoken.t != t
                return False
        known = self._spans.get((identity, t // width))
        if known is None or self._now_s - known.since_s > WINDOW_S:
            known = self._spans[identity, t // width] = _Span(self._now_s)
        listed = known.spoken.setdefault(text, [])
        same = next((spoken for spoken in listed if spoken.t == t), None)
        if same is None:
            same = _Spoken(t, Counter())
            listed.append(same)
        same.lines[line] += 1
        self._new.append((value, same))
        return True

    # What is late.

    def _is_late(self, candidate: Candidate, value: Json, order: int) -> bool:
        """Mark in ``value`` what is late, take note of the rest; return whether anything is late."""
        event, offer, kind = candidate.event, candidate.offer, candidate.kind
        if kind == "outcome.settled":
            return False
        assert event is not None
        if candidate.outcomes is not None:
            assert offer is not None
            said = list(value["outcomes"])
            late = self._late_outcomes(value["outcomes"], event, offer, order, kind)
            self._mark_late([was for was, now in zip(said, value["outcomes"], strict=True) if "late" in now])
            if late == len(value["outcomes"]):
                value["late"] = True
            return late > 0
        if kind in ("offer.added", "offer.removed", "offer.status-changed"):
            assert offer is not None
            own = [said for said in self.said if said.offer == offer]
            is_again = kind == "offer.removed" and bool(own) and own[-1].kind == kind and own[-1].order == order
            is_outweighed = self._is_gone(event, offer, order) and not is_again
            if is_outweighed or order < self.newest_of_offer(event, offer):
                value["late"] = True
                return True
            newest = [said for said in self.said if said.offer == offer and said.order > order]
            self.say(order, event, "offer", kind, offer=offer)
            if kind != "offer.added":
                return False
            marked = False
            for outcome in value["outcomes"]:
                if any(said.outcome == outcome["id"] for said in newest):
                    outcome["late"] = marked = True
                else:
                    self.say(order, event, "outcome", kind, offer=offer, outcome=outcome["id"])
            return marked
        if self._is_late_of_event(candidate, value, order):
            value["late"] = True
            return True
        return False

    def _mark_late(self, late: list[Json]) -> None:
        for said, spoken in self._new:
            if any(said is other for other in late):
                spoken.is_late = True

    def _late_outcomes(self, outcomes: list[Json], event: int, offer: int, order: int, kind: str) -> int:
        late = 0
        for number, outcome in enumerate(outcomes):
            if self._is_gone(event, offer, order) or order < self.newest_of_outcome(event, offer, outcome["id"]):
                outcomes[number] = outcome | {"late": True}
                late += 1
            else:
                self.say(order, event, "outcome", kind, offer=offer, outcome=outcome["id"])
        return late

    def _is_late_of_event(self, candidate: Candidate, value: Json, order: int) -> bool:
        event, kind = candidate.event, candidate.kind
        assert event is not None
        floor = self.floor(event)
        if kind in _STATES or kind == "event.removed":
            is_again = kind == "event.removed" and order == floor and self.is_removed(event)
            if (order <= floor and not is_again) or order < self.newest(event, "state"):
                return True
            if kind == "event.removed":
                self.remove(event, order)
            else:
                self.say(order, event, "state", kind)
            return False
        if kind == "offers.suspended":
            if order <= floor or order < self.newest(event, "suspended"):
                return True
            self.say(order, event, "suspended", kind)
            for offer in self._known_offers(event):
                if self.newest_of_offer(event, offer) <= order:
                    self.say(order, event, "offer", kind, offer=offer)
                    self.view.offers[offer].suspended = True
            return False
        if kind in _PARTS:
            return self._is_late_part(event, _PARTS[kind], kind, value.get("version"), floor, order)
        what = f"{kind} {value[_ITEMS[kind]]}"
        if order <= floor or order < self.newest(event, what):
            return True
        self.say(order, event, what, kind)
        return False

    def _is_late_part(self, event: int, what: str, kind: str, version: int | None, floor: int, order: int) -> bool:
        if order <= floor:
            return True
        known = [said for said in self.said if said.event == event and said.what == what]
        if known:
            last = known[-1]
            if version is not None and last.version is not None and version != last.version:
                if version < last.version:
                    return True
            elif order < last.order:
                return True
            order = max(order, last.order)
        self.say(order, event, what, kind, version=version)
        return False

    def _apply(self, candidate: Candidate, value: Json) -> None:
        kind, event = candidate.kind, candidate.event
        if kind == "outcome.settled":
            return
        assert event is not None
        if kind in _PARTS:
            self.view.apply_part(event, _PARTS[kind], None if kind == "clock.removed" else candidate.value)
        else:
            self.view.apply(kind, event, candidate.offer, value)

    # What was said.

    def say(
        self,
        order: int,
        event: int,
        what: str,
        kind: str,
        *,
        offer: int | None = None,
        outcome: int | None = None,
        version: int | None = None,
    ) -> None:
        for removal in self.said:
            if removal.what == "removal" and removal.event == event and (offer is not None or what == "state"):
                removal.undone = True
        self.said.append(Said(order, event, offer, outcome, what, kind, self._now_s, version))

    def newest(self, event: int, what: str) -> int:
        return max((said.order for said in self.said if said.event == event and said.what == what), default=0)

    def floor(self, event: int) -> int:
        return self.newest(event, "removal")

    def _is_gone(self, event: int, offer: int, order: int) -> bool:
        """A removal of the offer or of its event outweighs what is of its time."""
        own = (said for said in self.said if said.event == event and said.offer == offer)
        return order <= max([self.floor(event), *(said.order for said in own if said.kind == "offer.removed")])

    def newest_of_offer(self, event: int, offer: int) -> int:
        own = (said.order for said in self.said if said.what == "offer" and said.offer == offer)
        return max(self.floor(event), max(own, default=0))

    def newest_of_outcome(self, event: int, offer: int, outcome: int) -> int:
        """The newest of the outcome itself and of what said which outcomes there are: the whole offer, its removal."""
        own = (
            said.order
            for said in self.said
            if said.offer == offer
            and (said.outcome == outcome or (said.what == "offer" and said.kind in ("offer.added", "offer.removed")))
        )
        return max(self.floor(event), max(own, default=0))

    def _known_offers(self, event: int) -> list[int]:
        """Return offers of which the last that was said is not that they are gone."""
        last = {said.offer: said for said in self.said if said.event == event and said.offer is not None}
        return [offer for offer, said in last.items() if offer is not None and said.kind != "offer.removed"]

    def is_removed(self, event: int) -> bool:
        """Tell whether the event was removed and neither it nor an offer of it came again."""
        return any(said.event == event and said.what == "removal" and not said.undone for said in self.said)

    def remove(self, event: int, order: int) -> None:
        """An event's removal is no older than anything that was said of it: nothing older may follow."""
        gone = [said for said in self.said if said.event == event]
        for said in gone:
            if said.offer is not None:
                self._places[said.offer] = event
        self.said = [said for said in self.said if said.event != event]
        self.view.apply("event.removed", event, None, {})
        self.say(max([order, *(said.order for said in gone)]), event, "removal", "event.removed")

    def _forget(self) -> None:
        """Forget what was removed longer ago than facts may be late."""
        last_of_offer = {said.offer: said for said in self.said if said.offer is not None}
        for offer, said in last_of_offer.items():
            if said.kind == "offer.removed" and self._now_s - said.at_s > WINDOW_S:
                self.said = [other for other in self.said if other.offer != offer]
        for removal in [said for said in self.said if said.what == "removal"]:
            if removal.undone or self._now_s - removal.at_s <= WINDOW_S:
                continue
            if max(said.order for said in self.said if said.event == removal.event) > (self._now_s - WINDOW_S) * 1000:
                removal.at_s = self._now_s
            else:
                self.said = [said for said in self.said if said.event != removal.event]
                self.view.events.pop(removal.event, None)


def expected(records: Iterable[SourceRecord], copy_skew_ms: int = 0) -> Oracle:
    """Return the account of one task's records."""
    oracle = Oracle(copy_skew_ms)
    for record in records:
        oracle.read(record)
    return oracle
