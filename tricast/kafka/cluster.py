"""Start, stop and disturb an embedded Kafka of one broker or three."""

import random
import shutil
import signal
import tempfile
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import psutil

from schemas.errors import ConfigurationError, EnvironmentFault
from tricast.kafka import process
from tricast.kafka.errors import BrokerCountMismatch, BrokerDidNotStart, NoFreePort, require_space
from tricast.kafka.filelock import exclusive
from tricast.kafka.launch import start_brokers
from tricast.kafka.layout import KAFKA_VERSION, DataDir, default_cache_dir, default_data_dir
from tricast.kafka.membership import WELL_KNOWN_PORT, Membership, load, new_membership, with_free_ports
from tricast.kafka.ports import is_free
from tricast.kafka.probe import lagging_partitions, live_brokers
from tricast.kafka.release import Release, fetch_release
from tricast.kafka.settings import Node
from tricast.kafka.status import BrokerState, BrokerStatus, ClusterStatus, cluster_state
from tricast.kafka.warmstart import with_warm_start
from tricast.kafka.watchdog import Watchdog

_LOCK_TIMEOUT_S = 120.0
_SILENT_GRACE_S = 5.0  # a live process that does not answer for so long, under our lock, is not starting: it hangs
_POLL_S = 0.05
_PAUSE_S = 30.0
_PORT_ATTEMPTS = 3
_NEEDED_BYTES = 300_000_000  # per broker: preallocated indexes, internal topics, some data


