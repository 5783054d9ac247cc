"""What can be done to three brokers under a connector; each is a context manager and lasts as long as it is held."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass

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


@contextmanager
def all_killed(site: Site) -> Iterator[None]:
    """Every broker gets SIGKILL at once."""
    for broker in site.cluster.brokers:
        os.kill(_pid(site, broker), signal.SIGKILL)
    yield
    site.cluster.start()


@contextmanager
def all_paused(site: Site) -> Iterator[None]:
    for broker in site.cluster.brokers:
        site.cluster.pause_broker(broker)
    yield
    for broker in site.cluster.brokers:
        site.cluster.resume_broker(broker)


@contextmanager
def leader_killed(site: Site) -> Iterator[None]:
    leader = leader_of(site)
    site.cluster.kill_broker(leader)
    yield
    site.cluster.start_broker(leader)


@contextmanager
def leader_paused(site: Site) -> Iterator[None]:
    leader = leader_of(site)
    site.cluster.pause_broker(leader)
    yield
    site.cluster.resume_broker(leader)


@contextmanager
def leader_moves(site: Site) -> Iterator[None]:
    """The leader stops in order: leadership moves first, and comes back later."""
    leader = leader_of(site)
    site.cluster.stop_broker(leader)
    yield
    site.cluster.start_broker(leader)


@contextmanager
def two_killed(site: Site) -> Iterator[None]:
    """The leader alone is left: no majority of the controllers, and fewer replicas than ``min.insync.replicas``."""
    leader = leader_of(site)
    others = [broker for broker in site.cluster.brokers if broker != leader]
    for broker in others:
        site.cluster.kill_broker(broker)
    yield
    site.cluster.start()


@contextmanager
def two_paused(site: Site) -> Iterator[None]:
    leader = leader_of(site)
    others = [broker for broker in site.cluster.brokers if broker != leader]
    for broker in others:
        site.cluster.pause_broker(broker)
    yield
    for broker in others:
        site.cluster.resume_broker(broker)


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
    with all_killed(site):
        yield
    site.client.send_signal(signal.SIGCONT)


@contextmanager
def no_descriptors_and_all_killed(site: Site) -> Iterator[None]:
    """The client may open nothing any more, neither a connection nor a file, and then loses what it has to Kafka."""
    before = site.client.rlimit(psutil.RLIMIT_NOFILE)
    site.client.rlimit(psutil.RLIMIT_NOFILE, (3, before[1]))
    with all_killed(site):
        yield
    site.client.rlimit(psutil.RLIMIT_NOFILE, before)


Strike = Callable[[Site], AbstractContextManager[None]]

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
        client_stopped,
        client_stopped_and_all_killed,
        no_descriptors_and_all_killed,
    )
}


def _pid(site: Site, broker: int) -> int:
    pid = site.cluster.pid(broker)
    assert pid is not None, f"broker {broker} does not run"
    return pid
