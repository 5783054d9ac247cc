"""Tell the bets apart that had one slip id, one after the other: what is forgotten may begin anew."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from schemas.rms.decisions import Decision
from schemas.rms.fields import BETS
from tricast.audit.rms.case import Case
from tricast.audit.rms.facts import Answered, Placed, Told, Word
from tricast.audit.rms.outcomes import position, read_told

_RAW = "rms.raw"
_Event = Placed | Answered | Word


@dataclass(slots=True)
class _Life:
    events: list[_Event] = field(default_factory=list)
    last_ns: int = 0
    until_ns: int | None = None
    """When a bet that nobody has to decide is forgotten."""


def lives(case: Case) -> list[Case]:
    """Return ``case``, or one for each time that its slip id was used anew after it had been forgotten."""
    events = [*((case.seen_ns(each), each) for each in case.records), *((w.received_ns, w) for w in case.words)]
    found: list[_Life] = []
    for at_ns, event in sorted(events, key=lambda pair: pair[0]):
        if not found or _is_forgotten(case, found[-1], at_ns):
            found.append(_Life())
        found[-1].events.append(event)
        _remember(case, found[-1], at_ns)
    return [case] if len(found) < 2 else list(_split(case, found))


def _is_forgotten(case: Case, life: _Life, at_ns: int) -> bool:
    if life.until_ns is not None and life.last_ns > life.until_ns:
        return True  # its last record came when there was nothing left to wait for
    until_ns = life.last_ns + case.windows.remember_ns
    if life.until_ns is not None:
        until_ns = min(until_ns, life.until_ns)
    told_ns = case.coverage.tick_after(until_ns)  # nothing is forgotten but when time is told
    return told_ns is not None and told_ns <= at_ns


def _remember(case: Case, life: _Life, at_ns: int) -> None:
    life.last_ns = max(life.last_ns, at_ns)
    part = replace(case, placed=[], answered=[], words=[], told=[])
    for event in life.events:
        part.add(event)
    part.arrange()
    standing = part.answer
    life.until_ns = None
    is_over = standing is not None and standing.disposition in ("accepted", "rejected")
    if is_over and not any(word.said for word in part.words) and not any(_is_decision_of(part, t) for t in case.told):
        deadline_ns, start_ns = max(part.starts.items())
        life.until_ns = part.patience_ns(deadline_ns, start_ns) + case.windows.orphan_ns


def _split(case: Case, found: list[_Life]) -> Iterator[Case]:
    parts = []
    for life in found:
        part = replace(case, placed=[], answered=[], words=[], told=[])
        for event in life.events:
            part.add(event)
        part.arrange()
        parts.append(part)
    for told in case.told:
        next((part for part in parts if _is_of(part, told)), parts[-1]).told.append(told)
    yield from parts


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
