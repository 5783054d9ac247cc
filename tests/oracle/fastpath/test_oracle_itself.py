"""Who watches the oracle: bugs planted in its rules and in what was written must be noticed."""

import ast
import inspect
from collections import Counter
from collections.abc import Callable
from functools import cache
from types import ModuleType

import pytest

from tests.oracle.fastpath import account, delivery, oracle, said, truth, upstream, vendor
from tests.oracle.fastpath.delivery import History, random_history
from tests.oracle.fastpath.oracle import expected
from tests.oracle.fastpath.planted import AGAINST_THE_LIST, BUGS, LIES, Bug, told
from tests.oracle.fastpath.play import differences
from tests.oracle.fastpath.said import Said
from tests.oracle.fastpath.truth import lies

SEEDS = 2_000
_PART = 50


@cache
def sound(seed: int) -> History:
    return random_history(seed)


@pytest.mark.parametrize("bug", BUGS, ids=[bug.name for bug in BUGS])
def test_oracle_with_a_broken_rule_disagrees(bug: Bug, monkeypatch: pytest.MonkeyPatch):
    for first in range(0, SEEDS, _PART):
        histories = [sound(seed) for seed in range(first, first + _PART)]
        with monkeypatch.context() as planted:
            bug.plant(planted)
            if any(differences(history.said, expected(history.records, history.rules)) for history in histories):
                return
    pytest.fail(f"nobody noticed: {bug.name}")


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_whatever_goes_wrong_on_the_way_out_is_noticed(lie: Callable[[Said], bool]):
    changed = [(sound(seed), told(sound(seed).said, lie)) for seed in range(60)]
    assert any(written is not None for _, written in changed)
    assert all(differences(history.said, written) is not None for history, written in changed if written is not None)


@pytest.mark.parametrize("lie", AGAINST_THE_LIST.values(), ids=AGAINST_THE_LIST.keys())
def test_the_second_judge_notices_it_without_the_rules(lie: Callable[[Said], bool]):
    for seed in range(SEEDS):
        written = told(sound(seed).said, lie)
        if written is not None and lies(sound(seed), written):
            return
    pytest.fail("nobody noticed")


def test_the_oracle_stands_before_the_second_judge():
    for seed in range(400):
        assert lies(sound(seed), sound(seed).said) == []


def test_histories_hold_what_the_property_speaks_of():
    contents: Counter[str] = Counter()
    for seed in range(400):
        history = sound(seed)
        contents += history.contents
        contents.update(finding.kind for finding in history.said.findings)
        contents.update(f"not repairable: {finding.fact('reason')}" for finding in history.said.findings)
        contents.update(out.why for out in (*history.said.actions, *history.said.statistics))
        contents.update(out.delivery for out in history.said.actions)
        contents.update("implied" for state in history.said.upstream if state.implied)
        contents.update(f"attempt {command.attempt}" for command in history.said.commands)
    assert contents.keys() >= {
        *("baseline", "gap_suspected", "gap_closed", "gap_repaired", "not_repairable", "reordered", "duplicate"),
        *("conflict", "restarted", "in_order", "filled", "timeout", "overfull", "late", "repaired", "unordered"),
        *(f"not repairable: {reason}" for reason in ("not-in-replay", "timeout", "budget", "no-replay")),
        *("live", "replayed", "late_burst", "implied", "attempt 1", "attempt 2", "honest histories"),
        *(f"commands answered: {answer}" for answer in ("whole", "part", "none")),
        *(f"odd packets: {odd}" for odd in ("bad number", "other body", "other action", "far away")),
        *("packets dropped", "swaps", "duplicates", "permanent holes", "resets", "holes of one connection's own"),
        *("frames lost by us", "repeated records", "status packets", "restarts"),
    }  # fmt: skip
    kinds = {"soccer", "statistics", "golf"}
    assert contents.keys() >= {f"feeds: {kind}, numbers by {by}" for kind in kinds for by in ("fixture", "connection")}
    assert contents["honest histories"] > 150


@pytest.mark.parametrize("module", [account, delivery, oracle, said, truth, upstream, vendor])
def test_oracle_imports_no_core(module: ModuleType):
    names = [
        name
        for node in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""])
    ]
    assert not [name for name in names if name.startswith(("processors", "connectors", "tricast"))]
