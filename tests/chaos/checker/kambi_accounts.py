"""Raw against normalized, Kambi: each candidate of a frame is a record, a copy of an earlier fact, or a dead letter."""

import json
import re
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator

from tests.chaos.checker.kambi_children import Candidate, Entry, Fact, candidates, children
from tests.chaos.checker.kambi_fields import differences
from tests.chaos.checker.record import WHOLE, Record
from tests.chaos.checker.verdict import Kind, Verdict

REMEMBERED_S = 120
"""A fact is remembered so long, of stream time, from the first of its entry (docs/architecture.md, "Identity")."""
TOPICS = frozenset({"kambi.events", "kambi.offers", "kambi.scores", "kambi.settlements"})
_BY_OUTCOME = frozenset({"odds.changed", "outcomes.added", "outcomes.removed", "outcomes.status-changed"})
_ENDS = frozenset({("offers.removed", "kambi.offers"), ("scores.removed", "kambi.scores")})
_GENERAL = "-general"
_TYPE = re.compile(r"tricast\.\w+\.(.+)\.v\d+")


class _Memory:
    """Which facts were said, how often by which line."""

    def __init__(self) -> None:
        self._entries: dict[Entry, tuple[int, dict[tuple[str, str], dict[str, int]]]] = {}
        self._order: deque[tuple[int, Entry]] = deque()

    def is_new(self, line: str, fact: Fact, now_s: int) -> bool:
        while self._order and now_s - self._order[0][0] > REMEMBERED_S:
            since_s, old = self._order.popleft()
            if self._entries.get(old, (None,))[0] == since_s:
                del self._entries[old]
        entry = self._entries.get(fact.entry)
        if entry is None:
            entry = self._entries[fact.entry] = (now_s, {})
            self._order.append((now_s, fact.entry))
        lines = entry[1].setdefault((fact.outcome, fact.value), {})
        nth = lines.get(line, 0) + 1
        is_new = nth > max(lines.values(), default=0)
        lines[line] = nth
        return is_new


