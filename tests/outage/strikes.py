"""What can be done to three brokers under a connector; each is a context manager and lasts as long as it is held."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial

import psutil
from confluent_kafka.admin import AdminClient

from tricast.kafka import Cluster

_SLOW_CYCLE_S = 0.2
_SLOW_STOPPED_S = 0.17


@dataclass(frozen=True)
class Site:
    """Where a strike strikes: brokers, the topic whose partition 0 has the leader that is meant, and who uses it."""

    cluster: Cluster
    topic: str
    client: psutil.Process


def leader_of(site: Site) -> int:
    """Return the broker that leads partition 0."""
    admin = AdminClient({"bootstrap.servers": site.cluster.bootstrap_servers, "log_level": 2})
    return admin.list_topics(site.topic, timeout=30).topics[site.topic].partitions[0].leader


def every(site: Site) -> list[int]:
    """Return all brokers."""
    return [*site.cluster.brokers]


def the_leader(site: Site) -> list[int]:
    """Return the broker that leads partition 0, alone."""
    return [leader_of(site)]


def all_but_the_leader(site: Site) -> list[int]:
    """Return the others; without them: no majority of controllers, fewer replicas than ``min.insync.replicas``."""
    leader = leader_of(site)
    return [broker for broker in site.cluster.brokers if broker != leader]


@contextmanager
def killed(site: Site, which: Callable[[Site], list[int]]) -> Iterator[None]:
    """SIGKILL for all of them at once."""
    for pid in [_pid(site, broker) for broker in which(site)]:
        os.kill(pid, signal.SIGKILL)
    yield
    site.cluster.start()


@contextmanager
def paused(site: Site, which: Callable[[Site], list[int]]) -> Iterator[None]:
    """SIGSTOP: connections stay open and nothing answers."""
    brokers = which(site)
    for broker in brokers:
        site.cluster.pause_broker(broker)
    yield
    for broker in brokers:
        site.cluster.resume_broker(broker)


@contextmanager
def leader_moves(site: Site) -> Iterator[None]:
    """The leader stops in order: leadership moves first, and comes back later."""
    leader = leader_of(site)
    site.cluster.stop_broker(leader)
    yield
    site.cluster.start_broker(leader)


@contextmanager
def leader_slow(site: Site) -> Iterator[None]:
    """The leader stands still for most of every 200 ms."""
    pid, over = _pid(site, leader_of(site)), threading.Event()

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
def leader_disk_full(site: Site) -> Iterator[None]:
    """No write of the leader makes a file longer: its only log directory fails, and it halts."""
    leader = leader_of(site)
    psutil.Process(_pid(site, leader)).rlimit(psutil.RLIMIT_FSIZE, (1, psutil.RLIM_INFINITY))
    yield
    if (pid := site.cluster.pid(leader)) is not None:
        psutil.Process(pid).rlimit(psutil.RLIMIT_FSIZE, (psutil.RLIM_INFINITY, psutil.RLIM_INFINITY))
        site.cluster.kill_broker(leader)
    site.cluster.start_broker(leader)


@contextmanager
def client_stopped(site: Site) -> Iterator[None]:
    """The client stands still; its sockets fill."""
    site.client.send_signal(signal.SIGSTOP)
    yield
    site.client.send_signal(signal.SIGCONT)


@contextmanager
def client_stopped_and_all_killed(site: Site) -> Iterator[None]:
    """The client sleeps through an outage: it wakes up with dead connections, and Kafka is there."""
    site.client.send_signal(signal.SIGSTOP)
    with killed(site, every):
        yield
    site.client.send_signal(signal.SIGCONT)


@contextmanager
def no_descriptors_and_all_killed(site: Site) -> Iterator[None]:
    """The client may open nothing any more, neither a connection nor a file, and then loses what it has to Kafka."""
    before = site.client.rlimit(psutil.RLIMIT_NOFILE)
    site.client.rlimit(psutil.RLIMIT_NOFILE, (3, before[1]))
    with killed(site, every):
        yield
    site.client.rlimit(psutil.RLIMIT_NOFILE, before)


Strike = Callable[[Site], AbstractContextManager[None]]

STRIKES: dict[str, Strike] = {
    "all-killed": partial(killed, which=every),
    "all-paused": partial(paused, which=every),
    "leader-killed": partial(killed, which=the_leader),
    "leader-paused": partial(paused, which=the_leader),
    "leader-moves": leader_moves,
    "two-killed": partial(killed, which=all_but_the_leader),
    "two-paused": partial(paused, which=all_but_the_leader),
    "leader-slow": leader_slow,
    "leader-disk-full": leader_disk_full,
    "client-stopped": client_stopped,
    "client-stopped-and-all-killed": client_stopped_and_all_killed,
    "no-descriptors-and-all-killed": no_descriptors_and_all_killed,
}


def _pid(site: Site, broker: int) -> int:
    pid = site.cluster.pid(broker)
    assert pid is not None, f"broker {broker} does not run"
    return pid
