"""A hundred thousand bets wait: a record costs what it is about, never a walk over all of them."""

from collections.abc import Iterator

import pytest

from processors.core.rms.join.entries import Answer, Bet, Clock, CodeEntry, Placement, SlipEntry, encode, key_of
from processors.core.rms.join.processor import RmsJoin
from schemas.rms import pending
from schemas.rms.pending import AnyMessage, Passed
from tests.core.driver import DictStore, Driver, Record
from tests.core.rms.join.tasks import CUSTOMER, TOPIC, answered, approval, ns, placed, time

BETS = 100_000


class CountingStore(DictStore):
    """Counts what is read."""

    reads = walks = 0

    def get(self, key: bytes) -> bytes | None:
        self.reads += 1
        return super().get(key)

    def items(self, prefix: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        self.walks += 1
        return super().items(prefix)


@pytest.fixture(scope="module")
def store() -> DictStore:
    """Prematch bets placed within ten minutes, oldest first, each with its code; all wait for a trader."""
    store = DictStore()
    placement = Placement("prematch", "10.00", ("1.95",), "4021", ns(0), "c" * 16, "tricast.rms.bets/0/1")
    for number in range(BETS):
        start_ns = ns(600 * number / BETS)
        answer = Answer("referred", f"code-{number}", None, start_ns, "tricast.rms.bets/0/2", True)
        bet = Bet(start_ns, 600 * 10**9, start_ns, placement, answer)
        store.put(key_of(b"s", CUSTOMER, f"slip-{number}"), encode(SlipEntry(start_ns, [], bet)))
        store.put(key_of(b"c", CUSTOMER, f"code-{number}"), encode(CodeEntry(start_ns, f"slip-{number}", "p")))
    return store


class Task:
    """Some of the bets, evenly; and what messages cost."""

    def __init__(self, store: DictStore, bets: int = BETS) -> None:
        self.store = CountingStore()
        clock = Clock(ns(400), ns(0), ns(400), 0, None, [(0, ns(0))])
        self.store.entries[key_of(b"t", CUSTOMER)] = encode(clock)
        for number in range(0, BETS, BETS // bets):
            for key in (key_of(b"s", CUSTOMER, f"slip-{number}"), key_of(b"c", CUSTOMER, f"code-{number}")):
                self.store.entries[key] = store.entries[key]
        self.driver = Driver(RmsJoin(), store=self.store)

    def cost(self, message: AnyMessage) -> int:
        """Return how many entries were read for one message."""
        before = self.store.reads
        value = pending.encode(message)
        self.driver.feed_record(Record(offset=self.driver.offset, value=value, headers=(), topic=TOPIC))
        return self.store.reads - before


def test_a_record_costs_what_it_is_about(store: DictStore):
    task = Task(store)
    task.cost(time(590, by_code=3))  # memory is made, once
    assert task.store.walks == 1
    costs = [task.cost(time(590 + tick / 10, by_code=3)) for tick in range(90)]
    costs += [task.cost(Passed(customer=CUSTOMER, ordinal=ordinal)) for ordinal in (1, 3, 2)]
    costs += [task.cost(placed("new", 600)), task.cost(answered("new", 600, code="new"))]
    costs += [
        task.cost(approval("accept", 600, slip="new")),
        task.cost(approval("accept", 600, slip=None, code="code-7")),
    ]
    assert max(costs) <= 4
    assert task.store.walks == 1


def test_a_second_costs_the_windows_that_end_in_it(store: DictStore):
    task = Task(store, 10_000)
    task.cost(time(590))
    cost = task.cost(time(610))
    ended = sum(output.topic == "rms.decisions" for output in task.driver.outputs)
    assert 160 < ended < 170
    assert cost <= 3 * ended + 4


def test_waiting_for_proof_costs_nothing(store: DictStore):
    """The socket is open and silent: windows end, and every second asks what is proven, not who waits."""
    task = Task(store, 10_000)
    task.cost(time(600))
    task.cost(time(610, proven=600))
    assert max(task.cost(time(610 + tick / 1_000, proven=600)) for tick in range(1, 3)) <= 20
    assert not task.driver.outputs
    cost = task.cost(time(611, proven=610))
    assert cost > 160


def test_a_gap_is_walked_once(store: DictStore):
    task = Task(store, 2_000)
    task.cost(time(400))
    assert task.cost(time(401, None)) <= 4
    assert 4_000 <= task.cost(time(402, 402)) <= 8_000
    assert sum(output.topic == "rms.lookups" for output in task.driver.outputs) == 50
    assert max(task.cost(time(403 + tick, 402)) for tick in range(5)) <= 4
