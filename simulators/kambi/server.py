"""The Kambi simulator as a server: push and HTTP on one port, a clock that drives the offering, clean stopping."""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from aiohttp import web

from schemas.errors import EnvironmentFault
from simulators.kambi.config import FaultSwitch, KambiSimulatorSettings
from simulators.kambi.connections import Connections
from simulators.kambi.control import Control
from simulators.kambi.gate import Gate
from simulators.kambi.http import OfferingApi
from simulators.kambi.offering import Offering
from simulators.kambi.publisher import Publisher
from simulators.kambi.staleness import Staleness
from simulators.ledger import Ledger
from simulators.serving import until_signalled

log = logging.getLogger(__name__)

_CLOSE_TIMEOUT_S = 3.0
"""How long a client may take to read what waits for it when the simulator stops."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KambiUrls:
    """Where a running simulator is: the values of ``TRICAST_KAMBI__PUSH_URL`` and ``…OFFERING_URL``."""

    push_url: str
    offering_url: str


class KambiSimulator:
    """One simulated vendor; ``async with`` starts and stops it.

    Args:
        settings: See ``KambiSimulatorSettings``.
    """

    def __init__(self, settings: KambiSimulatorSettings) -> None:
        self._settings = settings
        self._faults = FaultSwitch(settings.faults)
        self._ledger = Ledger(settings.ledger)
        self._gate = Gate(self._faults)
        self._connections = Connections(settings, self._faults, self._ledger)
        start_ms = time.time_ns() // 1_000_000
        self._offering = Offering(
            seed=settings.seed,
            start_ms=start_ms,
            events_live=settings.events_live,
            changes_per_second=settings.changes_per_second,
            match_duration_s=settings.match_duration_s,
            speed=settings.speed,
            first_id=settings.first_id,
        )
        self._publisher = Publisher(settings, self._faults, self._offering, self._connections, start_ms)
        self._staleness = Staleness(self._faults, self._offering)
        self._runner: web.AppRunner | None = None
        self._clock: asyncio.Task[None] | None = None
        self.urls = KambiUrls(push_url="", offering_url="")

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._gate.middleware])
        self._connections.attach(app)
        OfferingApi(self._settings.offering, self._faults, self._staleness.shown).attach(app)
        Control(self._offering, self._publisher, self._connections, self._faults).attach(app)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=_CLOSE_TIMEOUT_S)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._settings.host, self._settings.port)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            raise EnvironmentFault(
                f"the Kambi simulator cannot listen on {self._settings.host}:{self._settings.port}: {error}",
                action="set its port to 0 or to a free one.",
            ) from error
        host, port = self._runner.addresses[0][:2]
        self.urls = KambiUrls(push_url=f"ws://{host}:{port}", offering_url=f"http://{host}:{port}")
        self._clock = asyncio.create_task(self._run_clock(), name="kambi-simulator-clock")
        log.info("kambi simulator listening push=%s offering=%s", self.urls.push_url, self.urls.offering_url)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._clock is not None:
            self._clock.cancel()
            with suppress(asyncio.CancelledError):
                await self._clock
        await self._publisher.flush()
        await self._gate.close()
        await self._connections.close()
        if self._runner is not None:
            await self._runner.cleanup()
        self._ledger.close()
        log.info("kambi simulator stopped")

    async def wait(self) -> None:
        """Return, or raise what went wrong, when the simulator's clock ends; it only does when it is stopped."""
        if self._clock is not None:
            await asyncio.shield(self._clock)

    def cut_oldest(self) -> bool:
        """Cut the longest-lived connection without a closing handshake; return whether there was one."""
        return self._connections.cut_oldest("cut on request")

    async def _run_clock(self) -> None:
        begun = last = last_cut = time.monotonic()
        while True:
            await asyncio.sleep(self._settings.step_ms / 1000)
            now = time.monotonic()
            elapsed_ms = int((now - last) * 1000)
            last += elapsed_ms / 1000
            faults = self._faults.current
            self._publisher.stalled = (
                faults.stall_every_s > 0
                and (now - begun) % faults.stall_every_s > faults.stall_every_s - faults.stall_for_s
            )
            await self._publisher.advance(elapsed_ms)
            self._staleness.keep(self._publisher.now_ms)
            if faults.drop_every_s and now - last_cut >= faults.drop_every_s:
                last_cut = now
                self._connections.cut_oldest("cut by fault switch")


async def run(settings: KambiSimulatorSettings, *, on_ready: Callable[[KambiUrls], None] | None = None) -> None:
    """Run the simulator until SIGTERM or SIGINT, then close its sockets and its ledger.

    Args:
        settings: See ``KambiSimulatorSettings``.
        on_ready: Told where it listens as soon as it does.

    Raises:
        EnvironmentFault: It cannot listen where it should.
    """
    await until_signalled(KambiSimulator(settings), on_ready)
