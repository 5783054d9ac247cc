"""Faults, one kind a scenario, each under load and judged from outside.

A scenario is a function over a :class:`Run`. ``times`` says how often it strikes; the same function serves the short
seeded selection of ``make test`` and the long runs of ``make faults``.
"""

import asyncio
import random
import re
import signal
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from confluent_kafka import Producer

from tests.faults import brokers, steps
from tests.faults.harness import PARTITIONS, Feeder, Judge, Verdict, Workers, create_topics
from tests.faults.quotas import limit_fetch
from tricast.kafka import Cluster

SESSION_S = 6.0
TRANSACTION_S = 10.0
GROUP_GRACE_S = 2.0
"""What a takeover may last beyond the session."""
PATIENCE_S = 600.0
"""A busy machine is no finding: a worker's start alone may take minutes there."""
STOCK_PATIENCE_S = 60.0
"""Stock Faust is not waited for so long: what it has lost never comes."""
SHORT, BETWEEN, LONG = 3.0, 8.0, 14.0
"""Seconds of SIGSTOP: below the session time-out, between it and the transaction time-out, above both."""


@dataclass
class Run:
    """One scenario's cluster, workers, feeder and judge."""

    cluster: Cluster
    log_dir: Path
    seed: int
    workers_count: int
    rate: float
    prefix: str = field(default_factory=lambda: f"f{uuid.uuid4().hex[:8]}.")
    session_s: float = SESSION_S
    stock_faust: str | None = None
    """Faust's processing guarantee, when its plain agent does the job instead of the engine."""
    older: Path | None = None
    """Root of an older version, for what changes versions."""
    is_static: bool = False
    """Whether workers are static members of their group, which the engine does not use."""
    workers: Workers = field(init=False)
    feeder: Feeder = field(init=False)
    judge: Judge = field(init=False)
    remarks: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.log_dir.mkdir(parents=True, exist_ok=True)

    @property
    def bootstrap(self) -> str:
        return self.cluster.bootstrap_servers

    @property
    def patience_s(self) -> float:
        return PATIENCE_S if self.stock_faust is None else STOCK_PATIENCE_S

    def prepare(self) -> None:
        create_topics(self.bootstrap, self.prefix, replication=min(3, len(self.cluster.brokers)))

    def start(self) -> None:
        self.judge = Judge(self.bootstrap, self.prefix)
        self.judge.start()
        self.feeder = Feeder(self.bootstrap, self.prefix, self.rate)
        membership: dict[str, Any] = {"session_timeout_s": self.session_s, "heartbeat_interval_s": 1}
        if self.is_static:
            membership["is_static"] = True
        where = (self.bootstrap, self.prefix, self.workers_count, self.log_dir)
        if self.stock_faust is None:
            self.workers = Workers(*where, transaction_timeout_s=TRANSACTION_S, **membership)
        else:
            plain = {"guarantee": self.stock_faust, "replication": min(3, len(self.cluster.brokers))}
            self.workers = Workers(*where, module="tests.faults.stock_faust", **plain, **membership)
        self.feeder.start()
        self.flowing()
        self.drained()
        self.judge.waits_from = time.monotonic()

    def flowing(self, timeout_s: float | None = None) -> None:
        """Wait until a record produced from now on came out."""
        timeout_s = self.patience_s if timeout_s is None else timeout_s
        mark = max(self.feeder.acknowledged, default=-1)
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            self.workers.tend()
            if any(number > mark for number in list(self.judge.arrived)[-50:]):
                return
            time.sleep(0.05)
        raise AssertionError(f"nothing came out for {timeout_s} s\n{self.workers.logs()[-4000:]}")

    def drained(self) -> None:
        """Wait until everything acknowledged so far came out."""
        wanted = set(self.feeder.acknowledged)
        deadline = time.monotonic() + self.patience_s
        while time.monotonic() < deadline and not wanted <= self.judge.arrived.keys():
            self.workers.tend()
            time.sleep(0.05)

    def load_for(self, low_s: float, high_s: float) -> None:
        """Let load run between two faults."""
        until = time.monotonic() + self.random.uniform(low_s, high_s)
        while time.monotonic() < until:
            self.workers.tend()
            time.sleep(0.05)

    def slot(self) -> int:
        return self.random.randrange(self.workers_count)

    def finish(self) -> Verdict:
        self.feeder.paused = False
        self.feeder.finish()
        return self.judge.close(
            self.feeder, patience_s=self.patience_s, settle_s=self.session_s + TRANSACTION_S, tend=self.workers.tend
        )

    def close(self) -> None:
        if hasattr(self, "workers"):
            self.workers.close()
            self.feeder.wanted.set()
            self.judge.quit.set()
        self.cluster.start()


