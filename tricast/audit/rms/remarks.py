"""Judge what stands beside outcomes: late words, conflicts, orphans; each must be true, and none may be missing."""

from msgspec import UNSET

from schemas.rms.decisions import Conflict, Decision, Late, Orphan
from schemas.rms.fields import BETS
from tricast.audit.rms.case import MARGIN_NS, Case
from tricast.audit.rms.facts import Word
from tricast.audit.rms.outcomes import position
from tricast.audit.rms.verdict import RAW, SAYS, Find, word_of


def judge_late(case: Case, at: str, late: Late, decision: Decision | None, find: Find) -> None:
    """Report whatever is wrong with a late word."""
    where = f"{at} ({case.name}, late {late.said})"
    word = _word(case, late.raw, late.said)
    if word is None:
        find("false", f"{where}: {late.raw} does not say so")
        return
    if decision is None:
        find("false", f"{where}: there is no outcome that it is too late for")
        return
    if late.earlier != decision.outcome or decision.outcome in SAYS:
        find("false", f"{where}: late for {late.earlier}, but the outcome is {decision.outcome}")
    after_ms = (word.received_ns - decision.deadline_ns) // 1_000_000
    if late.received_ns != word.received_ns or abs(late.after_deadline_ms - after_ms) > 1:
        find("false", f"{where}: its times are not those of {late.raw}")
    if (late.evidence == "looked_up") != word.is_look_up:
        find("false", f"{where}: evidence {late.evidence}, but {late.raw} is other")


def judge_orphan(case: Case, at: str, orphan: Orphan, find: Find) -> None:
    """Report whatever is wrong with an orphan."""
    where = f"{at} ({case.name}, orphan {orphan.said})"
    word = _word(case, orphan.raw, orphan.said)
    if word is None:
        find("false", f"{where}: {orphan.raw} does not say so")
        return
    if orphan.received_ns != word.received_ns:
        find("false", f"{where}: received_ns is not that of {orphan.raw}")
    if case.coverage.newest_ns <= word.received_ns + case.windows.orphan_ns:
        find("guessed", f"{where}: its window has not passed by its feed's own time")
    known_ns = case.first_seen_ns if word.slip is not None else case.code_seen_ns(word.code)
    if not case.records or known_ns is None or not case.is_certain(word):
        return
    is_remembered = word.received_ns <= known_ns + case.windows.remember_ns - MARGIN_NS
    if known_ns < word.received_ns + case.windows.orphan_ns - MARGIN_NS and is_remembered and not case.is_lagging:
        find("false", f"{where}: its bet was there before its window was over")


def judge_conflict(case: Case, at: str, conflict: Conflict, find: Find) -> None:
    """Report a conflict that is none."""
    where = f"{at} ({case.name}, {conflict.why})"
    word = _word(case, conflict.raw, None if conflict.said is UNSET else conflict.said)
    bet = position(conflict.raw, BETS)
    records = [record for record in case.records if (record.partition, record.offset) == bet]
    sayings = {each.said for each in case.words}
    if conflict.why in ("opposite", "answer-contradicts", "ids-disagree"):
        if word is None and not records:
            find("false", f"{where}: {conflict.raw} does not say so")
            return
    elif conflict.why in ("placed-differs", "answer-differs", "code-of-two-bets") and not records:
        find("false", f"{where}: {conflict.raw} is not about this bet")
        return
    dispositions = {answered.disposition for answered in case.answered}
    codes = {answered.code for answered in case.answered if answered.code is not None}
    is_true = {
        "opposite": sayings >= {"accept", "reject"},
        "answer-contradicts": any(SAYS.get(d) not in (None, said) for d in dispositions for said in sayings if said),
        "ids-disagree": any(word.code is not None and codes - {word.code} for word in case.words),
        "placed-differs": len(case.placed) > 1,
        "answer-differs": len(dispositions) > 1 or len(codes) > 1,
        "code-of-two-bets": bool(codes & case.contested),
    }
    if not is_true.get(conflict.why, False):
        find("false", f"{where}: nothing contradicts anything here")


def judge_completeness(case: Case, decision: Decision | None, others: list[Late | Conflict], find: Find) -> None:
    """Report what should have been told beside the outcome, and was not."""
    whys = {other.why for other in others if isinstance(other, Conflict)}
    for why, is_there in (
        ("placed-differs", len({placed.content for placed in case.placed}) > 1),
        ("answer-differs", _answers_differ(case)),
    ):
        if is_there and why not in whys and _are_close(case):
            find("lost", f"{case.name}: two of its records differ, and no conflict {why} says so")
    if decision is None:
        return
    chosen = word_of(case, decision) if decision.outcome in SAYS else None
    rest = [w for w in case.sayings() if w is not chosen and case.is_certain(w) and w.is_settled]
    if decision.outcome in SAYS:
        wrong = [word for word in rest if word.said != SAYS[decision.outcome]]
        if wrong and "opposite" not in whys:
            find("lost", f"{case.name}: {_at(wrong[0])} contradicts the outcome, and no conflict says so")
    elif rest and not any(isinstance(other, Late) for other in others):
        find("lost", f"{case.name}: {_at(rest[0])} came after the outcome, and nothing says so")


def judge_parked(case: Case, orphans: list[Orphan], find: Find) -> None:
    """Report a word without a bet that was never told as an orphan."""
    told = {position(orphan.raw, RAW) for orphan in orphans}
    for word in case.words:
        if word.said is None or word.is_look_up or not word.is_settled or word.place[:2] in told:
            continue
        if case.coverage.now_ns > word.received_ns + case.windows.orphan_ns + MARGIN_NS:
            find("lost", f"{case.name}: {_at(word)} has no bet, and no orphan says so")


def _are_close(case: Case) -> bool:
    """Return whether the join had all records within the time it remembers them."""
    times = [case.seen_ns(record) for record in case.records]
    return max(times) - min(times) < case.windows.remember_ns - MARGIN_NS


def _answers_differ(case: Case) -> bool:
    held: str | None = None
    for answered in case.answered:
        if held not in (None, "unknown", answered.disposition):
            return True
        held = answered.disposition
    return len({answered.code for answered in case.answered if answered.code is not None}) > 1


def _word(case: Case, text: object, said: str | None) -> Word | None:
    at = position(text, RAW)
    return next((word for word in case.words if word.place[:2] == at and said in (None, word.said)), None)


def _at(word: Word) -> str:
    return f"rms.raw/{'/'.join(map(str, word.place))}"
