"""The FastPath simulator as a server: streams and REST on one port, a clock that drives the matches, clean stopping."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

from aiohttp import web

from schemas.errors import EnvironmentFault
from simulators.fastpath.config import FastpathSimulatorSettings, FaultSwitch
from simulators.fastpath.connections import Connections
from simulators.fastpath.control import Control
from simulators.fastpath.http import RestApi
from simulators.fastpath.resources import Answer, Resources
from simulators.fastpath.world import World
from simulators.ledger import Ledger
from simulators.serving import until_signalled

log = logging.getLogger(__name__)

_CLOSE_TIMEOUT_S: Final = 3.0
_LONGEST_STEP_NS: Final = 1_000_000_000
"""After a pause of the process the matches advance in steps of this size."""
_BEHIND_NS: Final = 500_000_000
"""A step that is longer says that there is more to do than time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FastpathUrls:
    """Where a running simulator is: the values of ``TRICAST_FASTPATH__STREAM_URL`` and ``…API_URL``."""

    stream_url: str
    api_url: str


class FastpathSimulator:
    """One simulated vendor; ``async with`` starts and stops it.

    Args:
        settings: See ``FastpathSimulatorSettings``.

    Attributes:
        paused: While set the matches stand still; what is on its way still arrives.
    """

    def __init__(self, settings: FastpathSimulatorSettings) -> None:
        self.paused = False
        self.urls = FastpathUrls(stream_url="", api_url="")
        self.faults = FaultSwitch(settings.faults, settings.feed_faults)
        self._settings = settings
        self._ledger = Ledger(settings.ledger)
        self.world = World(settings, self.faults, time.time_ns(), self._ledger.append)
        self.connections = Connections(settings, self.faults, self._ledger, self.world.channel)
        self._rest = RestApi(settings, self.faults, self._resource)
        self._runner: web.AppRunner | None = None
        self._clock: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        app = web.Application()
        Control(self.world, self.connections, self.faults, self, self._ledger.append).attach(app)
        app.router.add_get("/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=_CLOSE_TIMEOUT_S)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._settings.host, self._settings.port)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            raise EnvironmentFault(
                f"the FastPath simulator cannot listen on {self._settings.host}:{self._settings.port}: {error}",
                action="set its port to 0 or to a free one.",
            ) from error
        host, port = self._runner.addresses[0][:2]
        self.urls = FastpathUrls(stream_url=f"ws://{host}:{port}", api_url=f"http://{host}:{port}")
        self._clock = asyncio.create_task(self._run_clock(), name="fastpath-simulator-clock")
        log.info("fastpath simulator listening stream=%s api=%s", self.urls.stream_url, self.urls.api_url)
        return self

    async def __aexit__(self, _: object, error: BaseException | None, __: object) -> None:
        if self._clock is not None:
            self._clock.cancel()
            await asyncio.wait((self._clock,))
        await self.connections.close()
        if self._runner is not None:
            await self._runner.cleanup()
        self._ledger.close()
        log.info("fastpath simulator stopped")
        if error is None and self._clock is not None and not self._clock.cancelled():
            self._clock.result()  # raises what stopped it

    async def wait(self) -> None:
        """Return, or raise what went wrong, when the simulator's clock ends; it only does when it is stopped."""
        if self._clock is not None:
            await asyncio.shield(self._clock)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self.connections.serve(request)
        return await self._rest.serve(request)

    def _resource(self, resources: Resources, request: web.Request) -> Answer:
        channels = {channel.feed.path: channel for channel in self.world.channels}
        return resources.answer(request.path.strip("/"), request.query, self.world.fixtures, channels)

    async def _run_clock(self) -> None:
        last_ns = time.monotonic_ns()
        while True:
            await asyncio.sleep(self._settings.step_ms / 1000)
            elapsed_ns, now_ns = time.monotonic_ns() - last_ns, time.time_ns()
            last_ns += elapsed_ns
            self.world.keeps_up = elapsed_ns < _BEHIND_NS
            while not self.paused and elapsed_ns > 0:
                step_ns = min(elapsed_ns, _LONGEST_STEP_NS)
                elapsed_ns -= step_ns
                self.world.advance(now_ns - elapsed_ns, step_ns)
            self.connections.tick(now_ns)


async def run(settings: FastpathSimulatorSettings, *, on_ready: Callable[[FastpathUrls], None] | None = None) -> None:
    """Run the simulator until SIGTERM or SIGINT, then close its sockets and its ledger.

    Args:
        settings: See ``FastpathSimulatorSettings``.
        on_ready: Told where it listens as soon as it does.

    Raises:
        EnvironmentFault: It cannot listen where it should.
    """
    await until_signalled(FastpathSimulator(settings), on_ready)
