"""Judge the final outcome of one bet: what it rests on, whether that says so, and whether nothing came before it."""

from collections.abc import Callable, Iterator

from msgspec import UNSET

from schemas.rms.decisions import Amended, Decision
from schemas.rms.fields import BETS
from tricast.audit.report import FindingKind
from tricast.audit.rms.case import Case
from tricast.audit.rms.facts import Answered, Placed, Told, Word
from tricast.audit.rms.outcomes import position
from tricast.audit.rms.values import plain

Find = Callable[[FindingKind, str], None]
SAYS = {"accepted": "accept", "rejected": "reject"}
RAW = "rms.raw"


def judge_decision(case: Case, told: Told, decision: Decision, find: Find) -> None:
    """Report whatever is wrong with the decision of a bet."""
    where = f"{told.position} ({case.name}, {decision.outcome})"
    if not case.records:
        find("unexpected", f"{where}: no bet is in rms.bets")
        return
    for text in _sources(case, decision):
        find("false", f"{where}: {text}")
    deadline_ns = decision.deadline_ns
    start_ns = case.starts.get(deadline_ns)
    if start_ns is None:
        find("false", f"{where}: deadline {deadline_ns}, but its window ends at {sorted(case.starts)}")
        deadline_ns, start_ns = next(iter(case.starts.items()))
    if decision.outcome in SAYS:
        problems = _decided(case, decision, deadline_ns, start_ns)
    elif decision.outcome == "expired":
        problems = _expired(case, decision, deadline_ns, start_ns)
    else:
        problems = _unverified(case, decision, deadline_ns, start_ns)
    for kind, text in problems:
        find(kind, f"{where}: {text}")


def word_of(case: Case, decision: Decision) -> Word | None:
    """Return what a decision rests on, if the vendor said that about its bet."""
    at = position(decision.positions.decided, RAW)
    words = [word for word in case.words if word.place[:2] == at]
    wanted = SAYS.get(decision.outcome)
    fitting = [word for word in words if word.said == wanted and word.is_look_up == (decision.evidence == "looked_up")]
    return next(iter(fitting or words), None)


def in_time(case: Case, deadline_ns: int) -> Iterator[Word]:
    """Yield what decides a bet, in the order of raw: approvals that may have been sent in time, and look-ups."""
    yield from (word for word in case.sayings() if word.is_look_up or word.may_be_by(deadline_ns))


def _sources(case: Case, decision: Decision) -> Iterator[str]:
    """Yield what the decision says otherwise than the records that it names."""
    placed = _named(case.placed, decision.positions.placed)
    answered = _named(case.answered, decision.positions.answered)
    if decision.positions.placed is UNSET and decision.positions.answered is UNSET:
        yield "names no record of its bet"
    if decision.positions.placed is not UNSET and placed is None:
        yield f"{decision.positions.placed} does not say that it was placed"
    if decision.positions.answered is not UNSET and answered is None:
        yield f"{decision.positions.answered} is no answer to it"
    if isinstance(placed, Placed):
        first = case.placed[0]
        if placed is not first and placed.partition == first.partition:
            yield f"rests on the second word of its being placed, {decision.positions.placed}"
        said = (decision.placed_ns, decision.context, _amount(decision.stake))
        if said != (placed.placed_ns, placed.context, placed.stake):
            yield f"{said} is not what {decision.positions.placed} says"
    if isinstance(answered, Answered) and decision.disposition != answered.disposition:
        yield f"disposition {decision.disposition!r}, but {decision.positions.answered} says {answered.disposition!r}"
    if isinstance(answered, Answered) and decision.answered_ns != answered.answered_ns:
        yield f"answered_ns is not that of {decision.positions.answered}"
    codes = {each.code for each in case.answered} | {word.code for word in case.words}
    if decision.bet_code is not UNSET and decision.bet_code not in codes:
        yield f"nobody gave it the bet code {decision.bet_code!r}"