class Accounts:
    """Of one raw partition; fed in order with each raw record and what says that it comes from it."""

    def __init__(self, partition: int, verdict: Verdict) -> None:
        self.mentioned: set[int] = set()
        """Events that a message names."""
        self._partition = partition
        self._verdict = verdict
        self._memory = _Memory()
        self._event_of: dict[str, str] = {}
        self._shards = 1
        self._shard_of_line: dict[str, tuple[int, int]] = {}
        self._last: defaultdict[str, int] = defaultdict(int)
        self._now_ns = 0

    def take(self, raw: Record, made: Iterable[Record]) -> None:
        """Account for one raw record."""
        self._now_ns = max(self._now_ns, raw.received_ns)
        kind, connection = raw.header("tc-kind"), raw.header("tc-connection")
        records: dict[int, Record] = {}
        dead: dict[int, Record] = {}
        ends: defaultdict[int, list[Record]] = defaultdict(list)
        for output in made:
            origin = output.origin
            if origin is None or "ce_replayed" in output.headers:
                continue
            if output.topic == "kambi.dead-letters":
                dead[origin.part] = output
                self._verdict.count(f"kambi: dead letters {output.header('tc-code')}")
            elif (kind_of(output), output.topic) in _ENDS:
                ends[origin.part].append(output)
            elif output.topic in TOPICS:
                if origin.part in records:
                    self._find("duplicated", raw, origin.part, f"is {records[origin.part].place} and {output.place}")
                records[origin.part] = output
        self._ends(raw, records, ends)
        if kind in {"frame", "snapshot"}:
            if raw.number <= self._last[connection]:
                for index, output in records.items():
                    self._find("duplicated", raw, index, f"is a repeat in raw, and made {output.place}")
                return
            self._last[connection] = raw.number
        if kind == "frame":
            self._frame(raw, records, dead)
        elif kind == "snapshot":
            for index, output in records.items():
                if json.loads(output.value or b"{}").get("source") != "snapshot":
                    self._find("not-normalized", raw, index, f"is a snapshot, {output.place} says it is none")
            self._verdict.count("kambi: records of snapshots", len(records))
        else:
            self._control(raw, kind)
            for index, output in records.items():
                self._find("not-normalized", raw, index, f"is a {kind}, and made {output.place}")

    def _ends(self, raw: Record, records: dict[int, Record], ends: dict[int, list[Record]]) -> None:
        """The end of an event is told to who reads its offers or scores alone, too: once each, if it is current."""
        for index in sorted(records.keys() | ends.keys()):
            record, told = records.get(index), sorted(kind_of(end) for end in ends.get(index, ()))
            is_end = record is not None and kind_of(record) == "event.removed"
            is_end = is_end and record is not None and not json.loads(record.value or b"{}").get("late")
            wanted = sorted(kind for kind, _ in _ENDS) if is_end else []
            if told != wanted:
                self._find("not-normalized", raw, index, f"calls for {wanted or 'no end'}, and {told} is told with it")

    def _control(self, raw: Record, kind: str) -> None:
        if kind == "opened":
            told = json.loads(raw.value or b"{}")
            if told.get("shards"):
                shard = told.get("shard")
                shard = self._partition if shard is None else shard
                self._shard_of_line[raw.header("tc-line")] = (shard, told["shards"])

    def _frame(self, raw: Record, records: dict[int, Record], dead: dict[int, Record]) -> None:
        if WHOLE in dead:
            for index, output in records.items():
                self._find("not-normalized", raw, index, f"is a dead letter, and made {output.place}")
            return
        bulk = children(raw.value or b"")
        index = 0
        if isinstance(bulk, str):
            self._verdict.count(f"kambi: frames passed over, {bulk}")
            if bulk == "unreadable":
                self._find("not-normalized", raw, WHOLE, "cannot be read, and is no dead letter")
        else:
            for child in bulk:
                found = candidates(child, self._event_of)
                if len(found) > 1 and index in dead and index not in records:
                    found = found[:1]  # the child as a whole could not be read
                for candidate in found:
                    self._candidate(raw, index, candidate, records.pop(index, None), dead.pop(index, None))
                    index += 1
        for left, output in sorted((records | dead).items()):
            self._find("not-normalized", raw, left, f"calls for nothing, and made {output.place}")

    def _candidate(
        self, raw: Record, index: int, candidate: Candidate, record: Record | None, dead: Record | None
    ) -> None:
        self._verdict.count("kambi: candidates")
        line = raw.header("tc-line")
        shard, shards = self._shard_of_line.get(line, (0, 1))
        whose = candidate.event or candidate.offer
        is_foreign = _GENERAL in line and whose != "" and int(whose) % shards != shard
        if candidate.event and not is_foreign:
            self.mentioned.add(int(candidate.event))
        if dead is not None:
            if record is not None:
                self._find("duplicated", raw, index, f"is a dead letter {dead.place} and {record.place}")
            return
        if is_foreign and candidate.kind not in {None, "outcome.settled"}:
            if record is not None:
                self._find("not-normalized", raw, index, f"is another shard's, and made {record.place}")
            self._verdict.count("kambi: candidates of other shards")
            return
        if candidate.kind is None:
            if record is None:
                self._find("not-normalized", raw, index, "cannot be read, and is no dead letter")
            return
        now_s = self._now_ns // 1_000_000_000
        new = [fact for fact in candidate.facts if self._memory.is_new(line, fact, now_s)]
        if record is None:
            if new:
                self._find(
                    "not-normalized", raw, index, f"{candidate.kind} has no record, and {len(new)} facts are new"
                )
            else:
                self._verdict.count("kambi: copies of earlier facts")
            return
        self._verdict.count("kambi: records of frames")
        if kind_of(record) != candidate.kind:
            self._find("not-normalized", raw, index, f"calls for {candidate.kind}: {record.place} is {kind_of(record)}")
        elif not new:
            self._find("duplicated", raw, index, f"says nothing new, and made {record.place}")
        elif candidate.kind in _BY_OUTCOME:
            said = {str(outcome["id"]) for outcome in json.loads(record.value or b"{}").get("outcomes", ())}
            wanted = {fact.outcome for fact in new}
            if said - wanted:
                self._find("duplicated", raw, index, f"{record.place} says outcomes {sorted(said - wanted)} again")
            if wanted - said:
                self._find("not-normalized", raw, index, f"{record.place} lacks outcomes {sorted(wanted - said)}")
        if kind_of(record) == candidate.kind:
            for text in differences(candidate, json.loads(record.value or b"{}")):
                self._find("not-normalized", raw, index, f"{record.place}: {text}")

    def _find(self, kind: Kind, raw: Record, index: int, text: str) -> None:
        self._verdict.find(kind, f"{raw.place}{'' if index == WHOLE else f'/{index}'} ({raw.header('tc-line')}) {text}")


def kind_of(record: Record) -> str:
    """Return the type without feed and version."""
    found = _TYPE.fullmatch(record.header("ce_type"))
    return found[1] if found else ""


def side_by_side(raw: Iterable[Record], made: Iterable[Record]) -> Iterator[tuple[Record, list[Record]]]:
    """Yield each raw record with what was made of it; both in the order of raw positions."""
    waiting = iter(made)
    following = next(waiting, None)
    for record in raw:
        mine = []
        while following is not None and following.origin is not None and following.origin.offset <= record.offset:
            mine.append(following)
            following = next(waiting, None)
        yield record, mine
