"""The Kambi simulator as a server: push and HTTP on one port, a clock that drives the offering, clean stopping."""

import asyncio
import logging
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

import orjson
from aiohttp import web

from schemas.errors import EnvironmentFault
from simulators.kambi.bulking import Bulk, Bulker
from simulators.kambi.config import KambiSimulatorSettings
from simulators.kambi.connections import Connections
from simulators.kambi.frames import FrameBuilder
from simulators.kambi.ledger import Ledger
from simulators.kambi.load import LoadPlan
from simulators.kambi.messages import Channels, MessageWriter
from simulators.kambi.offering import Offering

log = logging.getLogger(__name__)

_CLOSE_TIMEOUT_S = 3.0
"""How long a client may take to read what waits for it when the simulator stops."""
_LONGEST_STEP_MS = 1_000
"""After a pause of the process the offering catches up in steps of this size."""


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
        self._ledger = Ledger(settings.ledger)
        self._connections = Connections(settings, self._ledger)
        self._writer = MessageWriter(
            Channels(offering=settings.offering, languages=settings.languages, extended=settings.extended_channels),
            missing_odds_every=settings.faults.missing_odds_every,
        )
        self._bulker = Bulker(window_ms=settings.bulk_window_ms, most=settings.bulk_max)
        self._frames = FrameBuilder(settings.faults)
        self._load = LoadPlan(settings.load_frames_per_s)
        self._offering = Offering(
            seed=settings.seed,
            start_ms=time.time_ns() // 1_000_000,
            events_live=settings.events_live,
            changes_per_second=settings.changes_per_second,
            match_duration_s=settings.match_duration_s,
        )
        self._runner: web.AppRunner | None = None
        self._clock: asyncio.Task[None] | None = None
        self._silent = False
        self.urls = KambiUrls(push_url="", offering_url="")

    async def __aenter__(self) -> Self:
        app = web.Application()
        self._connections.attach(app)
        app.router.add_get(r"/offering/v2018/{offering}/event/live/{name:open(?:\.json)?}", self._live_open)
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
        for bulk in self._bulker.due(1 << 62):
            await self._hand(bulk)
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
        faults = self._settings.faults
        begun = last = time.monotonic()
        next_cut = begun + faults.drop_every_s
        while True:
            await asyncio.sleep(self._settings.step_ms / 1000)
            now = time.monotonic()
            elapsed_ms = int((now - last) * 1000)
            last += elapsed_ms / 1000
            self._silent = (
                faults.stall_every_s > 0
                and (now - begun) % faults.stall_every_s > faults.stall_every_s - faults.stall_for_s
            )
            while elapsed_ms > 0:
                step_ms = min(elapsed_ms, _LONGEST_STEP_MS)
                elapsed_ms -= step_ms
                await self._advance(step_ms)
            if faults.drop_every_s and now >= next_cut:
                next_cut = now + faults.drop_every_s
                self._connections.cut_oldest("cut by fault switch")

    async def _advance(self, elapsed_ms: int) -> None:
        for change in self._offering.advance(elapsed_ms):
            message = self._writer.write(change, self._offering.now_ms)
            for key in message.keys:
                if self._connections.wants(key):
                    full = self._bulker.add(key, message, self._offering.now_ms)
                    if full is not None:
                        await self._hand(full)
        for bulk in self._bulker.due(self._offering.now_ms):
            await self._hand(bulk)
        if self._settings.load_frames_per_s:
            await self._send_load(elapsed_ms)

    async def _send_load(self, elapsed_ms: int) -> None:
        keys = {
            event_id: key
            for event_id in self._offering.live_event_ids
            if self._connections.wants(key := self._writer.channels.event_neutral(event_id))
        }
        for event_id in self._load.take(elapsed_ms, list(keys)):
            waiting = self._bulker.flush(keys[event_id])
            if waiting is not None:
                await self._hand(waiting)  # what was published before must not arrive after
            changes = self._offering.load(event_id, self._settings.load_children)
            messages = tuple(self._writer.write(change, self._offering.now_ms) for change in changes)
            if messages:
                await self._hand(Bulk(key=keys[event_id], messages=messages))

    async def _hand(self, bulk: Bulk) -> None:
        if self._silent:
            return
        for frame in self._frames.build(bulk, self._offering.now_ms):
            await self._connections.hand(frame)

    async def _live_open(self, request: web.Request) -> web.Response:
        if request.match_info["offering"] != self._settings.offering:
            body: object = {"error": {"status": 404, "message": "Offering not found"}}
            return web.Response(status=404, body=orjson.dumps(body), content_type="application/json")
        return web.Response(body=orjson.dumps(self._offering.live_open()), content_type="application/json")


async def run(settings: KambiSimulatorSettings, *, on_ready: Callable[[KambiUrls], None] | None = None) -> None:
    """Run the simulator until SIGTERM or SIGINT, then close its sockets and its ledger.

    Args:
        settings: See ``KambiSimulatorSettings``.
        on_ready: Told where it listens as soon as it does.

    Raises:
        EnvironmentFault: It cannot listen where it should.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        async with KambiSimulator(settings) as simulator:
            if on_ready is not None:
                on_ready(simulator.urls)
            stopped = asyncio.create_task(stop.wait())
            failed = asyncio.create_task(simulator.wait())
            await asyncio.wait((stopped, failed), return_when=asyncio.FIRST_COMPLETED)
            if failed.done():
                failed.result()  # raises what stopped the clock
            failed.cancel()
            stopped.cancel()
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