class Cluster:
    """A real Apache Kafka on loopback, found again by its data directory.

    Args:
        data_dir: Where its data lies; by default ``.tricast/kafka`` under the working directory, or a temporary
            directory when ``ephemeral``.
        brokers: 1 or 3; ``None`` for what the data directory has, 1 when it is new.
        ephemeral: For tests: ended and removed on ``stop``, and when this process dies in whatever way.
        cpus: Run the brokers on these processors only.
        cache_dir: Where the jars are kept.
        version: Which Kafka; only versions whose jars are pinned.
        start_timeout_s: How long a start may take before it counts as failed.
        quiet: No progress bar on the first fetch.
    """

    def __init__(
        self,
        data_dir: Path | None = None,
        *,
        brokers: Literal[1, 3] | None = None,
        ephemeral: bool = False,
        cpus: Sequence[int] | None = None,
        cache_dir: Path | None = None,
        version: str = KAFKA_VERSION,
        start_timeout_s: float = 60.0,
        quiet: bool = False,
    ) -> None:
        if brokers not in (None, 1, 3):
            raise ConfigurationError(f"{brokers} brokers wanted", action="choose 1 or 3")
        if data_dir is None:
            data_dir = Path(tempfile.mkdtemp(prefix="tricast-kafka-")) if ephemeral else default_data_dir()
        self.files = DataDir(data_dir.absolute())
        self._brokers = brokers
        self._ephemeral = ephemeral
        self._cpus = cpus
        self._cache_dir = cache_dir or default_cache_dir()
        self._version = version
        self._start_timeout_s = start_timeout_s
        self._quiet = quiet
        self._chance = random.SystemRandom()
        self._watchdog: Watchdog | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # What there is

    @property
    def bootstrap_servers(self) -> str:
        """Comma-separated ``host:port`` list of all brokers; empty before the first start."""
        membership = load(self.files)
        return membership.bootstrap_servers if membership else ""

    @property
    def brokers(self) -> tuple[int, ...]:
        """Numbers of all brokers, from 1; empty before the first start."""
        return tuple(node.broker for node in self._nodes())

    def status(self) -> ClusterStatus:
        """Look at processes and ports; takes no lock, changes nothing."""
        membership = load(self.files)
        brokers = tuple(self._broker_status(node, membership) for node in membership.nodes) if membership else ()
        return ClusterStatus(
            state=cluster_state(brokers),
            bootstrap_servers=membership.bootstrap_servers if membership else "",
            version=self._version,
            data_dir=self.files.root,
            brokers=brokers,
        )

    def pid(self, broker: int) -> int | None:
        """Return the process id of ``broker`` while it has a process."""
        found = process.find(self.files.node(broker))
        return found.pid if found else None

    # The whole cluster

    def start(self) -> str:
        """Bring every broker up and return the bootstrap servers; what runs already is left alone.

        Dead, silent and half-made remains of earlier starts are cleaned up first.

        Raises:
            EnvironmentFault: No network, disk, port, or a broker did not come up (see ``errors``).
            BrokerCountMismatch: The data directory has another number of brokers.
        """
        release = self._release()
        with self._lock():
            for attempt in range(1, _PORT_ATTEMPTS + 1):
                try:
                    return self._start(release)
                except BrokerDidNotStart as error:
                    # Somebody took a port between our look and the broker's: other ports, unless it goes on.
                    if "Address already in use" not in error.tail or attempt == _PORT_ATTEMPTS:
                        raise
        raise AssertionError("unreachable: the last attempt returns or raises")

    def stop(self, grace_s: float = 15.0) -> None:
        """End every broker: SIGTERM, up to ``grace_s``, SIGKILL. Data is kept, save that of an ephemeral cluster."""
        if not self.files.root.exists():
            return
        with self._lock():
            nodes = [self.files.node(node.broker) for node in self._nodes()]
            process.end([found for files in nodes if (found := process.find(files))], 0 if self._ephemeral else grace_s)
            for files in nodes:
                files.process.unlink(missing_ok=True)
        if self._ephemeral:
            shutil.rmtree(self.files.root, ignore_errors=True)
        if self._watchdog:
            self._watchdog.dismiss()
            self._watchdog = None

    # One broker, for fault tests

    def kill_broker(self, broker: int) -> None:
        """SIGKILL, and wait until the process is gone."""
        process.end([self._running(broker)], grace_s=0)

    def stop_broker(self, broker: int, grace_s: float = 15.0) -> None:
        """End one broker in order: leadership moves first."""
        process.end([self._running(broker)], grace_s)
        self.files.node(broker).process.unlink(missing_ok=True)

    def start_broker(self, broker: int) -> None:
        """Bring one broker up again and wait until it serves; needs a majority of the others.

        Raises:
            NoFreePort: Somebody took its port; the others know it by that port.
            BrokerDidNotStart: It did not come up.
        """
        release = self._release()
        with self._lock():
            membership = self._membership()
            node = membership.nodes[broker - 1]
            if broker not in live_brokers(node.port, membership.cluster_id):
                self._end_remains(node)
                self._require_free([node])
                self._spawn([node], membership, release, wait_for=frozenset({broker}))

    def pause_broker(self, broker: int) -> None:
        """SIGSTOP: its connections stay open and nothing answers. Returns when it stands still.

        Raises:
            EnvironmentFault: It went on for long after the signal.
        """
        paused = self._running(broker)
        paused.send_signal(signal.SIGSTOP)
        # The signal waits for the processor like everything else; until then the broker's threads go on answering.
        deadline = time.monotonic() + _PAUSE_S
        while paused.status() != psutil.STATUS_STOPPED:
            if time.monotonic() > deadline:
                raise EnvironmentFault(f"broker {broker} did not stand still within {_PAUSE_S:.0f} s of SIGSTOP")
            time.sleep(_POLL_S)

    def resume_broker(self, broker: int) -> None:
        """SIGCONT."""
        self._running(broker).send_signal(signal.SIGCONT)

    def await_in_sync(self, timeout_s: float = 60.0) -> None:
        """Wait until all brokers serve and agree that every replica is in sync, so that the next may be taken down.

        Raises:
            EnvironmentFault: Some partitions still lag after ``timeout_s``.
        """
        membership = self._membership()
        deadline = time.monotonic() + timeout_s
        while lagging := self._lagging(membership):
            if time.monotonic() > deadline:
                raise EnvironmentFault(f"not in sync after {timeout_s:.0f} s: {', '.join(sorted(lagging))}")
            time.sleep(_POLL_S)

    # Private

    def _release(self) -> Release:
        release = fetch_release(self._cache_dir, version=self._version, quiet=self._quiet)
        return with_warm_start(release, self._cache_dir, quiet=self._quiet)

    def _lock(self) -> AbstractContextManager[None]:
        return exclusive(self.files.lock, _LOCK_TIMEOUT_S)

    def _nodes(self) -> tuple[Node, ...]:
        membership = load(self.files)
        return membership.nodes if membership else ()

    def _membership(self) -> Membership:
        membership = load(self.files)
        if membership is None:
            raise ConfigurationError(f"{self.files.root} has no Kafka yet", action="start the cluster first")
        return membership

    def _running(self, broker: int) -> psutil.Process:
        found = process.find(self.files.node(broker))
        if found is None:
            raise ConfigurationError(f"broker {broker} of {self.files.root} does not run", action="start it first")
        return found

    def _broker_status(self, node: Node, membership: Membership) -> BrokerStatus:
        files = self.files.node(node.broker)
        found = process.find(files)
        state: BrokerState
        if found:
            state = "running" if live_brokers(node.port, membership.cluster_id) else "silent"
        else:
            state = "dead" if files.process.exists() else "stopped"
        return BrokerStatus(
            broker=node.broker, state=state, pid=found.pid if found else None, port=node.port, log=files.log
        )

    def _start(self, release: Release) -> str:
        membership = load(self.files)
        if membership and self._brokers not in (None, len(membership.nodes)):
            raise BrokerCountMismatch(self.files.root, len(membership.nodes), self._brokers or 1)
        prefer = None if self._ephemeral else WELL_KNOWN_PORT
        if membership is None:
            membership = new_membership(self._brokers or 1, self._chance, prefer)
            membership.save(self.files)
        down = [node for node in membership.nodes if not self._serves(node, membership)]
        for node in down:
            self._end_remains(node)
        if len(down) < len(membership.nodes):
            self._require_free(down)
        elif not all(is_free(node.port) and is_free(node.controller_port) for node in down):
            membership = with_free_ports(membership.cluster_id, len(membership.nodes), self._chance, prefer)
            membership.save(self.files)
            down = list(membership.nodes)
        if down:
            everybody = frozenset(node.broker for node in membership.nodes)
            self._spawn(down, membership, release, wait_for=everybody)
        return membership.bootstrap_servers

    @staticmethod
    def _lagging(membership: Membership) -> set[str]:
        lagging: set[str] = set()
        for node in membership.nodes:
            answer = lagging_partitions(node.port, membership.cluster_id)
            lagging |= {f"broker {node.broker}"} if answer is None else set(answer)
        return lagging

    def _serves(self, node: Node, membership: Membership) -> bool:
        deadline = time.monotonic() + _SILENT_GRACE_S
        while process.find(self.files.node(node.broker)):
            if live_brokers(node.port, membership.cluster_id):
                return True
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_S)
        return False

    def _end_remains(self, node: Node) -> None:
        files = self.files.node(node.broker)
        if found := process.find(files):
            process.end([found], grace_s=0)
        files.process.unlink(missing_ok=True)

    @staticmethod
    def _require_free(nodes: Sequence[Node]) -> None:
        for node in nodes:
            for port in (node.port, node.controller_port):
                if not is_free(port):
                    raise NoFreePort(
                        f"port {port} of broker {node.broker} is taken, and the running brokers know it by that port"
                    )

    def _spawn(
        self, nodes: Sequence[Node], membership: Membership, release: Release, *, wait_for: frozenset[int]
    ) -> None:
        require_space(self.files.root, _NEEDED_BYTES * len(nodes))
        if self._ephemeral and self._watchdog is None:
            self._watchdog = Watchdog(self.files.root)
        start_brokers(
            {node: self.files.node(node.broker) for node in nodes},
            membership,
            release,
            wait_for=wait_for,
            timeout_s=self._start_timeout_s,
            cpus=self._cpus,
        )
