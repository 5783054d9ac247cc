"""Account for every numbered packet of one raw partition of FastPath, and for every number."""

import json
from dataclasses import dataclass
from typing import Any

import msgspec

from schemas.fastpath.feed import feed_of
from tricast.audit import replays
from tricast.audit.fastpath.accounts import Account
from tricast.audit.fastpath.packets import Numbered, Packet, PassedOver, Unnumbered, Unreadable, read
from tricast.audit.frames import FrameNumbers, Lines
from tricast.audit.ledger import Ledger
from tricast.audit.records import MOST_BYTES, REQUEST, Output, Raw
from tricast.audit.report import Report

RECORDS = frozenset(
    {"tricast.fastpath.action.v1", "tricast.fastpath.event-element.v1", "tricast.fastpath.statistics.v1"}
)
_STATISTICS = "tricast.fastpath.statistics.v1"
FINDING = "tricast.fastpath.sequence.finding.v1"
_EXPLAINED = frozenset({"duplicate", "conflict"})


@dataclass(frozen=True, slots=True)
class _Unresolved:
    """A packet that nothing was made of, so far."""

    name: str
    received_ns: int


SAVED_NS = 72 * 3600 * 10**9
"""An account that nothing was told of for longer is closed when an audit ends that another goes on from: the processor
forgets it after half of that."""


@dataclass(slots=True)
class _State:
    from_start: bool
    stream_ns: int
    lines: Lines
    accounts: list[tuple[tuple[str, str, str], Account]]
    unresolved: list[_Unresolved]


_STATE = msgspec.msgpack.Decoder(_State)


