"""Judge each bet, and each gap that a line's health tells of."""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from schemas.rms.decisions import Conflict, Decision, Late, Orphan
from schemas.rms.health import LineHealth
from tricast.audit.report import Report
from tricast.audit.rms.case import Case
from tricast.audit.rms.coverage import Coverage
from tricast.audit.rms.facts import Told
from tricast.audit.rms.lives import interpretations
from tricast.audit.rms.outcomes import Outcome, read_told
from tricast.audit.rms.remarks import judge_completeness, judge_conflict, judge_late, judge_orphan, judge_parked
from tricast.audit.rms.truth import judge_truth
from tricast.audit.rms.verdict import judge_decision
from tricast.audit.rms.waiting import judge_waiting

_DECODER = msgspec.json.Decoder(LineHealth)


def judge_case(case: Case, report: Report, *, is_settled: bool) -> None:
    """Report whatever is wrong with what has a slip id, and count it.

    Args:
        case: The bet; several, one after the other, where that leaves less to report.
        report: Where findings go.
        is_settled: Whether the join has done all that it was to do: what is missing now is missing.
    """
    if case.replays:  # what was known when is nothing that its records alone tell then
        report.bets["with replays, outcome not judged"] += 1
        return
    best: Report | None = None
    for cases in interpretations(case):
        tried = Report()
        for each in cases:
            _judge(each, tried, is_settled=is_settled)
        if best is None or tried.findings.total() < best.findings.total():
            best = tried
        if not best.findings:
            break
    if best is not None:
        report.add(best)


def _judge(case: Case, report: Report, *, is_settled: bool) -> None:
    told = [(each, read_told(each)) for each in sorted(case.told, key=_where)]
    decided = [(each, outcome) for each, outcome in told if isinstance(outcome, Decision)]
    for each, _ in decided[1:]:
        first = decided[0][0].position
        report.find("duplicated", f"{each.position}: a second outcome of {case.name}; the first is {first}")
    decision = decided[0][1] if decided else None
    if decision is not None:
        judge_decision(case, decided[0][0], decision, report.find)
        judge_truth(case, decided[0][0].position, decision, report.find)
    elif is_settled and case.is_settled and case.records:
        report.bets[judge_waiting(case, report.find)] += 1
    _remarks(case, told, decision, report)
    if is_settled and case.is_settled:
        others = [outcome for _, outcome in told if isinstance(outcome, Late | Conflict)]
        if case.records:
            judge_completeness(case, decision, others, report.find)
        else:
            judge_parked(case, [outcome for _, outcome in told if isinstance(outcome, Orphan)], report.find)


def _remarks(case: Case, told: list[tuple[Told, Outcome]], decision: Decision | None, report: Report) -> None:
    seen: set[tuple[object, ...]] = set()
    for each, outcome in told:
        match outcome:
            case Late():
                judge_late(case, each.position, outcome, decision, report.find)
                key: tuple[object, ...] = ("late",)
            case Orphan():
                judge_orphan(case, each.position, outcome, report.find)
                key = ("orphan", outcome.raw, outcome.said)
            case Conflict():
                judge_conflict(case, each.position, outcome, report.find)
                key = ("conflict", outcome.why, outcome.raw)
            case _:
                continue
        report.bets[str(key[0])] += 1
        if key in seen:
            report.find("duplicated", f"{each.position}: {' '.join(map(str, key))} of {case.name} was told before")
        seen.add(key)


def _where(told: Told) -> tuple[str, int, int]:
    topic, partition, offset = told.position.rsplit("/", 2)
    return topic, int(partition), int(offset)


@dataclass(frozen=True, slots=True)
class HealthRecord:
    """A record of ``rms.health``."""

    place: str
    key: str
    value: bytes


def judge_gaps(
    records: Iterable[HealthRecord], coverage: dict[str, Coverage], report: Report, *, from_ns: int = 0
) -> None:
    """Report gaps that nobody told, and told ones that were none.

    Args:
        records: All health there is: gaps stay in the compacted topic.
        coverage: By customer.
        report: Where findings go.
        from_ns: Nothing before this was read; gaps that began there are not looked at.
    """
    told: dict[tuple[str, int], tuple[str, LineHealth]] = {}
    for record in records:
        try:
            health = _DECODER.decode(record.value)
        except msgspec.MsgspecError as error:
            report.find("unexpected", f"{record.place}: no health of a line: {error}")
            continue
        if record.key.partition("@rms")[0].partition("@")[0] != f"line/{health.line.partition('@')[0]}":
            report.find("false", f"{record.place}: key {record.key!r} of line {health.line}")
        if health.state == "gapped" and health.until_ns is not msgspec.UNSET and health.since_ns >= from_ns:
            told[health.line, health.until_ns] = (record.place, health)
    for customer in sorted(coverage):
        for gap in coverage[customer].line_gaps:
            found = told.pop((gap.line, gap.until_ns), None)
            span = f"{gap.line} heard nothing from {gap.from_ns} to {gap.until_ns}"
            if found is None:
                if gap.is_settled:
                    report.find("lost", f"{span}, and no health record says so")
                continue
            place, health = found
            if health.since_ns > gap.from_ns:
                report.find("false", f"{place}: {span}, not only since {health.since_ns}")
            elif gap.ours and not health.ours:
                report.find("false", f"{place}: {span}: what was lost then was lost by us")
    for place, health in told.values():
        report.find("unexpected", f"{place}: {health.line} was not gapped until {health.until_ns}")
