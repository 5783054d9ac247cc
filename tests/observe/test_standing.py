import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from connectors.counts import Facts, LineState
from processors.engine.counts import Counts, CycleCounts, Fetched, WorkerFacts
from schemas.metrics import Part
from tricast.observe.beat import Beat
from tricast.observe.connector import line_faults
from tricast.observe.exporter import Sample
from tricast.observe.process import LOOP_DEAD_S, LOOP_LATE_S, START_S, ObservedProcess
from tricast.observe.standing import Fault, Judge
from tricast.observe.worker import WorkerSubject

SLOW = Fault(code="slow", text="it is slow", severity="degraded", patience_s=10)
AWAY = Fault(code="away", text="it is away", severity="unready")


# Patience.


def test_there_is_no_patience_before_all_was_well_once() -> None:
    judge = Judge()
    assert judge.judge([SLOW], 0).state == "degraded"
    assert judge.judge([], 1).state == "ready"
    assert judge.judge([SLOW], 2).state == "ready"


def test_what_holds_for_longer_than_its_patience_counts_and_a_moment_between_begins_it_anew() -> None:
    judge = Judge()
    judge.judge([], 0)
    assert [judge.judge([SLOW], at_s).state for at_s in (1, 5, 10.9, 11)] == ["ready", "ready", "ready", "degraded"]
    assert judge.judge([], 12).state == "ready"
    assert judge.judge([SLOW], 13).state == "ready"


def test_the_worst_reason_makes_the_state_and_comes_first() -> None:
    standing = Judge().judge([SLOW, AWAY], 0)
    assert (standing.state, standing.reasons) == ("unready", (AWAY, SLOW))


# Lines.


@pytest.mark.parametrize(
    ("lines", "state"),
    [
        ({}, "ready"),
        ({"live": 3}, "ready"),
        ({"waiting": 2, "ended": 1}, "ready"),
        ({"live": 1, "connecting": 1}, "degraded"),
        ({"live": 1, "refused": 1}, "degraded"),
        ({"connecting": 2}, "unready"),
        ({"open": 1}, "unready"),
        ({"refused": 1, "waiting": 1}, "unready"),
    ],
    ids=str,
)
def test_lines_have_to_be_subscribed_or_joined(lines: dict[LineState, int], state: str) -> None:
    assert Judge().judge(line_faults(Facts(lines=Counter(lines))), 0).state == state


# A worker's progress.


class Engine:
    def __init__(self) -> None:
        self.counts, self.task_counts = CycleCounts(), Counts()


class Worker:
    """A worker whose facts are set by hand, looked at once a second."""

    def __init__(self) -> None:
        self.facts = WorkerFacts(joined=True, assigned=2, open=2)
        self.engine = Engine()
        self.subject = WorkerSubject(
            "toy", outputs=("toy.out",), facts=lambda: self.facts, engine=lambda: self.engine, stuck_s=20
        )
        self.judge = Judge()
        self.now_s = 0.0
        self.look()

    def look(self, after_s: float = 1.0) -> str:
        self.now_s += after_s
        return self.judge.judge(self.subject.faults(self.now_s), self.now_s).state

    def stands(self, **facts: Any) -> None:
        self.facts = WorkerFacts(joined=True, assigned=2, open=2, **facts)


def test_work_without_commits_makes_it_unready_and_a_commit_ready_again() -> None:
    worker = Worker()
    worker.stands(lag=5, committed=100)
    assert [worker.look() for _ in range(20)] == ["ready"] * 20
    assert (worker.look(), worker.subject.stalled_s) == ("unready", 20)
    worker.stands(lag=4, committed=101)
    assert (worker.look(), worker.subject.stalled_s) == ("ready", 0)


def test_an_outage_of_kafka_is_no_stall_that_a_restart_would_end() -> None:
    worker = Worker()
    worker.stands(lag=5, committed=100, kafka_away=True)
    assert [worker.look(2) for _ in range(4)] == ["ready", "ready", "ready", "unready"]
    assert (worker.look(3_600), worker.subject.stalled_s) == ("unready", 0)
    worker.stands(lag=5, committed=100)
    assert [worker.look() for _ in range(20)] == ["ready"] * 19 + ["unready"], "it has its time again, and no more"


def test_without_work_nothing_has_to_move() -> None:
    worker = Worker()
    worker.stands(committed=100)
    assert [worker.look(), worker.look(1_000)] == ["ready", "ready"]
    worker.stands(committed=100, lag=1)  # work that has only just come
    assert worker.look() == "ready"


