"""The processes of ``tricast up``: simulators, workers, connectors."""

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
from tricast.stack.vendors import LOOPBACK, Vendor

_LISTEN_TIMEOUT_S = 15.0
_LISTEN_POLL_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What runs.

    Attributes:
        arguments: Options of ``tricast`` itself for every child (``--config …``).
        logs: Directory for the children's logs.
        spools: Directory for the connectors' spools, which nobody else may use.
        addresses: Directory where connectors and workers write where they serve metrics and health.
        vendors: One for each feed.
    """

    arguments: Sequence[str]
    logs: Path
    spools: Path
    addresses: Path
    vendors: Sequence[Vendor]

    @property
    def processors(self) -> Sequence[str]:
        """Processors of all feeds."""
        return [processor for vendor in self.vendors for processor in vendor.processors]


class LocalStack:
    """Children in groups; the caller must :meth:`stop` them, also when a start failed."""

    def __init__(self, plan: Plan, on_exit: Callable[[Supervised], None]) -> None:
        self._plan = plan
        self._on_exit = on_exit
        self.http_urls = {vendor.feed: vendor.http_url for vendor in plan.vendors}
        """HTTP API of each vendor, simulated or real."""
        self._environment = {
            variable((vendor.feed, "spool_dir")): str(plan.spools)
            for vendor in plan.vendors
            if not vendor.has_spool_dir
        }
        # Many processes beside each other: each takes a port that is free.
        self._environment |= {
            variable(("observe", "port")): "0",
            variable(("observe", "address_dir")): str(plan.addresses),
        }
        self._running: list[tuple[str, Supervisor, asyncio.Task[int]]] = []

    @property
    def children(self) -> list[Supervised]:
        """All children started so far."""
        return [child for _, supervisor, _ in self._running for child in supervisor.children]

    async def start_vendors(self) -> None:
        """Start a simulator for each vendor that is no real one, and wait until they listen; they need no Kafka."""
        simulated = [vendor for vendor in self._plan.vendors if vendor.ledger is not None]
        if not simulated:
            return
        ports = [_free_port() for _ in simulated]
        for vendor, port in zip(simulated, ports, strict=True):
            self.http_urls[vendor.feed] = f"http://{LOOPBACK}:{port}"
            self._environment |= {variable(path): value for path, value in vendor.simulated_at(port).items()}
        self._spawn("simulate", [("simulate", vendor.feed) for vendor in simulated])
        # The connectors would find them by their own retries, after a backoff that nobody wants to watch.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LISTEN_TIMEOUT_S):
                for port in ports:
                    while not await _listens(port):  # noqa: ASYNC110 - another process is waited for
                        await asyncio.sleep(_LISTEN_POLL_S)

    def start_pipeline(self, bootstrap_servers: str) -> None:
        """Start workers and connectors on a Kafka that has its topics."""
        self._environment[variable(("kafka", "bootstrap_servers"))] = bootstrap_servers
        self._spawn("work", [("work-one", processor) for processor in self._plan.processors])
        self._spawn("connect", [("connect", vendor.feed) for vendor in self._plan.vendors])
        inputs = [("simulate", platform) for vendor in self._plan.vendors for platform in vendor.inputs]
        if inputs:
            self._spawn("simulate", inputs)

    async def stop(self) -> None:
        """End everything: connectors first, so that all they wrote is worked off, then simulators, then workers."""
        for name in ("connect", "simulate", "work"):
            await self.stop_group(name)

    async def stop_group(self, name: str) -> None:
        """End one group (``connect``, ``simulate`` or ``work``); nothing happens when it does not run."""
        for group, supervisor, task in self._running:
            if group == name:
                supervisor.stop()
                await asyncio.shield(task)

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
