"""Who watches the oracle: bugs planted in the core, in its output and in the oracle's own rules must be noticed."""

import ast
import inspect
from collections import Counter
from functools import cache
from typing import Any

import pytest

from processors.core.kambi.processor import KambiProcessor
from tests.oracle import delivery, history, oracle, snapshots, view, wire
from tests.oracle.delivery import Delivered, random_history
from tests.oracle.oracle import Oracle, Written, expected
from tests.oracle.planted import BUGS, LIES, Bug
from tests.oracle.play import compare, differences, play

SEEDS = 400


@cache
def sound(seed: int) -> tuple[Delivered, dict[int, Oracle]]:
    delivered = random_history(seed)
    return delivered, {
        partition: expected(records, delivered.copy_skew_ms) for partition, records in delivered.partitions.items()
    }


@cache
def written(seed: int) -> dict[int, tuple[list[Written], Counter[str]]]:
    delivered, _ = sound(seed)
    return {partition: by_core(delivered, partition) for partition in delivered.partitions}


def by_core(delivered: Delivered, partition: int) -> tuple[list[Written], Counter[str]]:
    processor = KambiProcessor(copy_skew_ms=delivered.copy_skew_ms)
    return play(delivered.partitions[partition], processor=processor)


@pytest.mark.parametrize("bug", BUGS, ids=[bug.name for bug in BUGS])
def test_bug_in_the_core_is_noticed(bug: Bug, monkeypatch: pytest.MonkeyPatch):
    bug.plant(monkeypatch)
    for seed in range(SEEDS):
        delivered, oracles = sound(seed)
        for partition in delivered.partitions:
            if differences(partition, oracles[partition], *by_core(delivered, partition)) is not None:
                return
    pytest.fail(f"nobody noticed: {bug.name}")


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
def test_whatever_goes_wrong_on_the_way_out_is_noticed(lie: Any):
    told = 0
    for seed in range(20):
        _, oracles = sound(seed)
        for partition, (said, counts) in written(seed).items():
            changed = lie(said)
            if changed is not None:
                told += 1
                assert differences(partition, oracles[partition], changed, counts) is not None
    assert told


@pytest.mark.parametrize("name", ["kambi.duplicate", "kambi.late", "kambi.foreign-event"])
def test_wrong_count_is_noticed(name: str):
    _, oracles = sound(0)
    for partition, (said, counts) in written(0).items():
        assert differences(partition, oracles[partition], said, counts + Counter({name: 1})) is not None


def _never(*_: Any) -> bool:
    return False


class NoWindow(Oracle):
    def _is_first(self, identity: tuple[Any, ...], value: Any, line: str) -> bool:
        if identity in self._groups:
            self._groups[identity].since_s = self._now_s
        return Oracle._is_first(self, identity, value, line)


class NoLines(Oracle):
    def _is_first(self, identity: tuple[Any, ...], value: Any, line: str) -> bool:
        return Oracle._is_first(self, identity, value, "the only line")


class NoTime(Oracle):
    def _is_first(self, identity: tuple[Any, ...], value: Any, line: str) -> bool:
        return Oracle._is_first(self, identity[:-1], value, line)


class NoEntity(Oracle):
    def _is_first(self, identity: tuple[Any, ...], value: Any, line: str) -> bool:
        return Oracle._is_first(self, (identity[0], identity[1], identity[4]), {}, line)


class NoLateness(Oracle):
    _is_late = _never  # type: ignore[assignment]  # that is the bug


class NoFloor(Oracle):
    def floor(self, event: int) -> int:
        return 0


class NoOffers(Oracle):
    def newest_of_outcome(self, event: int, offer: int, outcome: int) -> int:
        own = (said.order for said in self.said if said.offer == offer and said.outcome == outcome)
        return max(self.floor(event), max(own, default=0))


class NoMemory(Oracle):
    def _forget(self) -> None:
        self.said.clear()


class NoPlaces(Oracle):
    def _event_of(self, offer: int) -> int | None:
        return next((said.event for said in self.said if said.offer == offer), None)


class NoShards(Oracle):
    def read(self, record: Any) -> None:
        self._shares.clear()
        Oracle.read(self, record)


class NoRepeats(Oracle):
    def read(self, record: Any) -> None:
        self._frames.clear()
        Oracle.read(self, record)


class NoVersions(Oracle):
    def _is_late_part(self, event: int, what: str, kind: str, version: int | None, floor: int, order: int) -> bool:
        return Oracle._is_late_part(self, event, what, kind, None, floor, order)


class NoSuspension(Oracle):
    def _known_offers(self, event: int) -> list[int]:
        return []


BROKEN = (
    NoWindow, NoLines, NoTime, NoEntity, NoLateness, NoFloor, NoOffers, NoMemory, NoPlaces, NoShards, NoRepeats,
    NoVersions, NoSuspension,
)  # fmt: skip


@pytest.mark.parametrize("broken", BROKEN)
def test_oracle_with_a_broken_rule_disagrees(broken: type[Oracle]):
    for seed in range(SEEDS):
        delivered, _ = sound(seed)
        for partition, (said, counts) in written(seed).items():
            account = broken(delivered.copy_skew_ms)
            for record in delivered.partitions[partition]:
                account.read(record)
            if differences(partition, account, said, counts) is not None:
                return
    pytest.fail(f"the core agrees with {broken.__name__}")


def test_restarts_are_played():
    """A core that keeps something outside its store would differ here."""
    assert any(any(random_history(seed).restarts.values()) for seed in range(20))


def test_histories_hold_what_the_property_speaks_of():
    contents: Counter[str] = Counter()
    for seed in range(60):
        contents += sound(seed)[0].contents
        for account in sound(seed)[1].values():
            contents += account.counts
            contents.update(f"records of {said.topic}" for said in account.written)
    assert contents.keys() >= {
        *(f"mt {mt}" for mt in wire.NAMES),
        *(f"histories with {shards} shards" for shards in (1, 2, 4)),
        *(f"records of {topic}" for topic in ("events", "offers", "scores", "settlements", "dead-letters")),
        *("stalls", "drops", "bulks", "frames lost while closed", "frames lost by us", "repeats", "restarts"),
        *("snapshots", "histories in which the t of copies differs", "kambi.copy"),
        *("messages sent again in another frame", "lines that stall longer than facts are remembered"),
        *("kambi.duplicate", "kambi.partial-duplicate", "kambi.late", "kambi.foreign-event"),
        *("kambi.no-vendor-time", "kambi.vendor-time-ahead"),
    }


def test_same_seed_is_the_same_history():
    assert random_history(5) == random_history(5)
    assert compare(random_history(5)) == compare(random_history(5))


@pytest.mark.parametrize("module", [oracle, snapshots, view, wire, history, delivery])
def test_oracle_imports_nothing_of_what_it_judges(module: Any):
    tree = ast.parse(inspect.getsource(module))
    names = [
        name
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    ]
    assert not [name for name in names if name.split(".")[0] in ("processors", "schemas", "connectors", "simulators")]
