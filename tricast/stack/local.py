"""The processes of ``tricast up``: simulator, workers, connector."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tricast.settings import variable
from tricast.stack.child import ChildSpec, tricast_command
from tricast.stack.supervisor import Supervised, Supervisor

LOOPBACK = "127.0.0.1"
_LISTEN_TIMEOUT_S = 15.0
_LISTEN_POLL_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What runs.

    Attributes:
        arguments: Options of ``tricast`` itself for every child (``--config …``).
        logs: Directory for the children's logs.
        processors: Which processors run.
        offering_url: The vendor's HTTP API, when it is a real one.
        offering: Offering that connector and simulator speak of.
        language: Its language.
        ledger: Where the simulator writes what it sent; ``None`` runs no simulator: the push URL is a real one.
    """

    arguments: Sequence[str]
    logs: Path
    processors: Sequence[str]
    offering_url: str
    offering: str
    language: str
    ledger: Path | None


class LocalStack:
    """Children in groups; the caller must :meth:`stop` them, also when a start failed."""

    def __init__(self, plan: Plan, on_exit: Callable[[Supervised], None]) -> None:
        self._plan = plan
        self._on_exit = on_exit
        self.offering_url = plan.offering_url
        self._environment: dict[str, str] = {}
        self._running: list[tuple[str, Supervisor, asyncio.Task[int]]] = []

    @property
    def children(self) -> list[Supervised]:
        """All children started so far."""
        return [child for _, supervisor, _ in self._running for child in supervisor.children]

    async def start_vendor(self) -> None:
        """Start the simulator, unless the vendor is a real one, and wait until it listens; it needs no Kafka."""
        if self._plan.ledger is not None:
            await self._start_simulator(self._plan.ledger)

    def start_pipeline(self, bootstrap_servers: str) -> None:
        """Start workers and connector on a Kafka that has its topics."""
        self._environment[variable(("kafka", "bootstrap_servers"))] = bootstrap_servers
        self._spawn("work", [("work-one", processor) for processor in self._plan.processors])
        self._spawn("connect", [("connect", "kambi")])

    async def stop(self) -> None:
        """End everything: connector first, so that all it wrote is worked off, then simulator, then workers."""
        for name in ("connect", "simulate", "work"):
            await self.stop_group(name)

    async def stop_group(self, name: str) -> None:
        """End one group (``connect``, ``simulate`` or ``work``); nothing happens when it does not run."""
        for group, supervisor, task in self._running:
            if group == name:
                supervisor.stop()
                await asyncio.shield(task)

    async def _start_simulator(self, ledger: Path) -> None:
        port = _free_port()
        self.offering_url = f"http://{LOOPBACK}:{port}"
        settings = {
            ("simulator", "kambi", "host"): LOOPBACK,
            ("simulator", "kambi", "port"): str(port),
            ("simulator", "kambi", "ledger"): str(ledger),
            ("simulator", "kambi", "offering"): self._plan.offering,
            ("simulator", "kambi", "languages"): self._plan.language,
            ("kambi", "push_url"): f"ws://{LOOPBACK}:{port}",
            ("kambi", "offering_url"): self.offering_url,
        }
        self._environment |= {variable(path): value for path, value in settings.items()}
        self._spawn("simulate", [("simulate", "kambi")])
        # The connector would find it by its own retries, after a backoff that nobody wants to watch.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LISTEN_TIMEOUT_S):
                while not await _listens(port):  # noqa: ASYNC110 - another process is waited for
                    await asyncio.sleep(_LISTEN_POLL_S)

    def _spawn(self, group: str, commands: Sequence[tuple[str, str]]) -> None:
        specs = [
            ChildSpec(
                name=f"{group} {what}",
                command=tricast_command(*self._plan.arguments, command, what),
                environment=dict(self._environment),
                log=self._plan.logs / f"{group}-{what}.log",
            )
            for command, what in commands
        ]
        supervisor = Supervisor(specs, on_exit=self._on_exit)
        self._running.append((group, supervisor, asyncio.create_task(supervisor.run(), name=group)))


def fresh_logs(logs: Path) -> None:
    """Keep the logs of the run before as ``.previous`` and begin new ones."""
    logs.mkdir(parents=True, exist_ok=True)
    for log in logs.glob("*.log"):
        os.replace(log, log.with_suffix(".log.previous"))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(LOOPBACK, port)
    except OSError:
        return False
    writer.close()
    return True
