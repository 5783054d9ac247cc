"""Take in what bet platforms wrote: each record goes to the join once, or says why not."""

from typing import Final

from schemas.record import KafkaRecord
from schemas.rms.fields import BETS
from tricast.audit.records import REQUEST
from tricast.audit.report import Report
from tricast.audit.rms.bets import Bet, Unusable, read_bet
from tricast.audit.rms.common import Desk, take_request
from tricast.audit.rms.facts import Arrival

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


class Platform:
    """Fed with the records of ``rms.bets``, after ``rms.pending``."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def take_bet(self, record: KafkaRecord, *, is_settled: bool = True) -> None:
        """Take a record of a bet platform in."""
        place = f"{self._desk.prefix}{BETS}/{record.partition}/{record.offset}"
        value = record.value or b""
        logged_ns = record.timestamp * _MS_NS
        report = self._desk.report if logged_ns >= self._desk.horizon_ns else self._desk.quiet
        letters = self._desk.cabinet.take_letters(BETS, record.partition, record.offset, value)
        passed = self._desk.cabinet.passages(place)
        if dict(record.headers).get("tc-kind") == REQUEST.encode():
            take_request(self._desk, place, [letter.code for letter in letters], len(passed), 0, is_settled=is_settled)
            return
        bet = read_bet(
            value,
            record.key,
            place=(record.partition, record.offset),
            logged_ns=logged_ns,
            remember_ns=self._desk.windows.remember_ns,
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
        passed = self._desk.cabinet.passages(place)
        if len(passed) > 1:
            report.find("duplicated", f"{place}: went to the join {len(passed)} times")
        if not passed and fact.is_settled and self._desk.has_all_pending:
            report.find("lost", f"{place}: {what} never went to the join")
        for passage in passed:
            if passage.what != what:
                report.find("false", f"{place}: {what} went to the join as {passage.what}")
        if place in self._desk.dropped:
            return
        self._desk.cabinet.put(bet.customer, bet.slip, None, fact)
        if passed:
            arrival = Arrival(partition=fact.partition, offset=fact.offset, seen_ns=passed[0].seen_ns)
            self._desk.cabinet.put(bet.customer, bet.slip, None, arrival)
        code = getattr(fact, "code", None)
        if code is None:
            return
        self._desk.cabinet.put_alias(bet.customer, code, bet.slip)
        aliases = self._desk.cabinet.passages(f"alias {place}")
        if fact.is_settled and self._desk.has_all_pending and len(aliases) != 1:
            report.find(
                "duplicated" if aliases else "lost", f"{place}: its bet code went to the join {len(aliases)} times"
            )
        if any(alias.what != f"alias {bet.customer}/{code}/{bet.slip}" for alias in aliases):
            report.find("false", f"{place}: its bet code went to the join as another")
