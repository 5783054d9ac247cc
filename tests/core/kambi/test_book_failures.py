"""A record that fails leaves nothing in the book, and nothing in memory that is ahead of it."""

import json
from collections.abc import Callable
from contextlib import suppress

import pytest

from processors.core.kambi.dedupe import WINDOW_S
from schemas.raw import Header
from tests.core.driver import Record
from tests.core.kambi.tasks import (
    EVENT,
    ONE,
    OWN,
    START_MS,
    Task,
    added,
    gone,
    odds,
    offer_body,
    state,
)

T = START_MS
WINDOW_MS = WINDOW_S * 1000


class Failing(Task):
    """Takes back what a record wrote when it fails at an output or a count, as the engine does."""

    fails_in = -1

    def feed_record(self, record: Record) -> None:
        entries_, outputs = dict(self.store.entries), list(self.outputs)
        try:
            super().feed_record(record)
        except RuntimeError:
            self.store.entries, self.outputs = entries_, outputs
            raise

    def forward(self, topic: str, key: bytes, value: bytes | None, headers: list[Header]) -> None:
        self.fails_in -= 1
        if self.fails_in == 0:
            raise RuntimeError("planned")
        super().forward(topic, key, value, headers)

    def count(self, what: str, number: int = 1) -> None:
        self.fails_in -= 1
        if self.fails_in == 0:
            raise RuntimeError("planned")
        super().count(what, number)


@pytest.mark.parametrize("fails_in", range(1, 12))
def test_a_record_that_fails_leaves_nothing_behind(fails_in: int):
    def run(task: Failing, *, failing: bool) -> Failing:
        task.feed(b'{"shard":0,"shards":1,"keys":[],"previous_connection":null}', kind="opened", line=OWN)
        task.say(added(T, (ONE, 1500)), added(T, (ONE, 1500), offer=9), at_ms=T)
        shown = {"betOffers": [offer_body((7, 1500))]}
        records: list[Callable[[], object]] = [
            lambda: task.say(odds(T - 9, (ONE, 1600)), gone(T + 1), odds(T + 2, (1, 1500)), state(T + 3)),
            lambda: task.show(shown, f"betoffer/event/{EVENT}.json", requested_ms=T + 9_000),
            lambda: task.tick(T + WINDOW_MS + 9_000),
        ]
        for record in records:
            if failing:
                task.fails_in = fails_in
                with suppress(RuntimeError):
                    record()
                if task.fails_in > 0:
                    continue  # it did not come that far
                task.fails_in = -1
            record()
        task.tick(T + 3 * WINDOW_MS)
        return task

    again, plain = run(Failing(), failing=True), run(Failing(), failing=False)
    assert again.store.entries == plain.store.entries
    assert [output.value for output in again.outputs] == [output.value for output in plain.outputs]


class Deaf(Task):
    """Fails at the first record of health, which comes when the book is written already."""

    is_deaf = False

    def forward(self, topic: str, key: bytes, value: bytes | None, headers: list[Header]) -> None:
        if self.is_deaf and topic == "kambi.health":
            raise RuntimeError("planned")
        super().forward(topic, key, value, headers)


def test_memory_that_is_ahead_of_the_store_is_dropped():
    task = Deaf()
    keys = [f"v2018.kambi.en.ev.{EVENT}.json", f"v2018.kambi.ev.{EVENT}.json"]
    opened = {"shard": 0, "shards": 1, "keys": keys, "previous_connection": None}
    task.feed(json.dumps(opened).encode(), kind="opened", line=OWN)
    task.say(added(T, (ONE, 1500)), at_ms=T)
    task.is_deaf = True
    with pytest.raises(RuntimeError):
        task.say(gone(T + 1))
    assert task.memory == {}
