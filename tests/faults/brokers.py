"""Faults of brokers: the ones a transaction, a group or a restore depends on, away, slow, or all at once."""

import json
import signal
import time
from collections.abc import Callable
from itertools import cycle, islice
from typing import TYPE_CHECKING

import psutil
from confluent_kafka import ElectionType, TopicPartition
from confluent_kafka.admin import AdminClient

from tests.faults.harness import PARTITIONS, QUIET
from tests.faults.reassign import reassign

if TYPE_CHECKING:
    from tests.faults.scenarios import Run

SLICE_S = 0.2
STARVED_SHARE = 0.75
HANDOVER_S = 5.0
SYNC_S = 300.0


def leaders(run: "Run", topic: str) -> dict[int, int]:
    """Return partition to leading broker."""
    found = AdminClient(QUIET | {"bootstrap.servers": run.bootstrap}).list_topics(topic, timeout=20).topics[topic]
    return {number: partition.leader for number, partition in found.partitions.items()}


def coordinator(run: "Run", topic: str, name: str) -> int:
    """Return the broker that coordinates the group or transactional id ``name``; ``topic`` is Kafka's own."""
    code = 0
    for letter in name:  # Java's String.hashCode
        code = (31 * code + ord(letter)) & 0xFFFFFFFF
    led = leaders(run, topic)
    return led[(code & 0x7FFFFFFF) % len(led)]


def transaction_coordinator(run: "Run") -> int:
    return coordinator(run, "__transaction_state", f"{run.prefix}toy-w{run.slot()}")


def group_coordinator(run: "Run") -> int:
    return coordinator(run, "__consumer_offsets", f"{run.prefix}toy")


def output_leader(run: "Run") -> int:
    return leaders(run, f"{run.prefix}toy.out")[run.random.randrange(PARTITIONS)]


def any_broker(run: "Run") -> int:
    return run.random.choice(run.cluster.brokers)


def controller(run: "Run") -> int:
    """Return the broker that is the quorum's leader, as its own files say."""
    for broker in run.cluster.brokers:
        state = json.loads(
            (run.cluster.files.node(broker).storage / "__cluster_metadata-0" / "quorum-state").read_text()
        )
        if state["leaderId"] == broker:
            return broker
    return any_broker(run)


Choice = Callable[["Run"], int]


def back(run: "Run", *brokers: int) -> None:
    """Start ``brokers`` again and wait until records flow."""
    for broker in brokers:
        run.cluster.start_broker(broker)
    run.cluster.await_in_sync(SYNC_S)
    run.flowing()


def broker_down(choose: Choice, how: str) -> Callable[["Run", int], None]:
    """Kill or stop the broker that ``choose`` names, and start it again after a while."""

    def scenario(run: "Run", times: int) -> None:
        for _ in range(times):
            run.load_for(1, 3)
            broker = choose(run)
            (run.cluster.kill_broker if how == "kill" else run.cluster.stop_broker)(broker)
            run.load_for(2, 5)
            back(run, broker)

    return scenario


def broker_paused(choose: Choice, *seconds: float) -> Callable[["Run", int], None]:
    """SIGSTOP of a broker: connections stay open and nothing answers."""

    def scenario(run: "Run", times: int) -> None:
        for pause_s in islice(cycle(seconds), times):
            run.load_for(1, 3)
            broker = choose(run)
            run.cluster.pause_broker(broker)
            run.load_for(pause_s, pause_s)
            run.cluster.resume_broker(broker)
            run.cluster.await_in_sync(SYNC_S)
            run.flowing()

    return scenario


def broker_hung(run: "Run", times: int) -> None:
    """A broker's machine hangs and is reset after a minute: no connection is ever refused meanwhile."""
    for _ in range(times):
        run.load_for(1, 3)
        broker = any_broker(run)
        run.cluster.pause_broker(broker)
        run.load_for(60, 60)
        run.cluster.resume_broker(broker)
        run.cluster.kill_broker(broker)
        back(run, broker)


def broker_slow(run: "Run", times: int) -> None:
    """A broker gets a quarter of its time for half a minute."""
    for _ in range(times):
        broker = psutil.Process(run.cluster.pid(any_broker(run)))
        until = time.monotonic() + 30
        while time.monotonic() < until:
            broker.send_signal(signal.SIGSTOP)
            time.sleep(SLICE_S * STARVED_SHARE)
            broker.send_signal(signal.SIGCONT)
            time.sleep(SLICE_S * (1 - STARVED_SHARE))
            run.workers.tend()
        run.cluster.await_in_sync(SYNC_S)
        run.flowing()


def rolled(run: "Run", times: int) -> None:
    """Every broker is stopped and started in turn, as an upgrade does."""
    for _ in range(times):
        for broker in run.cluster.brokers:
            run.load_for(1, 2)
            run.cluster.stop_broker(broker)
            run.load_for(1, 2)
            back(run, broker)


def all_killed(*seconds: float) -> Callable[["Run", int], None]:
    """SIGKILL of all brokers at once under load; they stay away for ``seconds``."""

    def scenario(run: "Run", times: int) -> None:
        for away_s in islice(cycle(seconds), times):
            run.load_for(1, 3)
            for broker in run.cluster.brokers:
                run.cluster.kill_broker(broker)
            run.load_for(away_s, away_s)
            run.cluster.start()
            run.cluster.await_in_sync(SYNC_S)
            run.flowing()

    return scenario


def two_down(run: "Run", times: int) -> None:
    """Two of three brokers are away for 20 s: no quorum, nothing can be acknowledged."""
    for _ in range(times):
        run.load_for(1, 3)
        gone = run.random.sample(run.cluster.brokers, 2)
        for broker in gone:
            run.cluster.kill_broker(broker)
        run.load_for(20, 20)
        run.cluster.start()
        run.cluster.await_in_sync(SYNC_S)
        run.flowing()


def leaders_move(run: "Run", times: int) -> None:
    """Replicas are moved and leaders elected anew, of our topics and of Kafka's own, while records flow."""
    admin = AdminClient(QUIET | {"bootstrap.servers": run.bootstrap})
    topics = [f"{run.prefix}{name}" for name in ("toy.raw", "toy.out", "changelog.toy.toy.raw")]
    topics += ["__transaction_state", "__consumer_offsets"]
    for number in range(times):
        partitions = [(topic, part) for topic in topics for part in leaders(run, topic)]
        replicas = 2 if number % 2 == 0 else 3
        moves = {place: run.random.sample(run.cluster.brokers, replicas) for place in partitions}
        reassign(run.bootstrap, moves)
        run.load_for(2, 4)
        run.cluster.await_in_sync(SYNC_S)
        admin.elect_leaders(ElectionType.PREFERRED, [TopicPartition(*place) for place in partitions]).result()
        run.load_for(1, 3)
        run.flowing()
    back_to_three = [(topic, part) for topic in topics for part in leaders(run, topic)]
    reassign(run.bootstrap, {place: run.random.sample(run.cluster.brokers, 3) for place in back_to_three})
    run.cluster.await_in_sync(SYNC_S)


def restoring(run: "Run", times: int) -> None:
    """A broker goes while tasks restore: one that leads changelogs, or coordinates the group, in turn."""
    for number in range(times):
        run.load_for(1, 2)
        broker = leaders(run, f"{run.prefix}changelog.toy.toy.raw")[number % PARTITIONS]
        run.workers.kill(run.slot())
        run.load_for(run.session_s * 0.3, run.session_s + 2)
        run.cluster.kill_broker(broker)
        run.load_for(2, 5)
        run.workers.kill(run.slot())
        run.load_for(1, HANDOVER_S)
        back(run, broker)
