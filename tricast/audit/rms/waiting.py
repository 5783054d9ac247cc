"""Judge a bet without an outcome: whether it may wait any longer."""

from typing import Literal

from tricast.audit.rms.case import MARGIN_NS, Case
from tricast.audit.rms.verdict import Find, in_time

State = Literal["waiting", "in doubt", "not referred", "undecided"]


def judge_waiting(case: Case, find: Find) -> State:
    """Return what a bet without an outcome is doing; report it when it has waited too long."""
    deadline_ns, start_ns = max(case.starts.items())
    text = _overdue(case, deadline_ns, start_ns)
    if text is not None:
        find("undecided", f"{case.name}: {text}")
        return "undecided"
    answer = case.answer
    if answer is not None and answer.disposition in ("accepted", "rejected"):
        return "not referred"
    return "waiting" if case.coverage.now_ns <= deadline_ns else "in doubt"


def _overdue(case: Case, deadline_ns: int, start_ns: int) -> str | None:
    now_ns, answer = case.coverage.now_ns, case.answer
    patience_ns = case.patience_ns(deadline_ns, start_ns)
    for word in in_time(case, deadline_ns):
        is_ordered = now_ns > patience_ns + case.windows.remember_ns // 2 + MARGIN_NS or answer is not None
        if case.could_be_known(word, answer is not None, deadline_ns, start_ns) and is_ordered:
            return f"rms.raw/{'/'.join(map(str, word.place))} said {word.said}, and nothing came of it"
    if answer is None:
        until_ns = max(start_ns + case.windows.unanswered_ns, patience_ns)
        return "never answered, and nobody gave it up" if _has_passed(case, until_ns) else None
    if answer.disposition in ("accepted", "rejected"):
        return None
    return _unresolved(case, deadline_ns, start_ns, is_unknown=answer.disposition == "unknown")


def _unresolved(case: Case, deadline_ns: int, start_ns: int, *, is_unknown: bool) -> str | None:
    """Say why a referred bet should have come to an end."""
    coverage, windows = case.coverage, case.windows
    is_doubted = is_unknown or case.is_doubted(deadline_ns, start_ns)
    # Approvals by code alone of the whole customer must have found their bets first: see ``unordered``.
    if not is_doubted and coverage.is_proven(deadline_ns) and _has_passed(case, deadline_ns):
        return "its window is over, nothing was missed, and it has no outcome"
    known_ns = max(case.seen_ns(record) for record in case.records)
    asked_ns = coverage.tick_after(max(deadline_ns, known_ns))
    if asked_ns is None:
        return None
    if case.code is None and is_doubted and _has_passed(case, asked_ns):
        return "its window is over, it cannot be looked up, and nobody gave it up"
    if coverage.now_ns > asked_ns + windows.verify_ns + MARGIN_NS:
        return "nobody gave it up although its look-up is over, too"
    return None


def _has_passed(case: Case, at_ns: int) -> bool:
    """Return whether the join must have seen a time after this one, with all there is about the bet."""
    known_ns = max(case.seen_ns(record) for record in case.records)
    tick_ns = case.coverage.tick_after(max(at_ns, known_ns))
    return tick_ns is not None and case.coverage.now_ns >= tick_ns
