"""Who watches the oracle: bugs planted in its rules and in what was written must be noticed."""

import ast
import inspect
from collections import Counter
from collections.abc import Callable
from functools import cache
from types import ModuleType

import pytest

from tests.oracle.rms import bet, course, customer, flow, keys, oracle, said, source, stalls, truth, world
from tests.oracle.rms.course import Course
from tests.oracle.rms.oracle import Oracle
from tests.oracle.rms.planted import BUGS, LIES, Bug
from tests.oracle.rms.play import contents_of, differences, random_course
from tests.oracle.rms.said import Told
from tests.oracle.rms.truth import lies

SEEDS = 3_000
_PART = 40


@cache
def sound(seed: int) -> Course:
    """Return a course through tasks that the oracle plays itself."""
    return random_course(seed, Oracle)


@pytest.mark.parametrize("bug", BUGS, ids=[bug.name for bug in BUGS])
def test_oracle_with_a_broken_rule_disagrees(bug: Bug, monkeypatch: pytest.MonkeyPatch):
    for first in range(0, SEEDS, _PART):
        courses = [sound(seed) for seed in range(first, first + _PART)]
        with monkeypatch.context() as planted:
            bug.plant(planted)
            if any(differences(one) for one in courses):
                return
    pytest.fail(f"nobody noticed: {bug.name}")


@pytest.mark.parametrize("bug", [bug for bug in BUGS if bug.is_seen], ids=[bug.name for bug in BUGS if bug.is_seen])
def test_the_second_judge_sees_a_broken_rule_by_what_came_of_it(bug: Bug, monkeypatch: pytest.MonkeyPatch):
    bug.plant(monkeypatch)
    assert any(lies(random_course(seed, Oracle)) for seed in range(SEEDS)), f"nobody noticed: {bug.name}"


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_the_second_judge_notices_whatever_goes_wrong_on_the_way_out(lie: Callable[[list[Told]], bool]):
    for seed in range(SEEDS):
        written = sound(seed).told()
        if lie(written) and lies(sound(seed), written):
            return
    pytest.fail("nobody noticed")


def test_the_oracle_stands_before_the_second_judge():
    assert [seed for seed in range(400) if lies(sound(seed))] == []


def test_histories_hold_what_the_property_speaks_of():
    contents: Counter[str] = Counter()
    for seed in range(600):
        contents += contents_of(sound(seed))
    outcomes = ("accepted by approval", "rejected by approval", "accepted by looked_up", "rejected by looked_up")
    reasons = ("feed-down", "not-found", "no-answer", "unanswered", "no-code", "unknown-disposition")
    conflicts = ("opposite", "answer-contradicts", "ids-disagree", "placed-differs", "answer-differs")
    assert contents.keys() >= {
        *(f"told: {outcome}" for outcome in (*outcomes, "expired by deadline", "expired by looked_up")),
        *(f"told: expired_unverified by deadline, {reason}" for reason in reasons),
        *(f"told: conflict, {why}" for why in (*conflicts, "code-of-two-bets")),
        *("told: late", "told: orphan", "told: lookup", "counted: rms.duplicate", "counted: rms.repeat"),
        *("dead letters: rms.bet-too-old", "dead letters: rms.too-much-evidence"),
        *("look-ups: gap", "look-ups: deadline", "gaps", "restarts", "records logged late"),
        *("look-ups answered: 200", "look-ups answered: 404", "look-ups answered: 500", "said again after a reset"),
        *("look-ups answered: 200 accept", "look-ups answered: 200 reject"),
        *("stopped for hours", "floods", "connectors that stood still"),
        *("choices read after a stall", "choices that were read late and may be in time"),
        *("bets without placed", "bets without answer", "placed again", "answered again", "placed after the answer"),
        *(f"choices by {form}" for form in ("slip", "code", "both", "wrong")),
        "histories that go on after everything was forgotten",
    }  # fmt: skip


@pytest.mark.parametrize("module", [bet, course, customer, flow, keys, oracle, said, source, stalls, truth, world])
def test_oracle_imports_no_core(module: ModuleType):
    names = [
        name
        for node in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""])
    ]
    assert not [name for name in names if name.startswith(("processors", "connectors", "tricast"))]
