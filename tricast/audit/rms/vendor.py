"""Take in what the vendor said: each raw record, and what was made of it."""

import msgspec

from schemas.record import KafkaRecord
from tricast.audit.frames import FrameNumbers
from tricast.audit.ledger import Ledger
from tricast.audit.records import REQUEST, Raw, to_raw
from tricast.audit.report import Report
from tricast.audit.rms.cabinet import Letter, name_of
from tricast.audit.rms.common import RAW, Desk, take_request
from tricast.audit.rms.coverage import Coverage
from tricast.audit.rms.facts import Word
from tricast.audit.rms.hops import ApprovalsHop, Heard
from tricast.audit.rms.packets import Approvals, Unreadable, read_look_up
from tricast.audit.rms.packets import read as read_packet
from tricast.audit.rms.values import customer as customer_id


class Vendor:
    """Fed with the records of ``rms.raw``, after ``rms.pending``.

    Attributes:
        coverage: When somebody listened, by customer.
    """

    def __init__(self, desk: Desk, ledger: Ledger | None) -> None:
        self._desk = desk
        self._ledger = ledger
        self._hop = ApprovalsHop(desk.prefix, desk.report, Heard(desk.windows.remember_ns))
        self._frames: dict[int, FrameNumbers] = {}
        self.coverage: dict[str, Coverage] = {}

    def take_raw(self, record: KafkaRecord, *, is_settled: bool = True, from_start: bool = True) -> None:
        """Take a raw record in, and judge what was made of it."""
        raw = to_raw(record)
        report = self._desk.report if raw.received_ns >= self._desk.horizon_ns or not raw.is_sound else self._desk.quiet
        letters = self._desk.cabinet.take_letters(RAW, raw.partition, raw.offset, raw.value)
        made = self._desk.cabinet.take_approvals(raw.partition, raw.offset)
        report.raw_records += 1
        name = f"{self._desk.prefix}{RAW}/{raw.partition}/{raw.offset}"
        for letter in letters:
            if not letter.is_same:
                report.find("false", f"{letter.place}: other bytes than {name}")
        if raw.kind == REQUEST:
            passed = len(self._desk.cabinet.passages(f"replay {name}"))
            codes = [letter.code for letter in letters]
            take_request(self._desk, name, codes, passed, len(made), is_settled=is_settled)
            return
        if not raw.is_sound or customer_id(raw.key) is None:
            if not letters and is_settled:
                report.find("lost", f"{name}: no proper headers or key, and no dead letter")
            self._nothing_of(made, name, report)
            return
        frames = self._frames.setdefault(raw.partition, FrameNumbers(self._desk.report))
        if not from_start:
            frames.begins_at(raw)
        holes = self._desk.report.findings["hole"] + self._desk.report.overflowed
        repeat = frames.is_repeat(raw)
        hole = self._desk.report.findings["hole"] + self._desk.report.overflowed > holes
        if self._ledger is not None:
            self._ledger.observe(raw, repeat=repeat, report=self._desk.report)
        is_look_ups = raw.line.startswith(f"rms-{raw.key}-lookups")
        if repeat:
            report.repeats += 1
            self._nothing_of(made, f"the repeat {name}", report)
            return
        self._hop.report = report if is_settled else self._desk.quiet
        joins = leaves = False
        if raw.kind == "frame":
            report.frames += 1
            joins, leaves = self._frame(raw, made, bool(letters), letters, name, is_settled=is_settled)
        elif raw.kind == "snapshot":
            report.from_snapshots += 1
            self._snapshot(raw, dict(record.headers), letters, name, is_settled=is_settled)
            self._nothing_of(made, name, report)
        else:
            report.control_records[raw.kind] += 1
            self._nothing_of(made, name, report)
        if not is_look_ups:
            coverage = self.coverage.setdefault(raw.key, Coverage())
            coverage.observe(raw, joins=joins, leaves=leaves, hole=hole, is_settled=is_settled)

    def _frame(
        self,
        raw: Raw,
        made: list[tuple[str, bytes, bytes]],
        is_dead: bool,
        letters: list[Letter],
        name: str,
        *,
        is_settled: bool,
    ) -> tuple[bool, bool]:
        """Return whether the frame tells of joining, and of leaving."""
        report = self._hop.report
        if raw.after_ns == -1:
            if not is_dead:
                report.find("lost", f"{name}: a tc-after-ns that cannot be read, and no dead letter")
            self._nothing_of(made, name, report)
            return False, False
        match read_packet(raw.value, of=raw.key, received_ns=raw.received_ns):
            case Approvals(parts):
                for word in self._hop.judge(raw, parts, made, letters):
                    self._word(raw.key, word, name, is_settled=is_settled)
                return True, False
            case Unreadable(why):
                report.candidates += 1
                if not is_dead:
                    report.find("lost", f"{name}: {why}, and no dead letter")
                self._nothing_of(made, name, report)
                return False, False
            case passed_over:
                report.passed_over += 1
                self._nothing_of(made, name, report)
                return passed_over.is_join, passed_over.is_leave

    def _snapshot(
        self, raw: Raw, headers: dict[str, bytes], letters: list[Letter], name: str, *, is_settled: bool
    ) -> None:
        report = self._hop.report
        status, requested = ((headers.get(name) or b"").decode() for name in ("tc-status", "tc-requested-ns"))
        asked = (headers.get("tc-position") or b"").decode(errors="replace")
        answer = read_look_up(asked, int(status) if status.isdecimal() else 0, raw.value)
        report.candidates += 1
        if (answer is None or answer.is_rubbish) and not letters:
            report.find("lost", f"{name}: a look-up that cannot be used, and no dead letter")
        if answer is None:
            return
        word = Word(
            place=(raw.partition, raw.offset, 0),
            is_look_up=True,
            said=None if letters else answer.said,
            status=answer.status if not answer.is_rubbish and not letters else 0,
            slip=answer.slip,
            code=answer.code,
            received_ns=raw.received_ns,
            requested_ns=int(requested) if requested.isdecimal() else None,
            is_settled=is_settled,
        )
        if letters:
            self._desk.cabinet.put(raw.key, word.slip, word.code, word)
        else:
            self._word(raw.key, word, name, is_settled=is_settled)

    def _word(self, customer: str, word: Word, name: str, *, is_settled: bool) -> None:
        """Keep a word, and see that it went to the join, once."""
        passed = self._desk.cabinet.passages(f"evident {name_of(word.place)}")
        report = self._hop.report
        if len(passed) > 1:
            report.find("duplicated", f"{name}: went to the join {len(passed)} times")
        if not passed and is_settled and self._desk.has_all_pending:
            report.find("lost", f"{name}: never went to the join")
        if name_of(word.place) not in self._desk.dropped:
            known = self.coverage.get(customer, Coverage())
            when = {"proven_ns": known.proven_ns, "told_ns": known.newest_ns}
            word = msgspec.structs.replace(word, is_settled=is_settled, **when)
            self._desk.cabinet.put(customer, word.slip, word.code, word)

    def _nothing_of(self, made: list[tuple[str, bytes, bytes]], name: str, report: Report) -> None:
        for place, _, _ in made:
            report.find("unexpected", f"{place}: {name} does not say so")