def kill(run: Run, times: int) -> None:
    """SIGKILL at any moment, the worker is started again at once."""
    for _ in range(times):
        run.load_for(0.3, 4)
        run.workers.kill(run.slot())


def kill_alone(run: Run, times: int) -> None:
    """SIGKILL, one at a time, each healed before the next: how long is a reader kept waiting?"""
    for _ in range(times):
        run.load_for(0.5, 2)
        run.workers.kill(run.slot())
        run.flowing()
        run.drained()


def term(run: Run, times: int) -> None:
    """SIGTERM in the middle of cycles: exit 0, nothing left open."""
    for _ in range(times):
        run.load_for(0.3, 3)
        code = run.workers.term(run.slot())
        if code == -signal.SIGTERM:
            run.remarks.append("SIGTERM before Python had begun")
        elif code != 0:
            run.remarks.append(f"SIGTERM exit code {code}")


def upgrade(run: Run, times: int) -> None:
    """One worker after the other goes to the older version, then all of them back, and so on."""
    if run.older is None:
        raise AssertionError("needs another version: --from REVISION")
    for _ in range(times):
        for slot in range(run.workers_count):
            run.load_for(1, 3)
            is_older = run.workers.trees.pop(slot, None) is not None
            if not is_older:
                run.workers.trees[slot] = run.older
            code = run.workers.term(slot)
            if code != 0:
                run.remarks.append(f"the older version ended with {code}" if is_older else f"SIGTERM exit code {code}")
            run.flowing()


def stop_busy(seconds: float) -> Callable[[Run, int], None]:
    """SIGSTOP for ``seconds`` under load."""

    def scenario(run: Run, times: int) -> None:
        for _ in range(times):
            run.load_for(0.5, 3)
            run.workers.pause(run.slot(), seconds)
            run.flowing()

    return scenario


def stop_idle(seconds: float) -> Callable[[Run, int], None]:
    """SIGSTOP for ``seconds`` while nothing flows; load comes back while the worker still sleeps or just woke."""

    def scenario(run: Run, times: int) -> None:
        for _ in range(times):
            run.load_for(0.5, 1.5)
            run.feeder.paused = True
            run.drained()
            slot = run.slot()
            run.workers.signal(slot, signal.SIGSTOP)
            time.sleep(seconds * run.random.uniform(0.8, 1.0))
            run.feeder.paused = False
            time.sleep(seconds * 0.2)
            run.workers.signal(slot, signal.SIGCONT)
            run.flowing()

    return scenario


def stop_opening(seconds: float) -> Callable[[Run, int], None]:
    """A fresh worker is stopped while it joins and opens tasks."""

    def scenario(run: Run, times: int) -> None:
        for _ in range(times):
            run.load_for(0.5, 1.5)
            slot = run.slot()
            run.workers.kill(slot)
            time.sleep(run.random.uniform(0.8, SESSION_S + 2.5))
            run.workers.pause(slot, seconds)
            run.flowing()

    return scenario


def come_back(run: Run, times: int) -> None:
    """Tasks go A → B → A, and A, the same process, missed the generation in between."""
    for _ in range(times):
        first, second = 0, 1
        run.flowing()
        run.feeder.paused = True
        run.drained()
        run.workers.signal(first, signal.SIGSTOP)
        run.feeder.paused = False
        time.sleep(run.session_s + 2)
        run.flowing()  # the other worker owns everything now and has moved the state on
        run.feeder.paused = True
        run.drained()
        run.workers.signal(first, signal.SIGCONT)
        time.sleep(2)
        run.workers.end(second)
        time.sleep(run.session_s + 2)
        run.feeder.paused = False
        run.flowing()
        run.workers.start(second)
        run.load_for(2, 3)


