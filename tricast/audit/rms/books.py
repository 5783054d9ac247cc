"""Take in the records of all RMS topics, each hop judged on the way, and hand out one case a bet in the end."""

from collections.abc import Iterator
from typing import Final

import msgspec

from schemas.rms.decisions import Decision
from schemas.rms.fields import BETS, PENDING
from schemas.rms.pending import Alias, Evident, Time, decode
from schemas.rms.pending import Answered as AnsweredMessage
from schemas.rms.pending import Placed as PlacedMessage
from tricast.audit.frames import FrameNumbers
from tricast.audit.ledger import Ledger
from tricast.audit.records import KafkaRecord, Raw, to_raw
from tricast.audit.report import Report
from tricast.audit.rms.bets import Bet, Unusable, read_bet
from tricast.audit.rms.cabinet import Cabinet, Letter, name_of
from tricast.audit.rms.case import Case, Windows
from tricast.audit.rms.coverage import Coverage
from tricast.audit.rms.facts import Arrival, Told, Truth, Word
from tricast.audit.rms.hops import ApprovalsHop, Heard
from tricast.audit.rms.outcomes import position, read
from tricast.audit.rms.packets import Approvals, Unreadable, read_look_up
from tricast.audit.rms.packets import read as read_packet
from tricast.audit.rms.values import customer as customer_id

RAW: Final = "rms.raw"
_MS_NS: Final = 1_000_000
_BETS_MIS_SAID: Final = frozenset(
    {
        "rms.no-slip-id",
        "rms.bad-customer",
        "rms.bad-stake",
        "rms.unknown-disposition",
        "rms.future-time",
        "rms.bet-too-old",
        "rms.unknown-type",
        "rms.key-differs",
        "rms.bad-context",
        "rms.empty",
        "rms.not-an-object",
    }
)


