"""What can be done to three brokers under a connector; each is a context manager and lasts as long as it is held."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

import psutil
from confluent_kafka.admin import AdminClient

from tricast.kafka import Cluster

_SLOW_CYCLE_S = 0.2
_SLOW_STOPPED_S = 0.17


def leader_of(cluster: Cluster, topic: str) -> int:
    """Return the broker that leads partition 0 of ``topic``."""
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap_servers, "log_level": 2})
    return admin.list_topics(topic, timeout=30).topics[topic].partitions[0].leader


@contextmanager
def all_killed(cluster: Cluster, topic: str) -> Iterator[None]:
    """Every broker gets SIGKILL at once."""
    for broker in cluster.brokers:
        os.kill(_pid(cluster, broker), signal.SIGKILL)
    yield
    cluster.start()


@contextmanager
def all_paused(cluster: Cluster, topic: str) -> Iterator[None]:
    for broker in cluster.brokers:
        cluster.pause_broker(broker)
    yield
    for broker in cluster.brokers:
        cluster.resume_broker(broker)


@contextmanager
def leader_killed(cluster: Cluster, topic: str) -> Iterator[None]:
    leader = leader_of(cluster, topic)
    cluster.kill_broker(leader)
    yield
    cluster.start_broker(leader)


@contextmanager
def leader_paused(cluster: Cluster, topic: str) -> Iterator[None]:
    leader = leader_of(cluster, topic)
    cluster.pause_broker(leader)
    yield
    cluster.resume_broker(leader)


@contextmanager
def leader_moves(cluster: Cluster, topic: str) -> Iterator[None]:
    """The leader stops in order: leadership moves first, and comes back later."""
    leader = leader_of(cluster, topic)
    cluster.stop_broker(leader)
    yield
    cluster.start_broker(leader)


@contextmanager
def two_killed(cluster: Cluster, topic: str) -> Iterator[None]:
    """The leader alone is left: no majority of the controllers, and fewer replicas than ``min.insync.replicas``."""
    leader = leader_of(cluster, topic)
    others = [broker for broker in cluster.brokers if broker != leader]
    for broker in others:
        cluster.kill_broker(broker)
    yield
    cluster.start()


@contextmanager
def two_paused(cluster: Cluster, topic: str) -> Iterator[None]:
    leader = leader_of(cluster, topic)
    others = [broker for broker in cluster.brokers if broker != leader]
    for broker in others:
        cluster.pause_broker(broker)
    yield
    for broker in others:
        cluster.resume_broker(broker)


@contextmanager
def leader_slow(cluster: Cluster, topic: str) -> Iterator[None]:
    """The leader stands still for most of every 200 ms."""
    pid, over = _pid(cluster, leader_of(cluster, topic)), threading.Event()

    def slow() -> None:
        with suppress(ProcessLookupError):
            while not over.wait(_SLOW_CYCLE_S - _SLOW_STOPPED_S):
                os.kill(pid, signal.SIGSTOP)
                over.wait(_SLOW_STOPPED_S)
                os.kill(pid, signal.SIGCONT)

    thread = threading.Thread(target=slow)
    thread.start()
    yield
    over.set()
    thread.join()


@contextmanager
def leader_disk_full(cluster: Cluster, topic: str) -> Iterator[None]:
    """No write of the leader makes a file longer: its only log directory fails, and it halts."""
    leader = leader_of(cluster, topic)
    psutil.Process(_pid(cluster, leader)).rlimit(psutil.RLIMIT_FSIZE, (1, psutil.RLIM_INFINITY))
    yield
    if (pid := cluster.pid(leader)) is not None:
        psutil.Process(pid).rlimit(psutil.RLIMIT_FSIZE, (psutil.RLIM_INFINITY, psutil.RLIM_INFINITY))
        cluster.kill_broker(leader)
    cluster.start_broker(leader)


Strike = Callable[[Cluster, str], AbstractContextManager[None]]

STRIKES: dict[str, Strike] = {
    strike.__name__.replace("_", "-"): strike
    for strike in (
        all_killed,
        all_paused,
        leader_killed,
        leader_paused,
        leader_moves,
        two_killed,
        two_paused,
        leader_slow,
        leader_disk_full,
    )
}


def _pid(cluster: Cluster, broker: int) -> int:
    pid = cluster.pid(broker)
    assert pid is not None, f"broker {broker} does not run"
    return pid
