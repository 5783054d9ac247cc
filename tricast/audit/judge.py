"""Account for every candidate of every frame of one raw partition."""

from dataclasses import dataclass

import msgspec

from tricast.audit import candidates, replays, snapshots, socketio
from tricast.audit.facts import DEAD_LETTER, Candidate
from tricast.audit.first_seen import FirstSeen, FirstSeenState, Source
from tricast.audit.frames import FrameNumbers, Lines
from tricast.audit.ledger import Ledger
from tricast.audit.records import ENDS, MOST_BYTES, REQUEST, WHOLE_RECORD, Output, Raw, digest_of
from tricast.audit.report import Report
from tricast.audit.shards import Shards

SAVED_OFFERS = 1_000_000
"""Bet offers whose event an audit that goes on later still knows, the last that were told of."""


@dataclass(slots=True)
class _State:
    from_start: bool
    stream_ns: int
    seen: FirstSeenState
    lines: Lines
    shards: dict[str, tuple[int, int]]
    event_of: list[tuple[str, str]]


_STATE = msgspec.msgpack.Decoder(_State)


class Judge:
    """Fed with the raw records of one partition in order, each with what the processors made of it."""

    def __init__(
        self,
        raw_topic: str,
        partition: int,
        report: Report,
        *,
        from_start: bool,
        ledger: Ledger | None,
        copy_skew_ms: int = 0,
    ) -> None:
        """Begin.

        Args:
            raw_topic: Physical name.
            partition: Raw partition.
            report: Where totals and findings go.
            from_start: Whether the partition's first record ever is among those that will be fed.
            ledger: Told of every record, too.
            copy_skew_ms: How far the ``t`` of copies may be apart.
        """
        self._prefix = f"{raw_topic}/{partition}"
        self._report = report
        self._seen = FirstSeen(copy_skew_ms)
        self._frames = FrameNumbers(report)
        self._from_start = from_start
        self._ledger = ledger
        self._stream_ns = 0
        self._shards = Shards()
        self._event_of: dict[str, str] = {}
        """Bet offer to event, learnt from every message and snapshot that names both."""

    def save(self) -> bytes:
        """Return all that was learnt, for an audit that goes on later."""
        offers = list(self._event_of.items())[-SAVED_OFFERS:]
        return msgspec.msgpack.encode(
            _State(
                self._from_start, self._stream_ns, self._seen.save(), self._frames.save(), self._shards.save(), offers
            )
        )

    def load(self, saved: bytes) -> None:
        """Go on from what another one had learnt."""
        state = _STATE.decode(saved)
        self._from_start, self._stream_ns = state.from_start, state.stream_ns
        self._seen.load(state.seen)
        self._frames.load(state.lines)
        self._shards.load(state.shards)
        self._event_of = dict(state.event_of)

    def warm_up(self, raw: Raw) -> None:
        """Learn from a record that is too old to be judged, so that its copies are known."""
        if not raw.is_sound or self._is_repeat(raw):
            return
        if raw.kind == "opened":
            self._shards.opened(raw)
        if raw.kind == "snapshot":
            self._event_of |= snapshots.ids(raw.value).event_of
        if raw.kind != "frame":
            return
        self._report.warm_up_frames += 1
        match socketio.read(raw.value):
            case socketio.Bulk(children):
                index = 0
                for child in children:
                    for candidate in self._candidates(child):
                        if not self._is_foreign(raw, candidate):
                            self._new_facts(raw, index, candidate)
                        index += 1

    def judge(self, raw: Raw, outputs: list[Output]) -> None:
        """Account for one record and its outputs."""
        report = self._report
        report.raw_records += 1
        if raw.kind == REQUEST:
            self._request(raw, outputs)
            return
        outputs = self._told_with(raw, outputs)
        if not raw.is_sound:
            self._unsound(raw, outputs)
            return
        repeat = self._is_repeat(raw)
        if raw.kind == "snapshot":
            self._snapshot(raw, outputs, repeat=repeat)
            return
        if raw.kind != "frame":
            report.control_records[raw.kind] += 1
            dead = [output for output in outputs if output.dead]
            for output in dead:
                report.dead_letters[output.kind] += 1
            if raw.kind == "opened" and not dead:
                self._shards.opened(raw)
            self._nothing_else([output for output in outputs if not output.dead], f"{raw.kind} record")
            return
        report.frames += 1
        if repeat:
            report.repeats += 1
            for output in outputs:
                report.find("duplicated", f"{output.place}: made from a repeat, {self._name(raw, output.index)}")
            return
        by_index = self._by_index(raw, outputs)
        whole = by_index.pop(WHOLE_RECORD, None)
        if whole is not None:
            report.dead_letters[whole.kind] += 1
            self._nothing_else(list(by_index.values()), "dead-lettered frame")
            return
        match socketio.read(raw.value):
            case socketio.Bulk(children):
                self._children(raw, children, by_index)
            case socketio.PassedOver():
                report.passed_over += 1
            case socketio.Unreadable(why):
                report.find("lost", f"{self._name(raw, WHOLE_RECORD)}: unreadable frame ({why}) without a dead letter")
        self._nothing_else(list(by_index.values()), "frame")

    def _told_with(self, raw: Raw, outputs: list[Output]) -> list[Output]:
        """Account for what is told with another record of ``raw``; return the rest of ``outputs``."""
        below = [output for output in outputs if output.below >= 0]
        if not below:
            return outputs
        rest = [output for output in outputs if output.below < 0]
        kinds = {output.index: output.kind for output in rest if not output.dead}
        seen: dict[tuple[int, int], Output] = {}
        for output in below:
            name = f"{self._name(raw, output.index)}/{output.below}"
            first = seen.setdefault((output.index, output.below), output)
            if first is not output:
                self._report.find("duplicated", f"{name} is there twice: {first.place} and {output.place}")
            elif output.kind not in ENDS.get(kinds.get(output.index, ""), ())[output.below : output.below + 1]:
                self._report.find("unexpected", f"{output.place}: nothing ended at {name}")
            else:
                self._report.normalized[output.kind] += 1
        return rest

    def _request(self, raw: Raw, outputs: list[Output]) -> None:
        """A request to process a frame, or a child of one, again; what came of it is known from then on."""
        name = self._name(raw, WHOLE_RECORD)
        records = replays.account(raw, outputs, name, self._report)
        if not outputs:
            self._report.find("lost", f"{name}: a request that nothing came of, not even a refusal")
        for output in records:
            self._report.normalized[output.kind] += 1
        came = {output.replayed for output in records}
        is_child = "/" in raw.asked
        said = socketio.read(b'2["message",[%b]]' % raw.value if is_child else raw.value)
        index = 0
        for child in said.children if isinstance(said, socketio.Bulk) and came else ():
            for candidate in self._candidates(child):
                place = f"{raw.asked}/{index}" if index or not is_child else raw.asked
                if place in came:
                    self._new_facts(raw, index, candidate)
                index += 1

    def _unsound(self, raw: Raw, outputs: list[Output]) -> None:
        """A record without proper headers is one dead letter, or none if it repeats a number of its connection."""
        report = self._report
        self._stream_ns = max(self._stream_ns, raw.received_ns)
        is_numbered = raw.connection and raw.frame >= 0 and max(len(raw.connection), len(raw.line)) <= MOST_BYTES
        repeat = is_numbered and self._frames.is_repeat(raw)
        by_index = self._by_index(raw, outputs)
        whole = by_index.pop(WHOLE_RECORD, None)
        if whole is not None and whole.dead:
            report.dead_letters[whole.kind] += 1
        elif not repeat:
            report.find("lost", f"{self._name(raw, WHOLE_RECORD)}: no proper headers, and no dead letter")
        self._nothing_else(list(by_index.values()), "record without proper headers")

    def _snapshot(self, raw: Raw, outputs: list[Output], *, repeat: bool) -> None:
        """Check what a snapshot brought: each record says so, and says nothing that is not in the answer.

        Which differences it had to bring depends on all that was known before; that is not proven here.
        """
        report = self._report
        report.control_records["snapshot"] += 1
        said = snapshots.ids(raw.value)
        self._event_of |= said.event_of
        for index, output in self._by_index(raw, outputs).items():
            if output.dead:
                report.dead_letters[output.kind] += 1
            elif repeat:
                report.find("duplicated", f"{output.place}: made from a repeat, {self._name(raw, index)}")
            elif not output.snapshot:
                report.find("unexpected", f"{output.place}: {self._name(raw, index)} is a snapshot, the record is not")
            elif unsaid := snapshots.unsaid(output, said):
                report.find("unexpected", f"{output.place}: {unsaid} is not in {self._name(raw, index)}")
            else:
                report.normalized[output.kind] += 1
                report.from_snapshots += 1

    def beyond(self, output: Output) -> None:
        """Name an output whose raw record does not exist."""
        self._report.find(
            "unexpected", f"{output.place}: its source {self._prefix}/{output.source_offset} is not there"
        )

    def finish(self) -> None:
        """Nothing is left open: each record is judged with its own outputs."""

    def _is_repeat(self, raw: Raw) -> bool:
        self._stream_ns = max(self._stream_ns, raw.received_ns)
        if not self._from_start:
            self._frames.begins_at(raw)
        repeat = self._frames.is_repeat(raw)
        if raw.kind == "tick" and not self._from_start:
            self._shards.ticked(raw)
        if self._ledger is not None:
            self._ledger.observe(raw, repeat=repeat, report=self._report)
        return repeat

    def _candidates(self, child: object) -> list[Candidate]:
        wanted = candidates.of_child(child, self._event_of.get)
        for candidate in wanted:
            if candidate.event and candidate.offer:
                self._event_of[candidate.offer] = candidate.event
        return wanted

    def _is_foreign(self, raw: Raw, candidate: Candidate) -> bool:
        """Return whether another shard has to account for this one: each has exactly one claimant."""
        return self._shards.is_foreign(raw.line, candidate.event or candidate.offer)

    def _children(self, raw: Raw, children: list[object], by_index: dict[int, Output]) -> None:
        index = 0
        for child in children:
            wanted = self._candidates(child)
            output = by_index.get(index)
            if len(wanted) > 1 and output is not None and output.dead and output.digest == digest_of(child):
                wanted = [Candidate(DEAD_LETTER, [])]  # the child as a whole could not be read, so it is one candidate
            for candidate in wanted:
                self._candidate(raw, index, candidate, by_index.pop(index, None))
                index += 1

    def _candidate(self, raw: Raw, index: int, candidate: Candidate, output: Output | None) -> None:
        report = self._report
        report.candidates += 1
        name = self._name(raw, index)
        if output is None and self._is_foreign(raw, candidate):
            report.foreign += 1
        elif output is not None and not output.dead and candidate.event and self._is_foreign(raw, candidate):
            report.find("unexpected", f"{output.place}: {name} is about event {candidate.event} of another shard")
        elif output is not None and output.dead:
            report.dead_letters[output.kind] += 1
        elif output is not None and output.snapshot:
            report.find("unexpected", f"{output.place}: {name} is a message, the record says it is from a snapshot")
        elif candidate.kind == DEAD_LETTER:
            if output is None:
                report.find("lost", f"{name}: unreadable child without a dead letter")
            else:
                report.find("unexpected", f"{output.place}: {output.kind} from {name}, which states nothing known")
        else:
            self._facts(raw, index, candidate, output)

    def _facts(self, raw: Raw, index: int, candidate: Candidate, output: Output | None) -> None:
        report = self._report
        name = self._name(raw, index)
        new, known, near = self._new_facts(raw, index, candidate)
        if output is None:
            new = [entity for entity in new if entity not in near]
            if new:
                about = f" ({len(new)} of {len(new) + len(known)} facts new)" if known else ""
                report.find("lost", f"{name}: {candidate.kind} has no record and is no duplicate{about}")
            else:
                report.duplicates += 1
            return
        if output.kind != candidate.kind:
            report.find("unexpected", f"{output.place}: {output.kind} where {name} calls for {candidate.kind}")
            return
        report.normalized[output.kind] += 1
        if not new:
            first = self._source(next(iter(known.values())))
            report.find("duplicated", f"{output.place}: {name} states again what {first} stated")
        elif candidate.by_outcome:
            there = set(output.outcomes)
            self._outcomes(name, output, [outcome for outcome in new if outcome in there or outcome not in near], known)

    def _outcomes(self, name: str, output: Output, new: list[str], known: dict[str, Source]) -> None:
        """A record carries exactly the outcomes that are new: fewer are lost, more are duplicated."""
        there, wanted = set(output.outcomes), set(new)
        for outcome in sorted(wanted - there):
            self._report.find("lost", f"{name}: outcome {outcome} is not in its record {output.place}")
        for outcome in sorted(there - wanted):
            if outcome in known:
                first = self._source(known[outcome])
                self._report.find("duplicated", f"{output.place}: {name} states outcome {outcome} again after {first}")
            else:
                self._report.find("unexpected", f"{output.place}: outcome {outcome} is not in {name}")

    def _new_facts(self, raw: Raw, index: int, candidate: Candidate) -> tuple[list[str], dict[str, Source], set[str]]:
        """Return the entities of the new facts, of the known ones with who stated them first, and of the new ones those
        that may be copies whose ``t`` differs."""
        new: list[str] = []
        known: dict[str, Source] = {}
        near: set[str] = set()
        source = (raw.offset, index)
        for fact in candidate.facts:
            first = self._seen.observe(raw.line, fact, source, self._stream_ns)
            if first is not None:
                known[fact.entity] = first
                continue
            new.append(fact.entity)
            if self._seen.has_near_copy(raw.line, fact):
                near.add(fact.entity)
        return new, known, near

    def _by_index(self, raw: Raw, outputs: list[Output]) -> dict[int, Output]:
        by_index: dict[int, Output] = {}
        for output in outputs:
            first = by_index.setdefault(output.index, output)
            if first is not output:
                name = self._name(raw, output.index)
                self._report.find("duplicated", f"{name} is there twice: {first.place} and {output.place}")
        return by_index

    def _nothing_else(self, outputs: list[Output], of: str) -> None:
        for output in outputs:
            source = (output.source_offset, output.index)
            self._report.find("unexpected", f"{output.place}: {output.kind} from {self._source(source)}, a {of}")

    def _name(self, raw: Raw, index: int) -> str:
        return self._source((raw.offset, index))

    def _source(self, source: Source) -> str:
        offset, index = source
        return f"{self._prefix}/{offset}" if index == WHOLE_RECORD else f"{self._prefix}/{offset}/{index}"