def broker_kill(run: Run, times: int) -> None:
    """SIGKILL of a broker, another one each time; it comes back after some seconds."""
    for _ in range(times):
        run.load_for(1, 3)
        broker = run.random.choice(run.cluster.brokers)
        run.cluster.kill_broker(broker)
        run.load_for(2, 6)
        run.cluster.start_broker(broker)
        run.cluster.await_in_sync(brokers.SYNC_S)
        run.flowing()


def mixed(run: Run, times: int) -> None:
    """One fault of another kind after the other, in an order that the seed decides."""
    strikes = [kill, term, stop_busy(SHORT), stop_busy(BETWEEN), broker_kill, stop_idle(BETWEEN)]
    order = [strikes[number % len(strikes)] for number in range(times)]
    run.random.shuffle(order)
    for strike in order:
        strike(run, 1)


def slow_restore(run: Run, times: int) -> None:
    """Restoring takes three session time-outs; the group must not notice. ``times``: thousand entries a partition."""
    run.feeder.finish()
    opened = [
        (int(count), int(generation), float(seconds))
        for count, generation, seconds in re.findall(
            r"tasks\.opened count=(\d+) kept=\d+ generation=(\d+) entries=\d+ seconds=([\d.]+)", run.workers.logs()
        )
    ]
    longest = max(seconds for _, _, seconds in opened)
    generation = max(generation for _, generation, _ in opened)
    run.remarks.append(f"restore {longest:.1f} s = {longest / run.session_s:.1f} sessions, generation {generation}")
    if longest < 3 * run.session_s:
        run.remarks.append("TOO QUICK: restore shorter than three session time-outs")
    if generation > run.workers_count:
        run.remarks.append("EXTRA REBALANCE")


RESTORE_BYTES_PER_SECOND = 500_000.0


def limit_restore(run: Run) -> None:
    """Brokers that hand out changelogs slowly."""
    for slot in range(run.workers_count):
        client_id = f"{run.prefix}toy-w{slot}.restore"
        asyncio.run(limit_fetch(run.bootstrap, client_id, RESTORE_BYTES_PER_SECOND))


def prefill_changelog(run: Run, entries_per_partition: int) -> None:
    """State as an older worker would have left it."""
    producer = Producer({"bootstrap.servers": run.bootstrap, "linger.ms": 20, "queue.buffering.max.messages": 500_000})
    topic = f"{run.prefix}changelog.toy.toy.raw"
    for number in range(entries_per_partition):
        for partition in range(PARTITIONS):
            while True:
                try:
                    producer.produce(topic, b"1", key=b"s|padding-%d" % number, partition=partition)
                    break
                except BufferError:
                    producer.poll(0.1)
        if number % 1000 == 0:
            producer.poll(0)
    producer.flush(120)


@dataclass(frozen=True)
class Scenario:
    """A named fault with its load; ``times`` is for ``make faults``."""

    name: str
    strike: Callable[[Run, int], None]
    times: int
    workers: int = 2
    rate: float = 125.0
    session_s: float = SESSION_S
    prefill: int = 0


