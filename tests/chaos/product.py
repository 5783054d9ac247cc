"""The whole product: brokers, simulators, gates before them, connectors, workers; and how each of them is reached."""

import contextlib
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any, Final, Self

from schemas.topics import TOPICS
from tests.chaos import settings
from tests.chaos.faults import clock_step, spool
from tests.chaos.gate import Gate
from tests.chaos.history import History
from tests.chaos.processes import Process, Processes, outside
from tests.endurance.stack import free_port
from tricast.kafka import Cluster
from tricast.processors import sources_of

HISTORY: Final = "history.jsonl"
VENDORS: Final = ("kambi", "fastpath", "rms")
WORKERS: Final = {"kambi": 2, "fastpath.audit": 2, "rms.approvals": 1, "rms.bets": 1, "rms.join": 2}
"""How many workers of each processor there are at first."""
_START_S: Final = 120.0
_ASK_S: Final = 30.0
_LOOK_S: Final = 0.1


class Product:
    """What faults strike; ``with`` starts all but the brokers and ends it.

    Args:
        folder: Logs, ledgers, what connectors keep, the history.
        kafka: Three running brokers.
        seed: Of simulators, and of how long restarts take to come.
        feeds: Which feeds it has.
        prefix: Of topics and groups.

    Attributes:
        history: What happened; told of starts and ends.
        processes: All processes but the brokers, by name: ``worker:<processor>:<n>``, ``connector:<feed>``,
            ``simulator:<vendor>``.
        gates: What stands between connectors and each vendor.
        topics: Partition counts by physical name.
        groups: Sources by consumer group.
    """

    def __init__(
        self,
        folder: Path,
        kafka: Cluster,
        *,
        seed: int,
        feeds: Sequence[str] = VENDORS,
        prefix: str = settings.PREFIX,
    ) -> None:
        self.folder = folder
        self.kafka = kafka
        (folder / "logs").mkdir(parents=True)
        self.history = History(folder / HISTORY)
        self.seed = seed
        self.feeds = feeds
        self.prefix = prefix
        self.processes = Processes(self.history, Random(f"{seed}/restarts"))
        self.gates: dict[str, Gate] = {}
        self.topics = {prefix + name: topic.partitions for name, topic in TOPICS.items()}
        self.groups = sources_of([name for name in WORKERS if name.partition(".")[0] in feeds], prefix)
        self.environment = settings.common(kafka.bootstrap_servers, prefix)
        self._ports: dict[str, int] = {}
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Kill every process that is no broker."""
        self.processes.close()
        self._open.close()

    # What there is

    def workers(self, processor: str | None = None) -> list[str]:
        """Return the names of the workers that are to run, of one processor or of all."""
        begins = "worker:" if processor is None else f"worker:{processor}:"
        return [name for name, process in self.processes.by_name.items() if process.wanted and name.startswith(begins)]

    def connectors(self) -> list[str]:
        """Return the names of the connectors."""
        return [name for name in self.processes.by_name if name.startswith("connector:")]

    def pid(self, target: str) -> int | None:
        """Return the process id of a process, of ``broker:<n>`` or of the ``controller``, while it lives."""
        if target == "controller":
            return self.kafka.pid(self.controller())
        if target.startswith("broker:"):
            return self.kafka.pid(int(target.removeprefix("broker:")))
        return self.processes.pid(target)

    def controller(self) -> int:
        """Return the number of the broker that leads the quorum of controllers, as far as its members have noted.

        Kafka does not tell clients: to them a broker names itself or any other.
        """
        noted = (
            self.kafka.files.node(broker).storage / "__cluster_metadata-0" / "quorum-state"
            for broker in self.kafka.brokers
        )
        states = [json.loads(path.read_text()) for path in noted]
        return int(
            max((state for state in states if state["leaderId"] > 0), key=lambda state: state["leaderEpoch"])[
                "leaderId"
            ]
        )

    def url(self, vendor: str) -> str:
        """Return where a simulator itself is, past its gate."""
        return f"http://127.0.0.1:{self._ports[vendor]}"

    def ask(self, vendor: str, path: str, body: Any = None) -> Any:
        """Ask a simulator beside its vendor's API, past its gate; a body makes it a POST."""
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url(vendor) + path, data=content)
        with urllib.request.urlopen(request, timeout=_ASK_S) as answer:
            return json.loads(answer.read() or b"null")

    def tricast(self, *arguments: str) -> str:
        """Run a command of ``tricast`` to its end, whatever its exit code, and return what it printed."""
        return subprocess.run(
            [sys.executable, "-m", "tricast", *arguments],
            env=outside() | self.environment,
            stdout=subprocess.PIPE,
            check=False,
        ).stdout.decode()

    # What is done

    def scale(self, processor: str, count: int) -> None:
        """Let ``count`` workers of a processor run; those that are too many are ended by SIGTERM, highest first."""
        for number in range(1, count + 1):
            name = f"worker:{processor}:{number}"
            if name in self.processes.by_name:
                self.processes.want(name, True)
            else:
                self._add_worker(processor, number)
        for name in self.workers(processor)[count:][::-1]:
            self.processes.retire(name)

    def _start(self) -> None:
        for vendor in self.feeds:
            self._ports[vendor] = port = free_port()
            told = settings.simulator(vendor, self.folder, port, self.seed)
            self._add(f"simulator:{vendor}", ("simulate", vendor), told)
        for vendor in self.feeds:
            self._await_simulator(vendor)
            self.gates[vendor] = self._open.enter_context(Gate(self._ports[vendor]))
        for processor, count in WORKERS.items():
            for number in range(1, count + 1) if self.prefix + processor in self.groups else ():
                self._add_worker(processor, number)
        for feed in self.feeds:
            keeps = self.folder / "kept" / feed
            keeps.mkdir(parents=True)
            self._open.enter_context(spool.small_disk(keeps / "spool"))
            told = settings.connector(feed, keeps, self.gates[feed].port)
            self._add(f"connector:{feed}", ("connect", feed), told, keeps)
        if "rms" in self.feeds:
            told = settings.bet_platform(self.folder, self._ports["rms"], self.seed)
            self._add("simulator:bets", ("simulate", "bets"), told)

    def _add_worker(self, processor: str, number: int) -> None:
        told = {"TRICAST_ENGINE__WORKER_NAME": f"w{number}"}
        self._add(f"worker:{processor}:{number}", ("work-one", processor), told)

    def _add(self, name: str, arguments: tuple[str, ...], told: dict[str, str], folder: Path | None = None) -> None:
        # The vendors' clocks, and the bet platform's, are the truth.
        clock = {} if name.startswith("simulator:") else clock_step.environment(self.folder, name)
        self.processes.add(
            Process(
                name=name,
                arguments=arguments,
                environment=self.environment | clock | told,
                log=self.folder / "logs" / f"{name.replace(':', '-')}.log",
                folder=folder,
            )
        )

    def _await_simulator(self, vendor: str) -> None:
        deadline = time.monotonic() + _START_S
        while True:
            try:
                self.ask(vendor, "/simulator/state")
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_LOOK_S)
            else:
                return