class Judge:
    """Fed with the raw records of one partition in order, each with what the processors made of it.

    Args:
        raw_topic: Physical name.
        partition: Raw partition.
        report: Where totals and findings go.
        from_start: Whether the partition's first record ever is among those that will be fed.
        ledger: Told of every record, too.
        hold_ms: How long the processor may hold a packet back, as it is told.
    """

    def __init__(
        self,
        raw_topic: str,
        partition: int,
        report: Report,
        *,
        from_start: bool,
        ledger: Ledger | None,
        hold_ms: int,
    ) -> None:
        self._prefix = f"{raw_topic}/{partition}"
        self._report = report
        self._frames = FrameNumbers(report)
        self._from_start = from_start
        self._ledger = ledger
        self._hold_ns = hold_ms * 1_000_000
        self._stream_ns = 0
        self._accounts: dict[tuple[str, str, str], Account] = {}
        self._unresolved: list[_Unresolved] = []

    def save(self) -> bytes:
        """Return all that was learnt, for an audit that goes on later; close the accounts that are over."""
        self._close()
        accounts = list(self._accounts.items())
        return msgspec.msgpack.encode(
            _State(self._from_start, self._stream_ns, self._frames.save(), accounts, self._unresolved)
        )

    def load(self, saved: bytes) -> None:
        """Go on from what another one had learnt."""
        state = _STATE.decode(saved)
        self._from_start, self._stream_ns = state.from_start, state.stream_ns
        self._frames.load(state.lines)
        self._accounts = dict(state.accounts)
        self._unresolved = state.unresolved

    def warm_up(self, raw: Raw) -> None:
        """Learn from a record that is too old to be judged, so that its copies are known."""
        if not raw.is_sound or self._is_repeat(raw) or raw.kind != "frame":
            return
        self._report.warm_up_frames += 1
        packet = _read(raw)
        if isinstance(packet, Numbered):
            self._account(raw, packet).tell(packet)

    def judge(self, raw: Raw, outputs: list[Output]) -> None:
        """Account for one record and its outputs."""
        report = self._report
        report.raw_records += 1
        if raw.kind == REQUEST:
            self._request(raw, outputs)
            return
        dead = [output for output in outputs if output.dead]
        for output in dead:
            report.dead_letters[output.kind] += 1
        findings = [output for output in outputs if output.kind == FINDING and not output.dead]
        for output in findings:
            self._finding(output)
        records = [output for output in outputs if output.kind in RECORDS and not output.dead]
        if not raw.is_sound:
            self._unsound(raw, records, is_dead=bool(dead))
            return
        repeat = self._is_repeat(raw)
        if raw.kind != "frame":
            report.control_records[raw.kind] += 1
            self._nothing_of(records, f"a {raw.kind} record")
            return
        report.frames += 1
        if repeat:
            report.repeats += 1
            for output in records:
                report.find("duplicated", f"{output.place}: made from a repeat, {self._name(raw)}")
            return
        match _read(raw):
            case Numbered() as packet:
                self._numbered(raw, packet, records, findings, is_dead=bool(dead))
            case Unnumbered():
                self._unnumbered(raw, records, is_dead=bool(dead))
            case PassedOver():
                report.passed_over += 1
                self._nothing_of(records, "a frame without number")
            case Unreadable(why):
                report.candidates += 1
                self._nothing_of(records, "an unreadable frame")
                if not dead:
                    report.find("lost", f"{self._name(raw)}: {why}, and no dead letter")

    def beyond(self, output: Output) -> None:
        """Name an output whose raw record does not exist."""
        self._report.find(
            "unexpected", f"{output.place}: its source {self._prefix}/{output.source_offset} is not there"
        )

    def finish(self) -> None:
        """Account for what only the end can tell: held packets, and numbers that nobody got."""
        for unresolved in self._unresolved:
            # What waits behind a gap comes out at the latest with the first record after the hold-back.
            if unresolved.received_ns + self._hold_ns >= self._stream_ns:
                self._report.held += 1
            else:
                self._report.find("lost", f"{unresolved.name} has no record and is no duplicate")
        for account in self._accounts.values():
            account.finish(self._report)

    # -- private -----------------------------------------------------------------------------------------------------

    def _request(self, raw: Raw, outputs: list[Output]) -> None:
        """A request to process a packet again; what came of it is known from then on."""
        for output in replays.account(raw, outputs, self._name(raw), self._report):
            packet = _read(raw)
            if output.kind == FINDING:
                self._finding(output)
            elif isinstance(packet, Numbered):
                self._record(raw, packet, output)
            else:
                self._report.normalized[output.kind] += 1
        if not outputs:  # it waits behind a gap, as any packet may
            self._unresolved.append(_Unresolved(self._name(raw), self._stream_ns))

    def _numbered(
        self, raw: Raw, packet: Numbered, records: list[Output], findings: list[Output], *, is_dead: bool
    ) -> None:
        report = self._report
        report.candidates += 1
        self._once(raw, records)
        if records:
            self._record(raw, packet, records[0])
            return
        if is_dead:
            return  # told, with its bytes
        told = not self._from_start or self._account(raw, packet).was_told(packet)
        if told or any(_said(output).get("finding") in _EXPLAINED for output in findings):
            report.duplicates += 1
        else:
            self._unresolved.append(_Unresolved(self._name(raw), raw.received_ns))

    def _unnumbered(self, raw: Raw, records: list[Output], *, is_dead: bool) -> None:
        self._report.candidates += 1
        self._once(raw, records)
        if records:
            self._report.normalized[records[0].kind] += 1
        elif not is_dead:
            self._report.find("lost", f"{self._name(raw)} has no record, although it has no number to be a copy by")

    def _once(self, raw: Raw, records: list[Output]) -> None:
        for output in records[1:]:
            self._report.find("duplicated", f"{self._name(raw)} is there twice: {records[0].place} and {output.place}")

    def _record(self, raw: Raw, packet: Numbered, output: Output) -> None:
        report, said = self._report, _said(output)
        name = self._name(raw)
        if said.get("vendor_sequence") != packet.number:
            report.find("unexpected", f"{output.place}: number {said.get('vendor_sequence')}, {name} {packet.number}")
        fixture = str(said.get("fixture_id"))
        if packet.fixture.casefold() not in ("", fixture.casefold()):
            report.find("unexpected", f"{output.place}: fixture {said.get('fixture_id')}, {name} {packet.fixture}")
        report.normalized[output.kind] += 1
        told = self._account(raw, packet)
        other = told.tell(packet, raw.connection)
        if said.get("conflict"):
            return
        account = self._account_of(raw.key, fixture, "statistics" if output.kind == _STATISTICS else "actions")
        sequence = said.get("sequence")
        if other is not None and sequence not in account.sequences:
            report.find("duplicated", f"{output.place}: {name} says to the letter what connection {other} brought")
        if isinstance(sequence, int):
            account.number(sequence, output.place, report)
        else:
            report.find("unexpected", f"{output.place}: no sequence")

    def _finding(self, output: Output) -> None:
        said = _said(output)
        self._report.normalized[f"sequence.{said.get('finding')}"] += 1
        series = str(said.get("series", "actions"))
        account = self._account_of(str(said.get("feed")), str(said.get("fixture_id")), series)
        missing = [(int(first), int(last)) for first, last in said.get("missing") or []]
        account.found(str(said.get("finding")), missing, output.place)

    def _close(self) -> None:
        over = [key for key, account in self._accounts.items() if self._stream_ns - account.told_ns > SAVED_NS]
        for key in over:
            self._accounts.pop(key).finish(self._report)
        still = []
        for unresolved in self._unresolved:
            if unresolved.received_ns + SAVED_NS >= self._stream_ns:
                still.append(unresolved)
            else:
                self._report.find("lost", f"{unresolved.name} has no record and is no duplicate")
        self._unresolved = still

    def _account(self, raw: Raw, packet: Numbered) -> Account:
        """Return what is known of packets; numbers are counted apart, by series."""
        of_path = feed_of(raw.key).fixture
        is_other = packet.fixture and packet.fixture.casefold() != of_path.casefold()
        return self._account_of(raw.key, packet.fixture if is_other else of_path, "")

    def _account_of(self, feed: str, fixture: str, series: str) -> Account:
        account = self._accounts.setdefault((feed, fixture, series), Account(f"{feed} {fixture}"))
        account.told_ns = self._stream_ns
        return account

    def _unsound(self, raw: Raw, records: list[Output], *, is_dead: bool) -> None:
        self._stream_ns = max(self._stream_ns, raw.received_ns)
        is_numbered = raw.connection and raw.frame >= 0 and max(len(raw.connection), len(raw.line)) <= MOST_BYTES
        repeat = is_numbered and self._frames.is_repeat(raw)
        if not is_dead and not repeat:
            self._report.find("lost", f"{self._name(raw)}: no proper headers, and no dead letter")
        self._nothing_of(records, "a record without proper headers")

    def _is_repeat(self, raw: Raw) -> bool:
        self._stream_ns = max(self._stream_ns, raw.received_ns)
        if not self._from_start:
            self._frames.begins_at(raw)
        repeat = self._frames.is_repeat(raw)
        if self._ledger is not None:
            self._ledger.observe(raw, repeat=repeat, report=self._report)
        return repeat

    def _nothing_of(self, records: list[Output], of: str) -> None:
        for output in records:
            self._report.find("unexpected", f"{output.place}: {output.kind} from {of}")

    def _name(self, raw: Raw) -> str:
        return f"{self._prefix}/{raw.offset}"


def _read(raw: Raw) -> Packet:
    return read(raw.value, is_statistics=feed_of(raw.key).kind == "statistics")


def _said(output: Output) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(output.said or "{}")
    return said
