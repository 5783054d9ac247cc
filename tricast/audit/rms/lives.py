"""Tell the bets apart that had one slip id, one after the other: what is forgotten may begin anew."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, pairwise

from schemas.rms.decisions import Decision
from schemas.rms.fields import BETS
from tricast.audit.rms.case import Case
from tricast.audit.rms.facts import Answered, Placed, Told, Word
from tricast.audit.rms.outcomes import position, read_told

_RAW = "rms.raw"
_Event = Placed | Answered | Word


_MOST_BOUNDARIES = 8
"""The newest so many are tried, each for itself and together."""


def interpretations(case: Case) -> Iterator[list[Case]]:
    """Yield each way to take ``case``: as one bet, or as several.

    A bet that nobody has to decide is forgotten soon after its window, and any bet in the end. Used anew, its slip id
    is another bet's. When exactly it was forgotten only the join knows: it depends on how far its tasks were.
    """
    events = [*((case.seen_ns(each), each) for each in case.records), *((w.received_ns, w) for w in case.words)]
    events.sort(key=lambda pair: pair[0])
    boundaries = _boundaries(case, events)[-_MOST_BOUNDARIES:]
    for number in range(len(boundaries) + 1):
        for chosen in combinations(boundaries, number):
            yield _split(case, [event for _, event in events], list(chosen))


def _boundaries(case: Case, events: list[tuple[int, _Event]]) -> list[int]:
    """Return the places of events before which the bet may have been forgotten."""
    found: list[int] = []
    whole, life = _part(case, []), _part(case, [])
    for place, (at_ns, event) in enumerate(events):
        last_ns = events[place - 1][0] if place else at_ns
        escape_ns = min(_escape_ns(whole, at_ns), _escape_ns(life, at_ns))
        if place and at_ns > min(last_ns + case.windows.remember_ns, escape_ns):
            found.append(place)
            life = _part(case, [])
        whole.add(event)
        life.add(event)
    return found


def _escape_ns(life: Case, at_ns: int) -> int:
    """Return when a bet that nobody has to decide is forgotten; never, if somebody has to."""
    life.arrange()
    if life.answer is None or life.answer.disposition not in ("accepted", "rejected"):
        return at_ns
    deadline_ns, start_ns = max(life.starts.items())
    return life.patience_ns(deadline_ns, start_ns) + life.windows.orphan_ns


def _part(case: Case, events: list[_Event]) -> Case:
    part = replace(case, placed=[], answered=[], words=[], told=[])
    for event in events:
        part.add(event)
    part.arrange()
    return part


def _split(case: Case, events: list[_Event], boundaries: list[int]) -> list[Case]:
    if not boundaries:
        return [case]
    parts = [_part(case, events[begin:end]) for begin, end in pairwise([0, *boundaries, len(events)])]
    for told in case.told:
        part = next((part for part in parts if _is_of(part, told)), parts[-1])
        part.told.append(told)
        _bring(part, told, parts)
    return parts


def _bring(part: Case, told: Told, parts: list[Case]) -> None:
    """Give a bet the word that its outcome rests on: one that was parked went to the bet that came after it."""
    outcome = read_told(told)
    at = position(outcome.positions.decided, _RAW) if isinstance(outcome, Decision) else None
    for other in parts:
        for word in [word for word in other.words if word.place[:2] == at and other is not part]:
            other.words.remove(word)
            part.words.append(word)
            part.arrange()


def _is_of(part: Case, told: Told) -> bool:
    """Return whether a record of ``rms.decisions`` is about this one of them."""
    outcome = read_told(told)
    if isinstance(outcome, Decision):
        return _is_decision_of(part, told)
    word, bet = position(outcome.raw, _RAW), position(outcome.raw, BETS)
    return any(each.place[:2] == word for each in part.words) or any(
        (record.partition, record.offset) == bet for record in part.records
    )


def _is_decision_of(part: Case, told: Told) -> bool:
    outcome = read_told(told)
    if not isinstance(outcome, Decision):
        return False
    named = {position(outcome.positions.placed, BETS), position(outcome.positions.answered, BETS)}
    return any((record.partition, record.offset) in named for record in part.records)