def _decided(case: Case, decision: Decision, deadline_ns: int, start_ns: int) -> Iterator[tuple[FindingKind, str]]:
    word, wanted = word_of(case, decision), SAYS[decision.outcome]
    if decision.positions.decided is UNSET or word is None:
        yield "false", f"rests on {decision.positions.decided}, which says nothing about it"
        return
    if word.said != wanted:
        yield "false", f"{decision.positions.decided} says {word.said}"
        return
    if word.is_look_up != (decision.evidence == "looked_up") or decision.evidence == "deadline":
        yield "false", f"evidence {decision.evidence}, but {decision.positions.decided} is other"
    if decision.received_ns != word.received_ns:
        yield "false", f"received_ns is not that of {decision.positions.decided}"
    if word.decided_ns is not None and decision.decided_ns not in (word.decided_ns, UNSET):
        yield "false", f"decided_ns is not what {decision.positions.decided} says"
    if word.reason is not None and decision.reason not in (word.reason, UNSET):
        yield "false", f"reason is not what {decision.positions.decided} says"
    yield from _amended(case, decision, word)
    if not word.is_look_up and not word.may_be_by(deadline_ns) and not _waits_on(case, deadline_ns, start_ns):
        yield "guessed", f"{decision.positions.decided} was sent after the deadline, and nothing was in doubt"
    yield from _not_first(case, decision, word, deadline_ns, start_ns)


def _amended(case: Case, decision: Decision, word: Word) -> Iterator[tuple[FindingKind, str]]:
    """Yield what the decision says otherwise than its source about a stake or odds that are not those of the bet."""
    placed = _named(case.placed, decision.positions.placed)
    if not isinstance(placed, Placed):
        return
    amended = Amended() if decision.amended is UNSET else decision.amended
    stake, odds = _amount(amended.stake), _amount(amended.odds)
    if stake != (word.stake if word.stake != placed.stake else None):
        yield (
            "false",
            f"amended stake {stake}, but {decision.positions.decided} says {word.stake}, placed {placed.stake}",
        )
    if (
        placed.odds is not None
        and len(placed.odds) == 1
        and odds != (word.odds if word.odds != placed.odds[0] else None)
    ):
        yield (
            "false",
            f"amended odds {odds}, but {decision.positions.decided} says {word.odds}, placed {placed.odds[0]}",
        )


def _waits_on(case: Case, deadline_ns: int, start_ns: int) -> bool:
    """Return whether an approval after the deadline decides: in doubt, or nobody waited for a decision at all."""
    dispositions = {answered.disposition for answered in case.answered}
    return (
        case.is_doubted(deadline_ns, start_ns)
        or bool(dispositions - {"referred"})
        or case.is_late(deadline_ns, start_ns)
    )


def _not_first(
    case: Case, decision: Decision, chosen: Word, deadline_ns: int, start_ns: int
) -> Iterator[tuple[FindingKind, str]]:
    for word in in_time(case, deadline_ns):
        if word.place >= chosen.place:
            return
        if case.could_be_known(word, decision.positions.answered is not UNSET, deadline_ns, start_ns):
            yield "false", f"{_at(word)} said {word.said} before {decision.positions.decided}"
            return


def _expired(case: Case, decision: Decision, deadline_ns: int, start_ns: int) -> Iterator[tuple[FindingKind, str]]:
    dispositions = {answered.disposition for answered in case.answered}
    named = _named(case.answered, decision.positions.answered)
    if isinstance(named, Answered) and named.disposition in ("accepted", "rejected"):
        yield "false", f"its answer says {named.disposition}: nobody was to decide"
    if case.coverage.newest_ns <= deadline_ns:
        yield "guessed", "its deadline has not passed by its feed's own time"
    cleared_ns = _cleared_ns(case)
    if decision.evidence == "looked_up":
        word = word_of(case, decision)
        if word is None or word.said is not None or word.status != 200 or not word.is_look_up:
            yield "false", f"{decision.positions.decided} does not say that nobody has decided"
        elif (word.requested_ns or 0) < deadline_ns:
            yield "guessed", f"{decision.positions.decided} was asked before the deadline"
    elif cleared_ns < deadline_ns and not _was_heard(case, max(case.doubt_from(start_ns), cleared_ns), deadline_ns):
        yield "guessed", "a decision may have been missed: nobody listened all the time"
    elif named is not None and dispositions == {"unknown"} and not cleared_ns:
        yield "guessed", "nobody knows whether it was referred at all"
    yield from _passed_by(case, decision, deadline_ns, start_ns)


