"""What `tricast up` starts, as processes that can be struck one by one, each at a port that Prometheus knows."""

import contextlib
import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any, Final, Self

from tests.chaos.history import History
from tests.chaos.processes import Process, Processes, outside
from tests.endurance.stack import free_port
from tests.scenarios.scenario import Scenario
from tricast.kafka import Cluster
from tricast.settings import Settings, variable
from tricast.stack.vendors import VENDORS

PREFIX: Final = "tricast."
_ASK_S: Final = 10.0
_END_S: Final = 30.0


class Product:
    """Simulators, workers, connectors, monitor and page; ``with`` starts them on brokers that run, and ends them.

    Args:
        folder: Logs, ledgers, what connectors keep.
        kafka: Running brokers.
        scenario: Says which feeds there are.

    Attributes:
        folder: The same.
        kafka: The same.
        feeds: Of the scenario.
        processes: By name, as ``instance`` of the scrape configuration: ``connect-kambi``, ``work-kambi``, ``monitor``;
            besides ``simulate-kambi`` and ``page``.
        ports: Where metrics and health are, by the same names; of ``page`` and simulators their own.
        environment: Of all of them.
    """

    def __init__(self, folder: Path, kafka: Cluster, scenario: Scenario) -> None:
        self.folder = folder
        self.kafka = kafka
        self.ports: dict[str, int] = {}
        self.feeds = scenario.feeds
        self._scenario = scenario
        self._open = contextlib.ExitStack()
        (folder / "logs").mkdir(parents=True)
        self._history = self._open.enter_context(History(folder / "history.jsonl"))
        self.processes = Processes(self._history, Random(0))
        self.environment = {
            variable(("kafka", "bootstrap_servers")): kafka.bootstrap_servers,
            variable(("topic_prefix",)): PREFIX,
        }

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

    @property
    def observed(self) -> dict[str, int]:
        """Ports of those that serve metrics, by name."""
        return {name: port for name, port in self.ports.items() if name.startswith(("connect-", "work-", "monitor"))}

    def ask(self, name: str, path: str, body: Any = None, *, timeout_s: float = _ASK_S) -> Any:
        """Ask a process, whatever its status; a body makes it a POST.

        Raises:
            OSError: It does not answer.
        """
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.ports[name]}{path}", data=content)
        try:
            with urllib.request.urlopen(request, timeout=timeout_s) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as refused:
            return json.loads(refused.read() or b"null")

    # What is done

    def kill(self, name: str) -> None:
        """Kill a process (-9); it does not come back by itself."""
        self.processes.want(name, False)
        self.processes.end(name, signal.SIGKILL, _END_S)

    def revive(self, name: str) -> None:
        """Start what was killed."""
        self.processes.want(name, True)

    def tell(self, vendor: str, **faults: Any) -> None:
        """Replace the fault settings of a simulator: what is not named is off."""
        self.ask(f"simulate-{vendor}", "/simulator/faults", faults)

    # Starting

    def _start(self) -> None:
        subprocess.run(
            [sys.executable, "-m", "tricast", "topics", "create"],
            stdout=subprocess.DEVNULL,
            env=outside() | self.environment,
            check=True,
        )
        settings = Settings()
        vendors = [VENDORS[feed](settings, self.folder / f"{feed}-ledger.jsonl") for feed in self.feeds]
        for vendor in vendors:
            self.ports[f"simulate-{vendor.feed}"] = port = free_port()
            told = {variable(path): value for path, value in vendor.simulated_at(port).items()}
            self.environment |= told | {
                variable((vendor.feed, "spool_dir")): str(self.folder / "spool"),
                variable(("rms", "state_dir")): str(self.folder / "state"),
            }
        self.environment |= {name: text.format(folder=self.folder) for name, text in self._scenario.settings.items()}
        self._scenario.prepare(self)
        for vendor in vendors:
            self._add(f"simulate-{vendor.feed}", "simulate", vendor.feed)
        self._add_observed("monitor", "monitor")
        for vendor in vendors:
            for processor in vendor.processors:
                self._add_observed(f"work-{processor}", "work-one", processor)
            self._add_observed(f"connect-{vendor.feed}", "connect", vendor.feed)
            for platform in vendor.inputs:
                self._add(f"simulate-{platform}", "simulate", platform)
        self.ports["page"] = free_port()
        self._add("page", "status", "--web", "--port", str(self.ports["page"]))

    def _add_observed(self, name: str, *arguments: str) -> None:
        self.ports[name] = free_port()
        self._add(name, *arguments, told={variable(("observe", "port")): str(self.ports[name])})

    def _add(self, name: str, *arguments: str, told: dict[str, str] | None = None) -> None:
        self.processes.add(
            Process(
                name=name,
                arguments=arguments,
                environment=self.environment | (told or {}),
                log=self.folder / "logs" / f"{name}.log",
            )
        )