class Books:
    """Fed topic after topic: dead letters, approvals, decisions, pending, raw, bets; each partition in its order.

    Args:
        cabinet: Where facts are kept.
        report: Where totals and findings go.
        prefix: Of the topics.
        windows: Settings of the join.
        ledger: Told of every raw record.
        horizon_ns: What came before is read, so that what follows is understood, and not judged.
        has_all_pending: Whether ``rms.pending`` still has its first record.
    """

    def __init__(
        self,
        cabinet: Cabinet,
        report: Report,
        *,
        prefix: str,
        windows: Windows,
        ledger: Ledger | None = None,
        horizon_ns: int = 0,
        has_all_pending: bool = True,
    ) -> None:
        self._cabinet = cabinet
        self._report = report
        self._prefix = prefix
        self._windows = windows
        self._ledger = ledger
        self.horizon_ns = horizon_ns
        self._has_all_pending = has_all_pending
        self._quiet = Report()
        self._hop = ApprovalsHop(prefix, report, Heard(windows.remember_ns))
        self._frames: dict[int, FrameNumbers] = {}
        self._now: dict[tuple[int, str], int] = {}
        self._dropped: set[str] = set()
        self.coverage: dict[str, Coverage] = {}

    # -- what came out -----------------------------------------------------------------------------------------------

    def take_letter(self, record: KafkaRecord) -> None:
        """Take a dead letter in."""
        headers = dict(record.headers)
        place = _place(record)
        source, code = ((headers.get(name) or b"").decode(errors="replace") for name in ("tc-source", "tc-code"))
        topic, *numbers = source.split("/")
        is_whole = len(numbers) in (2, 3) and all(number.isdecimal() for number in numbers)
        if not code or not is_whole or topic not in {self._prefix + name for name in (RAW, BETS, PENDING)}:
            self._report.find("unexpected", f"{place}: no source or no code: {source!r}, {code!r}")
            return
        self._report.dead_letters[code] += 1
        partition, offset, index = [*map(int, numbers), -1][:3]
        name = topic.removeprefix(self._prefix)
        self._cabinet.put_letter(name, (partition, offset, index), place, code, record.value or b"")

    def take_approval(self, record: KafkaRecord) -> None:
        """Take a record of ``rms.approvals`` in."""
        source = self._identity(record, RAW)
        if source is not None:
            self._cabinet.put_approval(source, _place(record), record.key or b"", record.value or b"")

    def take_decision(self, record: KafkaRecord) -> None:
        """Take a record of ``rms.decisions`` in."""
        kind = (dict(record.headers).get("ce_type") or b"").decode(errors="replace")
        source = self._identity(record, PENDING)
        if source is None:
            return
        value, place = record.value or b"", _place(record)
        outcome = read(kind, value)
        if outcome is None:
            self._report.find("unexpected", f"{place}: no {kind or 'record of a known type'}")
            return
        slip, code = (None if each is msgspec.UNSET else each for each in (outcome.bet_slip_id, outcome.bet_code))
        self._report.normalized[kind] += 1
        if isinstance(outcome, Decision):
            self._report.bets[outcome.outcome] += 1
        suffix = slip if slip is not None else f"code:{code}"
        if record.key != f"{outcome.customer}/{suffix}".encode():
            self._report.find("false", f"{place}: key {record.key!r} of {outcome.customer}/{suffix}")
        told = Told(position=place, source=f"{source[0]}/{source[1]}", kind=kind, value=value)
        self._cabinet.put(outcome.customer, slip, code, told)

    def _identity(self, record: KafkaRecord, source_topic: str) -> tuple[int, int] | None:
        """Return the source that a ``ce_id`` names; report one that is there twice, or names none."""
        identity = (dict(record.headers).get("ce_id") or b"").decode(errors="replace")
        source = position(identity, self._prefix + source_topic)
        if source is None or identity.count("/") != 3:
            self._report.find("unexpected", f"{_place(record)}: ce_id {identity!r} names no record of {source_topic}")
            return None
        before = self._cabinet.is_new(identity, _place(record))
        if before is not None:
            self._report.find("duplicated", f"{_place(record)}: {identity} is there already: {before}")
            return None
        return source

    # -- on the way --------------------------------------------------------------------------------------------------

    def take_pending(self, record: KafkaRecord) -> None:
        """Take a message to the join in: what went in there, and at which time of its customer."""
        value = record.value or b""
        letters = self._cabinet.take_letters(PENDING, record.partition, record.offset, value)
        try:
            message = decode(value)
        except msgspec.MsgspecError as error:
            if not letters:
                self._report.find("lost", f"{_place(record)}: no message, and no dead letter: {error}")
            return
        seen_ns = self._now.get((record.partition, message.customer))
        match message:
            case Time():
                key = (record.partition, message.customer)
                self._now[key] = max(self._now.get(key, 0), message.now_ns)
            case PlacedMessage() | AnsweredMessage():
                name = message.position
                what = f"{type(message).__name__.lower()} {message.customer}/{message.slip}"
                self._cabinet.put_passage(name, what, seen_ns)
                self._dropped |= {name} if letters else set()
            case Alias():
                what = f"alias {message.customer}/{message.code}/{message.slip}"
                self._cabinet.put_passage(f"alias {message.position}", what, seen_ns)
            case Evident() if message.slip is None or not message.ordinal:
                self._cabinet.put_passage(f"evident {name_of(message.raw)}", message.customer, seen_ns)
                self._dropped |= {name_of(message.raw)} if letters else set()
            case Evident():
                self._dropped |= {name_of(message.raw)} if letters else set()
            case _:
                pass

    # -- what went in ------------------------------------------------------------------------------------------------

    def take_raw(self, record: KafkaRecord, *, is_settled: bool = True, from_start: bool = True) -> None:
        """Take a raw record in, and judge what was made of it."""
        raw = to_raw(record)
        report = self._report if raw.received_ns >= self.horizon_ns or not raw.is_sound else self._quiet
        letters = self._cabinet.take_letters(RAW, raw.partition, raw.offset, raw.value)
        made = self._cabinet.take_approvals(raw.partition, raw.offset)
        report.raw_records += 1
        name = f"{self._prefix}{RAW}/{raw.partition}/{raw.offset}"
        for letter in letters:
            if not letter.is_same:
                report.find("false", f"{letter.place}: other bytes than {name}")
        if not raw.is_sound or customer_id(raw.key) is None:
            if not letters and is_settled:
                report.find("lost", f"{name}: no proper headers or key, and no dead letter")
            self._nothing_of(made, name, report)
            return
        frames = self._frames.setdefault(raw.partition, FrameNumbers(self._report))
        if not from_start:
            frames.begins_at(raw)
        holes = self._report.findings["hole"] + self._report.overflowed
        repeat = frames.is_repeat(raw)
        hole = self._report.findings["hole"] + self._report.overflowed > holes
        if self._ledger is not None:
            self._ledger.observe(raw, repeat=repeat, report=self._report)
        is_look_ups = raw.line.startswith(f"rms-{raw.key}-lookups")
        if repeat:
            report.repeats += 1
            self._nothing_of(made, f"the repeat {name}", report)
            return
        self._hop.report = report if is_settled else self._quiet
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
            self._cabinet.put(raw.key, word.slip, word.code, word)
        else:
            self._word(raw.key, word, name, is_settled=is_settled)

    def _word(self, customer: str, word: Word, name: str, *, is_settled: bool) -> None:
        """Keep a word, and see that it went to the join, once."""
        passed = self._cabinet.passages(f"evident {name_of(word.place)}")
        report = self._hop.report
        if len(passed) > 1:
            report.find("duplicated", f"{name}: went to the join {len(passed)} times")
        if not passed and is_settled and self._has_all_pending:
            report.find("lost", f"{name}: never went to the join")
        if name_of(word.place) not in self._dropped:
            self._cabinet.put(customer, word.slip, word.code, msgspec.structs.replace(word, is_settled=is_settled))

    def _nothing_of(self, made: list[tuple[str, bytes, bytes]], name: str, report: Report) -> None:
        for place, _, _ in made:
            report.find("unexpected", f"{place}: {name} does not say so")

    def take_bet(self, record: KafkaRecord, *, is_settled: bool = True) -> None:
        """Take a record of a bet platform in."""
        place = f"{self._prefix}{BETS}/{record.partition}/{record.offset}"
        value = record.value or b""
        logged_ns = record.timestamp * _MS_NS
        report = self._report if logged_ns >= self.horizon_ns else self._quiet
        letters = self._cabinet.take_letters(BETS, record.partition, record.offset, value)
        passed = self._cabinet.passages(place)
        bet = read_bet(
            value,
            record.key,
            place=(record.partition, record.offset),
            logged_ns=logged_ns,
            remember_ns=self._windows.remember_ns,
            is_settled=is_settled,
        )
        report.bets["records"] += 1
        for letter in letters:
            if not letter.is_same:
                report.find("false", f"{letter.place}: other bytes than {place}")
        if isinstance(bet, Unusable):
            if not letters and is_settled:
                report.find("lost", f"{place}: {bet.why}, and no dead letter")
            if passed:
                report.find("unexpected", f"{place}: {bet.why}, and it went to the join")
            return
        if letters:
            if letters[0].code in _BETS_MIS_SAID:
                report.find("false", f"{letters[0].place}: {letters[0].code}, but {place} is a bet")
            if passed:
                report.find("duplicated", f"{place}: dead-lettered, and it went to the join")
            return
        self._bet(bet, place, report)

    def _bet(self, bet: Bet, place: str, report: Report) -> None:
        fact = bet.fact
        what = f"{type(fact).__name__.lower()} {bet.customer}/{bet.slip}"
        passed = self._cabinet.passages(place)
        if len(passed) > 1:
            report.find("duplicated", f"{place}: went to the join {len(passed)} times")
        if not passed and fact.is_settled and self._has_all_pending:
            report.find("lost", f"{place}: {what} never went to the join")
        for passage in passed:
            if passage.what != what:
                report.find("false", f"{place}: {what} went to the join as {passage.what}")
        if place in self._dropped:
            return
        self._cabinet.put(bet.customer, bet.slip, None, fact)
        if passed:
            arrival = Arrival(partition=fact.partition, offset=fact.offset, seen_ns=passed[0].seen_ns)
            self._cabinet.put(bet.customer, bet.slip, None, arrival)
        code = getattr(fact, "code", None)
        if code is None:
            return
        self._cabinet.put_alias(bet.customer, code, bet.slip)
        aliases = self._cabinet.passages(f"alias {place}")
        if fact.is_settled and self._has_all_pending and len(aliases) != 1:
            report.find(
                "duplicated" if aliases else "lost", f"{place}: its bet code went to the join {len(aliases)} times"
            )
        if any(alias.what != f"alias {bet.customer}/{code}/{bet.slip}" for alias in aliases):
            report.find("false", f"{place}: its bet code went to the join as another")

    def put_truth(self, customer: str, slip: str, truth: Truth) -> None:
        """Take in what the simulator knows of a bet."""
        self._cabinet.put(customer, slip, None, truth)

    # -- in the end --------------------------------------------------------------------------------------------------

    def leftovers(self) -> None:
        """Report what came out of records that are not there."""
        for topic, partition, offset, place in self._cabinet.letters_left():
            self._report.find(
                "unexpected", f"{place}: its source {self._prefix}{topic}/{partition}/{offset} is not there"
            )
        for partition, offset, place in self._cabinet.approvals_left():
            self._report.find(
                "unexpected", f"{place}: its source {self._prefix}{RAW}/{partition}/{offset} is not there"
            )

    def cases(self) -> Iterator[Case]:
        """Yield one case a bet."""
        for customer, slip, facts in self._cabinet.bets():
            coverage = self.coverage.setdefault(customer, Coverage())
            case = Case(customer=customer, slip=slip, coverage=coverage, windows=self._windows)
            for fact in facts:
                case.add(fact)
            codes = {answered.code for answered in case.answered} | {word.code for word in case.words}
            case.contested = self._cabinet.contested(customer, {code for code in codes if code is not None})
            case.arrange()
            yield case


def _place(record: KafkaRecord) -> str:
    return f"{record.topic}/{record.partition}/{record.offset}"
