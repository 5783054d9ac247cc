"""The RMS simulator as a server: authentication, socket and bet API on one port, a clock, clean stopping."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

from aiohttp import web

from schemas.errors import EnvironmentFault
from simulators.ledger import Ledger
from simulators.rms.admission import Admission
from simulators.rms.auth import AuthApi
from simulators.rms.bets import Book
from simulators.rms.betting import BetApi
from simulators.rms.circumstances import Circumstances
from simulators.rms.config import FaultSwitch, RmsSimulatorSettings
from simulators.rms.connections import Connections
from simulators.rms.control import Control
from simulators.rms.desk import Desk
from simulators.rms.gate import Gate
from simulators.rms.platform import BetPlatform
from simulators.rms.rooms import Rooms
from simulators.rms.storm import Weather
from simulators.rms.tokens import Tokens
from simulators.rms.trader import Trader
from simulators.serving import until_signalled

log = logging.getLogger(__name__)

_CLOSE_TIMEOUT_S: Final = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RmsUrls:
    """Where a running simulator is: the values of ``TRICAST_RMS__SOCKET_URL`` and ``…AUTH_URL``, and the bet API."""

    socket_url: str
    auth_url: str
    bets_url: str


class RmsSimulator:
    """One simulated vendor; ``async with`` starts and stops it.

    Args:
        settings: See ``RmsSimulatorSettings``.
        clock: Tells UTC ns to everything but Engine.IO pings and what is answered late, which take real time.

    Attributes:
        paused: While set no bets are placed; what is still to be decided will be.
        connections: All sockets.
        desk: All bets.
    """

    def __init__(self, settings: RmsSimulatorSettings, clock: Callable[[], int] = time.time_ns) -> None:
        self.paused = False
        self.urls = RmsUrls(socket_url="", auth_url="", bets_url="")
        self._settings = settings
        self._now_ns = clock
        start_ns = self._last_ns = clock()
        self._ledger = Ledger(settings.ledger)
        around = Circumstances(
            settings=settings,
            faults=FaultSwitch(settings.faults),
            weather=Weather(settings.seed),
            ledger=self._ledger,
            clock=clock,
        )
        tokens = Tokens(
            settings.credentials,
            seed=settings.seed,
            access_s=settings.access_token_s,
            refresh_s=settings.refresh_token_s,
            refresh_max=settings.refresh_tokens_max,
        )
        gate = Gate(around)
        admission = Admission(around, tokens)
        self.connections = Connections(around, admission, gate)
        rooms = Rooms(lambda: self.connections.clients, around.faults)
        trader = Trader(
            settings.trader,
            seed=settings.seed,
            referred_share=settings.referred_share,
            rejected_share=settings.rejected_share,
        )
        book = Book(seed=settings.seed, start_ns=start_ns, kept=settings.bets_kept)
        self.desk = Desk(book, trader, rooms.announce, self._ledger, clock)
        self._platform = BetPlatform(settings.platform, settings.credentials, seed=settings.seed, start_ns=start_ns)
        first_platforms: dict[str, int] = {}
        for credential in settings.credentials:
            first_platforms.setdefault(credential.customer_id, credential.platform_ids[0])
        self._parts = (
            self.connections,
            AuthApi(around, tokens, gate),
            BetApi(around, tokens, self.desk, gate),
            Control(
                desk=self.desk,
                platform=self._platform,
                connections=self.connections,
                admission=admission,
                gate=gate,
                around=around,
                clock=self,
                default=(settings.credentials[0].customer_id, first_platforms),
            ),
        )
        self._runner: web.AppRunner | None = None
        self._clock: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        app = web.Application()
        for part in self._parts:
            part.attach(app)
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=_CLOSE_TIMEOUT_S)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._settings.host, self._settings.port)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            raise EnvironmentFault(
                f"the RMS simulator cannot listen on {self._settings.host}:{self._settings.port}: {error}",
                action="set its port to 0 or to a free one.",
            ) from error
        host, port = self._runner.addresses[0][:2]
        self.urls = RmsUrls(
            socket_url=f"ws://{host}:{port}",
            auth_url=f"http://{host}:{port}",
            bets_url=f"http://{host}:{port}/rms-bet/v1",
        )
        self._clock = asyncio.create_task(self._run_clock(), name="rms-simulator-clock")
        log.info("rms simulator listening socket=%s auth=%s", self.urls.socket_url, self.urls.auth_url)
        return self

    async def __aexit__(self, _: object, error: BaseException | None, __: object) -> None:
        if self._clock is not None:
            self._clock.cancel()
            await asyncio.wait((self._clock,))
        await self.connections.close()
        if self._runner is not None:
            await self._runner.cleanup()
        self._ledger.close()
        log.info("rms simulator stopped")
        if error is None and self._clock is not None and not self._clock.cancelled():
            self._clock.result()  # raises what stopped it

    async def wait(self) -> None:
        """Return, or raise what went wrong, when the simulator's clock ends; it only does when it is stopped."""
        if self._clock is not None:
            await asyncio.shield(self._clock)

    async def _run_clock(self) -> None:
        while True:
            await asyncio.sleep(self._settings.step_ms / 1000)
            elapsed_ns = max(0, self._now_ns() - self._last_ns)
            self._last_ns += elapsed_ns
            if not self.paused:
                for customer, platform, slip in self._platform.advance(elapsed_ns):
                    self.desk.place(customer, platform, slip)
            self.desk.tick()
            self.connections.tick()


async def run(settings: RmsSimulatorSettings, *, on_ready: Callable[[RmsUrls], None] | None = None) -> None:
    """Run the simulator until SIGTERM or SIGINT, then close its sockets and its ledger.

    Args:
        settings: See ``RmsSimulatorSettings``.
        on_ready: Told where it listens as soon as it does.

    Raises:
        EnvironmentFault: It cannot listen where it should.
    """
    await until_signalled(RmsSimulator(settings), on_ready)