def _was_heard(case: Case, from_ns: int, deadline_ns: int) -> bool:
    return from_ns > deadline_ns or case.coverage.is_covered(from_ns, deadline_ns)


def _unverified(case: Case, decision: Decision, deadline_ns: int, start_ns: int) -> Iterator[tuple[FindingKind, str]]:
    if case.coverage.newest_ns <= deadline_ns:
        yield "guessed", "its deadline has not passed by its feed's own time"
    standing, why = case.answer, decision.why
    is_unknown = any(answered.disposition == "unknown" for answered in case.answered)
    is_doubted = case.is_doubted(deadline_ns, start_ns)
    look_ups = [word for word in case.words if word.is_look_up]
    reasons = {
        "unanswered": standing is None or case.seen_ns(case.answered[0]) > start_ns + case.windows.unanswered_ns,
        "no-code": is_doubted or is_unknown or case.is_late(deadline_ns, start_ns),
        "feed-down": is_doubted,
        "unknown-disposition": is_unknown,
        "not-found": any(word.status == 404 for word in look_ups),
        "no-answer": any(word.status != 200 or word.said is None for word in look_ups),
        "unordered": True,
    }
    if why is UNSET or why not in reasons:
        yield "guessed", f"unverified for no known reason: {why!r}"
    elif not reasons[why]:
        yield "guessed", f"unverified because of {why}, which is not so"
    named = _named(case.answered, decision.positions.answered)
    if isinstance(named, Answered) and named.disposition in ("accepted", "rejected"):
        yield "false", f"its answer says {named.disposition}: nobody was to decide"
    yield from _passed_by(case, decision, deadline_ns, start_ns)


def _passed_by(case: Case, decision: Decision, deadline_ns: int, start_ns: int) -> Iterator[tuple[FindingKind, str]]:
    """Yield an approval that came in time for a bet that expired."""
    for word in in_time(case, deadline_ns):
        is_known = case.could_be_known(word, decision.positions.answered is not UNSET, deadline_ns, start_ns)
        if word.is_look_up or not is_known or (word.slip is None and decision.why == "unordered"):
            continue
        # Of a clock that was put back, what was proven before counts, and not its stamps.
        if word.received_ns <= deadline_ns and not case.coverage.was_put_back(word.place[1], word.received_ns):
            yield "false", f"{_at(word)} said {word.said} in time"
            return
        if not _had_ended(case, decision, word, deadline_ns, start_ns):
            yield "guessed", f"{_at(word)} said {word.said}, was read late and may have been sent in time"
            return


def _had_ended(case: Case, decision: Decision, word: Word, deadline_ns: int, start_ns: int) -> bool:
    """Return whether the bet may have ended before ``word`` came, though that may have been sent in time."""
    if decision.outcome != "expired":
        waits_ns = {
            "unanswered": start_ns + case.windows.unanswered_ns,
            "no-code": deadline_ns,
            "not-found": deadline_ns,
        }
        return word.told_ns > waits_ns.get(str(decision.why), deadline_ns + case.windows.verify_ns)
    if decision.evidence != "looked_up":
        return word.proven_ns > deadline_ns
    by = word_of(case, decision)
    return by is not None and by.place < word.place


def _cleared_ns(case: Case) -> int:
    """Return until when look-ups say that nobody has decided."""
    clear = [
        w.requested_ns for w in case.words if w.is_look_up and w.said is None and w.status == 200 and w.requested_ns
    ]
    return max(clear, default=0)


def _named(facts: list[Placed] | list[Answered], text: object) -> Placed | Answered | None:
    at = position(text, BETS)
    return next((fact for fact in facts if (fact.partition, fact.offset) == at), None)


def _amount(value: object) -> str | None:
    return None if value is UNSET else plain(value)  # type: ignore[arg-type]  # a Decimal, by its schema


def _at(word: Word) -> str:
    return f"{RAW}/{'/'.join(map(str, word.place))}"