def test_rebalances_are_given_time() -> None:
    worker = Worker()
    worker.facts = WorkerFacts()
    assert [worker.look(2) for _ in range(4)] == ["ready", "ready", "ready", "unready"]
    worker.facts = WorkerFacts(joined=True, assigned=3, open=1)
    assert [worker.look(2) for _ in range(4)] == ["ready", "ready", "ready", "unready"]


def test_a_bug_in_the_core_degrades_for_a_minute() -> None:
    worker = Worker()
    worker.engine.task_counts.failures = 1
    assert [worker.look(), worker.look(59), worker.look(2)] == ["degraded", "degraded", "ready"]


@pytest.mark.parametrize(
    ("fetched", "committed", "lag"),
    [
        (Fetched(handed_over=10, position=10, readable=10), 10, 0),
        (Fetched(handed_over=10, position=12, readable=12), 10, 0),
        (Fetched(handed_over=10, position=12, readable=12), 9, 3),
        (Fetched(handed_over=10, position=10, readable=15), 10, 5),
        (Fetched(handed_over=10, position=10, readable=8), 10, 0),
    ],
    ids=["idle", "markers-behind-the-last-record", "in-hand", "to-fetch", "told-before"],
)
def test_lag_counts_records_and_not_what_only_markers_fill(fetched: Fetched, committed: int, lag: int) -> None:
    assert fetched.lag(committed) == lag


# The loop.


class Subject:
    part: Part = "worker"
    stalled_s = 0.0
    broken = False

    def samples(self) -> Iterator[Sample]:
        if self.broken:
            raise KeyError("a bug")
        yield Sample("tricast_worker_cycles_total", ("toy",), 7)

    def faults(self, now_s: float) -> Iterator[Fault]:
        yield from ()


class Observed:
    def __init__(self) -> None:
        self.now_s = 1_000.0
        self.subject = Subject()
        self.beat = Beat(self.subject, lambda: self.now_s)
        self.process = ObservedProcess("work toy", version="1", beat=self.beat, dead_s=60)

    @property
    def answers(self) -> tuple[str, str]:
        return str(self.process.readyz()[1]["state"]), str(self.process.livez()[1]["state"])


def test_before_its_loop_runs_it_is_alive_for_a_while_and_not_ready() -> None:
    observed = Observed()
    assert observed.answers == ("unready", "alive")
    observed.now_s += START_S
    assert observed.answers == ("unready", "stuck")


def test_a_loop_that_stands_still_is_first_not_ready_and_then_not_alive() -> None:
    observed = Observed()
    observed.beat.beat()
    assert (observed.answers, observed.process.readyz()[0]) == (("ready", "alive"), 200)
    observed.now_s += LOOP_LATE_S
    assert (observed.answers, observed.process.readyz()[0]) == (("unready", "alive"), 503)
    observed.now_s += LOOP_DEAD_S - LOOP_LATE_S
    assert (observed.answers, observed.process.livez()[0]) == (("unready", "stuck"), 503)
    page = observed.process.metrics().decode()
    assert 'tricast_process_state{state="unready"} 1.0' in page
    assert "tricast_process_alive 0.0" in page
    assert f"tricast_process_loop_silence_seconds {LOOP_DEAD_S}" in page
    assert 'tricast_worker_cycles_total{processor="toy"} 7.0' in page, "what the loop saw last stays readable"
    observed.beat.beat()
    assert observed.answers == ("ready", "alive")


def test_no_progress_for_very_long_is_not_alive() -> None:
    observed = Observed()
    observed.subject.stalled_s = 60
    observed.beat.beat()
    assert observed.process.livez()[0] == 503


def test_looking_that_fails_degrades_and_the_last_numbers_stay() -> None:
    observed = Observed()
    observed.beat.beat()
    observed.subject.broken = True
    observed.now_s += 2
    observed.beat.beat()
    status, body = observed.process.readyz()
    assert (status, body["state"], body["reasons"][0]["code"]) == (200, "degraded", "look-failed")
    assert 'tricast_worker_cycles_total{processor="toy"} 7.0' in observed.process.metrics().decode()


async def test_a_blocked_loop_shows_as_lag() -> None:
    beat = Beat(Subject())
    beating = asyncio.create_task(beat.run())
    while not beat.beats:  # noqa: ASYNC110 - it has no event
        await asyncio.sleep(0)
    until_s = asyncio.get_running_loop().time() + 0.6
    while asyncio.get_running_loop().time() < until_s:
        pass
    while not beat.lag.count:  # noqa: ASYNC110 - it has no event
        await asyncio.sleep(0.01)
    beating.cancel()
    assert beat.lag.sum > 0.3