SCENARIOS = (
    Scenario("kill-2-workers-500", kill, 16, rate=500),
    Scenario("kill-3-workers-500", kill, 16, workers=3, rate=500),
    Scenario("kill-2-workers-75", kill, 12, rate=75),
    Scenario("kill-2-workers-1", kill, 10, rate=1),
    Scenario("kill-3-workers-1", kill, 10, workers=3, rate=1),
    Scenario("kill-alone", kill_alone, 6),
    Scenario("term", term, 12, rate=500),
    Scenario("upgrade", upgrade, 6, rate=500),
    Scenario("stop-short-busy", stop_busy(SHORT), 6, rate=500),
    Scenario("stop-between-busy", stop_busy(BETWEEN), 6, rate=500),
    Scenario("stop-long-busy", stop_busy(LONG), 5, rate=500, workers=3),
    Scenario("stop-short-idle", stop_idle(SHORT), 5),
    Scenario("stop-between-idle", stop_idle(BETWEEN), 5, workers=3),
    Scenario("stop-long-idle", stop_idle(LONG), 5),
    Scenario("stop-short-opening", stop_opening(SHORT), 5),
    Scenario("stop-between-opening", stop_opening(BETWEEN), 5),
    Scenario("stop-long-opening", stop_opening(LONG), 5),
    Scenario("come-back", come_back, 5),
    Scenario("broker-kill", broker_kill, 12, workers=3),
    Scenario("transaction-coordinator-kill", brokers.broker_down(brokers.transaction_coordinator, "kill"), 6),
    Scenario("transaction-coordinator-stop", brokers.broker_down(brokers.transaction_coordinator, "stop"), 4),
    Scenario("group-coordinator-kill", brokers.broker_down(brokers.group_coordinator, "kill"), 6),
    Scenario("group-coordinator-stop", brokers.broker_down(brokers.group_coordinator, "stop"), 4),
    Scenario("output-leader-kill", brokers.broker_down(brokers.output_leader, "kill"), 6),
    Scenario("between-steps", steps.between_steps, 30, workers=1, rate=1),
    Scenario("brokers-rolled", brokers.rolled, 2, workers=3),
    Scenario("leaders-move", brokers.leaders_move, 6),
    Scenario("broker-paused", brokers.broker_paused(brokers.any_broker, SHORT, BETWEEN, LONG), 6),
    Scenario("controller-paused", brokers.broker_paused(brokers.controller, SHORT, BETWEEN, LONG), 3),
    Scenario("group-coordinator-paused", brokers.broker_paused(brokers.group_coordinator, SHORT, BETWEEN, LONG), 3),
    Scenario("broker-hung", brokers.broker_hung, 3),
    Scenario("broker-slow", brokers.broker_slow, 3),
    Scenario("two-brokers-down", brokers.two_down, 3),
    Scenario("all-brokers-killed", brokers.all_killed(1, 15, 25), 3, workers=3),
    Scenario("all-brokers-away-for-long", brokers.all_killed(70), 1, workers=3),
    Scenario("broker-kill-while-restoring", brokers.restoring, 6, workers=3),
    Scenario("mixed", mixed, 18, workers=3, rate=250),
    Scenario("slow-restore", slow_restore, 1, rate=5, session_s=3.0, prefill=450_000),
)


def execute(
    scenario: Scenario,
    cluster: Cluster,
    log_dir: Path,
    seed: int,
    times: int | None = None,
    rate: float | None = None,
    stock_faust: str | None = None,
    older: Path | None = None,
) -> Run:
    """Run ``scenario``, at ``rate`` at most; the verdict is in ``run.judge.verdict``."""
    run = Run(
        cluster,
        log_dir / f"{scenario.name}-{seed}",
        seed,
        scenario.workers,
        min(scenario.rate, rate or scenario.rate),
        session_s=scenario.session_s,
        stock_faust=stock_faust,
        older=older,
    )
    try:
        run.prepare()
        if scenario.prefill:
            limit_restore(run)
            prefill_changelog(run, scenario.prefill)
        run.start()
        scenario.strike(run, scenario.times if times is None else times)
        run.finish()
    finally:
        run.close()
    return run


def complaints(scenario: Scenario, run: Run) -> list[str]:
    """Return what is wrong with a finished run; empty when it held."""
    verdict = run.judge.verdict
    found = [] if verdict.clean else [verdict.line(), *verdict.examples]
    if scenario.strike is kill_alone and verdict.longest_wait_s > run.session_s + GROUP_GRACE_S:
        found.append(f"a reader waited {verdict.longest_wait_s:.1f} s, longer than session + {GROUP_GRACE_S} s")
    found += [
        remark
        for remark in run.remarks
        if remark.isupper() or "exit code" in remark or "TOO" in remark or "TORN" in remark
    ]
    return found
