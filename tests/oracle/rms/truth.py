"""A second judge that knows no rule of the join's tasks: what came of each bet, against what happened.

However the records came to their tasks: one outcome a bet, by the first that the vendor said in the order of
``rms.raw``; only where a decision may have been missed, a look-up decides, or it ends unverified.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.oracle.rms.course import Course, Raw
from tests.oracle.rms.customer import BetRecord, Customer
from tests.oracle.rms.said import SECOND_NS, Told

_MEANS = {"accept": "accepted", "reject": "rejected"}


@dataclass(slots=True)
class Case:
    """A bet as it was, and what was told of it.

    Attributes:
        approvals: What reached us of it, in order; by the bet's code, too, if an answer said the code.
        look_ups: Answers of bet/detail.
        is_odd: Its records contradict each other, or its code is another bet's as well.
        is_doubtful: Some of its window was not covered.
        is_behind: Its answer came to its task when its window had ended.
        is_again: It was placed twice; if it was answered and forgotten in between, it seems to be new.
    """

    customer: Customer
    slip: str
    records: list[BetRecord]
    approvals: list[Raw] = field(default_factory=list)
    look_ups: list[Raw] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    is_odd: bool = False
    is_doubtful: bool = False
    is_behind: bool = False
    is_again: bool = False
    begun_ns: int = 0
    """Nothing in its records is older; without the placed one nobody knows when it began."""
    start_ns: int = 0
    deadline_ns: int = 0

    @property
    def disposition(self) -> str | None:
        return next((record.disposition for record in self.records if record.is_answer), None)

    @property
    def decision(self) -> Told | None:
        return next((one for one in self.told if one.kind == "decision"), None)


def lies(course: Course, told: list[Told] | None = None) -> list[str]:
    """Return what of all that was told is not so."""
    told = course.told() if told is None else told
    cases = list(_cases(course, told))
    found = [f"{case.customer.name}/{case.slip}: {lie}" for case in cases for lie in _lies_of(case, course)]
    return [*found, *_strangers(course, told, cases), *_orphans(course, told, cases)]


def _cases(course: Course, told: list[Told]) -> Iterator[Case]:
    rules = course.world.rules
    for customer in course.world.customers:
        for slip in sorted({bet.slip for bet in customer.bets}):
            records = sorted((bet for bet in customer.bets if bet.slip == slip), key=lambda bet: bet.logged_ns)
            case = Case(customer, slip, records)
            case.told = [one for one in told if one.key == f"{customer.name}/{slip}"]
            case.is_again = len([record for record in records if not record.is_answer]) > 1
            answers = [record for record in records if record.is_answer]
            codes = {record.code for record in answers if record.code is not None}
            others = {bet.code for bet in customer.bets if bet.slip != slip and bet.code is not None}
            is_agreed = len({(record.disposition, record.code) for record in answers}) <= 1
            case.is_odd = bool(codes & others) or not is_agreed or course.world.is_flooded
            first = records[0]
            prematch = first.is_answer or first.context == "prematch"
            case.start_ns = first.logged_ns
            # What was placed may be told after the answer, and after the bet has ended.
            case.begun_ns = first.at_ns if first.is_answer else min(record.at_ns for record in records)
            case.deadline_ns = case.start_ns + (rules.prematch_s if prematch else rules.live_s) * SECOND_NS
            begun_ns = min(case.start_ns, *(record.at_ns for record in records))
            case.is_doubtful = course.is_lossy or not _is_covered(course, customer, begun_ns, case.deadline_ns)
            when_ns = course.now_when.get((customer.name, slip), 0)
            case.is_behind = when_ns > case.deadline_ns
            for raw in course.raw:
                if raw.customer != customer.name:
                    continue
                choice = raw.choice
                if choice is None:
                    if raw.request is not None and raw.request.slip == slip:
                        case.look_ups.append(raw)
                elif choice.slip == slip or (choice.slip is None and choice.code in codes):
                    case.approvals.append(raw)
            yield case


def _is_covered(course: Course, customer: Customer, first_ns: int, last_ns: int) -> bool:
    """Tell whether sockets were joined all the time from one to the other, by what was told of it."""
    told = {
        (time.since_ns, time.proven_ns)
        for time in course.times.get(customer.name, [])
        if time.since_ns is not None and time.proven_ns is not None
    }
    proven_ns = first_ns
    for since_ns, until_ns in sorted(told):
        if since_ns <= proven_ns < until_ns:
            proven_ns = until_ns
    return proven_ns > last_ns


def _lies_of(case: Case, course: Course) -> Iterator[str]:
    decisions = [one for one in case.told if one.kind == "decision"]
    if len(decisions) > 1:
        yield f"{len(decisions)} outcomes"
    decision = case.decision
    is_waiting = case.disposition in {None, "referred", "unknown"}
    if decision is None:
        if is_waiting and not case.is_odd:
            yield "no outcome"
        elif not case.is_odd and (first := _first_in_time(case)) is not None and not case.is_behind:
            yield f"the approval at {first.offset} came to nothing"
        return
    outcome, raw = decision.fact("outcome"), decision.fact("raw")
    if outcome in {"accepted", "rejected"}:
        yield from _unfounded(case, decision)
    elif not is_waiting and not case.is_odd and not case.is_behind and not case.approvals and not case.is_again:
        yield f"{outcome}, and nobody waited for it"
    if case.is_odd:
        return
    if outcome == "expired":
        yield from _missed(case)
    if outcome == "expired" and decision.fact("evidence") == "deadline" and not _was_heard(case, course):
        yield "expired, and nobody listened all the time"
    first = _first_in_time(case)
    is_late_answer = case.is_behind and any(
        one.choice is not None and one.choice.slip is None for one in case.approvals
    )
    if first is not None and not case.is_doubtful and not is_late_answer:
        if outcome != _MEANS[first.said or ""] or raw != first.offset:
            yield f"{outcome} by {raw}, and {first.said} was first, at {first.offset}"
    elif first is None and not case.is_doubtful and not case.is_behind and not _may_be_in_time(case, raw):
        yield from _without_approval(case, decision)
    if not course.world.is_long:
        yield from _unsaid(case, decision)


def _first_in_time(case: Case) -> Raw | None:
    """Return what decides: read by the end, or said by then for all that was known when it came."""
    for raw in case.approvals:
        is_open = raw.now_ns <= case.deadline_ns
        is_open = is_open or (case.disposition == "referred" and raw.proven_ns <= case.deadline_ns)
        if raw.at_ns <= case.deadline_ns or (is_open and _may_be_in_time(case, raw.offset)):
            return raw
    return None


def _may_be_in_time(case: Case, offset: object) -> bool:
    """Tell whether that approval may have been said by the end; if something else ended the bet before, it is late."""
    found = [raw.choice for raw in case.approvals if raw.offset == offset]
    return any(choice is not None and choice.earliest_ns <= case.deadline_ns for choice in found)


def _was_heard(case: Case, course: Course) -> bool:
    """Tell whether sockets were joined until after the end: from the first record of the bet, or a look-up on."""
    nobody = [raw.requested_ns for raw in case.look_ups if raw.said is None and raw.status == 200]
    from_ns = max([case.start_ns, *nobody])
    return from_ns >= case.deadline_ns or _is_covered(course, case.customer, from_ns, case.deadline_ns)


def _unfounded(case: Case, decision: Told) -> Iterator[str]:
    """Yield what is wrong with an outcome that the vendor is to have decided."""
    said = {outcome: said for said, outcome in _MEANS.items()}[str(decision.fact("outcome"))]
    is_approval = decision.fact("evidence") == "approval"
    all_raw = case.approvals if is_approval else case.look_ups
    by = [raw for raw in all_raw if raw.offset == decision.fact("raw")]
    if not by or by[0].said != said:
        yield f"{decision.fact('outcome')} rests on {decision.fact('raw')}, which does not say so"
        return
    earlier = [raw for raw in case.look_ups if raw.said is not None and raw.offset < by[0].offset]
    earlier += [raw for raw in case.approvals if raw.offset < by[0].offset and raw.at_ns <= case.deadline_ns]
    by_code = case.is_behind and [raw for raw in earlier if raw.choice is not None and raw.choice.slip is None]
    if earlier and not by_code and not case.is_odd:
        yield f"{decision.fact('outcome')} rests on {by[0].offset}, and {earlier[0].offset} was before"


def _missed(case: Case) -> Iterator[str]:
    """Yield what was decided in time of a bet that is told to have expired."""
    codes = {record.code for record in case.records if record.is_answer}
    for choice in case.customer.choices:
        is_of_it = choice.meant == case.slip and (choice.slip is not None or choice.code in codes)
        said_ns = choice.at_ns if choice.after_ns is None else choice.said_ns
        if is_of_it and case.begun_ns <= said_ns <= case.deadline_ns:
            yield f"expired, and a trader had said {choice.said} at {said_ns}"
            return


def _without_approval(case: Case, decision: Told) -> Iterator[str]:
    outcome, why = decision.fact("outcome"), decision.fact("why")
    if case.disposition == "referred" and outcome != "expired":
        yield f"{outcome}, and nobody had said anything until its end"
    if case.disposition is None and outcome != "expired_unverified" and not case.approvals:
        yield f"{outcome}, and place-bet never answered"
    if case.disposition is None and outcome == "expired_unverified" and why != "unanswered":
        yield f"unverified because of {why}, and place-bet never answered"


def _unsaid(case: Case, decision: Told) -> Iterator[str]:
    """Yield what the vendor said and nobody was told."""
    said = [raw for raw in (*case.approvals, *case.look_ups) if raw.said is not None]
    rest = [raw for raw in said if raw.offset != decision.fact("raw")]
    lates = [one for one in case.told if one.kind == "late"]
    opposite = [one for one in case.told if one.kind == "conflict" and one.fact("why") == "opposite"]
    stands = next((raw.said for raw in said if raw.offset == decision.fact("raw")), None)
    if str(decision.fact("outcome")).startswith("expired"):
        if len(lates) != bool(rest):
            yield f"{len(lates)} are told to be late, of {len(rest)}"
            return
        stands = next((str(one.fact("said")) for one in lates), None)
    elif lates:
        yield f"{len(lates)} are told to be late for what is {decision.fact('outcome')}"
    expected = sorted(raw.offset for raw in rest if raw.said != stands)
    found = sorted(int(str(one.fact("raw"))) for one in opposite)
    if expected != found:
        yield f"the opposite was said at {expected}, and is told of {found}"


def _strangers(course: Course, told: list[Told], cases: list[Case]) -> Iterator[str]:
    known = {f"{case.customer.name}/{case.slip}" for case in cases}
    for one in told:
        if one.kind in {"decision", "late", "lookup"} and one.key not in known:
            yield f"{one.kind} of {one.key}, which nobody placed"
        if one.kind == "dead" and not course.world.is_long and not course.world.is_flooded:
            yield f"dead letter {one.fact('code')}"
    asked = {(one.key, one.fact("code")) for one in told if one.kind == "lookup"}
    for case in cases:
        is_sure = not case.is_odd and not case.is_doubtful and case.disposition != "unknown"
        if is_sure and any(key == f"{case.customer.name}/{case.slip}" for key, _ in asked):
            yield f"{case.customer.name}/{case.slip} was looked up without a doubt"


def _orphans(course: Course, told: list[Told], cases: list[Case]) -> Iterator[str]:
    orphans = [int(str(one.fact("raw"))) for one in told if one.kind == "orphan"]
    for offset in sorted(set(orphans)):
        if orphans.count(offset) > 1:
            yield f"{offset} is told to be an orphan {orphans.count(offset)} times"
    said = {raw.offset for raw in course.raw if raw.said is not None}
    owned = {raw.offset for case in cases for raw in (*case.approvals, *case.look_ups)}
    for offset in sorted(set(orphans) - said):
        yield f"{offset} is told to be an orphan and says nothing"
    for offset in sorted(said - owned - set(orphans)) if not course.world.is_flooded else ():
        yield f"{offset} is nobody's, and is not told to be an orphan"
