"""The simulated bet platform as a process: draws slips, places them, and tells ``rms.bets`` before and after."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Final, Self

import aiohttp

from schemas.errors import ConfigurationError
from schemas.kafka import KafkaSettings
from schemas.topics import TOPICS
from simulators.bets.api import BetApi
from simulators.bets.calls import Calls
from simulators.bets.config import BetPlatformSettings
from simulators.bets.ledger import Line
from simulators.bets.patience import Patience
from simulators.bets.slips import answered, key, placed
from simulators.bets.tokens import Tokens
from simulators.bets.topic import BetTopic
from simulators.ledger import Ledger
from simulators.rms.config import RmsCredentialSettings, RmsPlatformSettings
from simulators.rms.platform import BetPlatform
from simulators.serving import until_signalled

log = logging.getLogger(__name__)

_STEP_S: Final = 0.05
_CATCH_UP_NS: Final = 1_000_000_000
"""After a pause of ours no more bets are made up for than this time would have had."""
_ROOM: Final = 16
"""Bets on their way at once. When the API or Kafka is slow, players wait."""
_GRACE_S: Final = 5.0
"""How long bets on their way may take at the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bet:
    """A slip and what is to be done with it."""

    customer: str
    platform: int
    slip: Mapping[str, Any]
    is_hidden: bool
    """Whether bet/detail is not asked."""


class BetPlatformSimulator:
    """A simulated bet platform; ``async with`` starts and stops it.

    Args:
        settings: See ``BetPlatformSettings``.
        kafka: How to reach Kafka.
        prefix: Of topic names.

    Raises:
        ConfigurationError: It is not told where to place bets.
    """

    def __init__(self, settings: BetPlatformSettings, kafka: KafkaSettings, prefix: str) -> None:
        if settings.auth_url is None or settings.bets_url is None:
            raise ConfigurationError(
                "the bet platform is not told where to place bets",
                action="set auth_url and bets_url of simulator.bets to those that `tricast simulate rms` prints",
            )
        self._settings = settings
        self._auth_url, self._bets_url = settings.auth_url, settings.bets_url
        start_ns = time.time_ns()
        self._waits = Random(f"{settings.seed}/{start_ns}/waits")  # noqa: S311  # jitter, not secrets
        self._hides = Random(f"{settings.seed}/hides")  # noqa: S311  # a story, not secrets
        self._slips = BetPlatform(
            RmsPlatformSettings(bets_per_second=settings.bets_per_second, live_share=settings.live_share),
            [
                RmsCredentialSettings(
                    client_id=customer.client_id, customer_id=customer.customer_id, platform_ids=(customer.platform_id,)
                )
                for customer in settings.customers
            ],
            seed=settings.seed,
            start_ns=start_ns,
        )
        self._topic = BetTopic(kafka, prefix + TOPICS["rms.bets"].name, patience=self._patience)
        self._ledger = Ledger(settings.ledger)
        self._room = asyncio.Semaphore(_ROOM)
        self._stopping = asyncio.Event()
        self._apis: dict[str, BetApi] = {}
        self._session: aiohttp.ClientSession | None = None
        self._work: asyncio.Task[None] | None = None

    @property
    def urls(self) -> str:
        """Where bets are placed."""
        return self._bets_url

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        calls = Calls(self._session, timeout_s=self._settings.request_timeout_s)
        for customer in self._settings.customers:
            tokens = Tokens(customer, calls, self._auth_url, monotonic_s=time.monotonic, patience=self._patience)
            self._apis[customer.customer_id] = BetApi(
                calls,
                self._bets_url,
                tokens,
                give_up_s=self._settings.give_up_s,
                monotonic_s=time.monotonic,
                patience=self._patience,
            )
        self._work = asyncio.create_task(self._run(), name="bet-platform")
        log.info("bet platform started bets=%s bets_per_second=%g", self._bets_url, self._settings.bets_per_second)
        return self

    async def __aexit__(self, _: object, error: BaseException | None, __: object) -> None:
        self._stopping.set()
        if self._work is not None:
            await asyncio.wait((self._work,))
        await self._topic.close()
        if self._session is not None:
            await self._session.close()
        self._ledger.close()
        log.info("bet platform stopped")
        if error is None and self._work is not None:
            self._work.result()  # raises what stopped it

    async def wait(self) -> None:
        """Return, or raise what went wrong, when no more bets are placed; that only happens when it is stopped."""
        if self._work is not None:
            await asyncio.shield(self._work)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None) as end, asyncio.TaskGroup() as bets:
                drawing = bets.create_task(self._draw(bets))
                await self._stopping.wait()
                drawing.cancel()
                end.reschedule(loop.time() + _GRACE_S)

    async def _draw(self, bets: asyncio.TaskGroup) -> None:
        last_ns = time.monotonic_ns()
        while True:
            await asyncio.sleep(_STEP_S)
            now_ns = time.monotonic_ns()
            elapsed_ns, last_ns = min(now_ns - last_ns, _CATCH_UP_NS), now_ns
            for customer, platform, slip in self._slips.advance(elapsed_ns):
                is_hidden = self._hides.random() < self._settings.unknown_share
                bet = _Bet(customer=customer, platform=platform, slip=slip, is_hidden=is_hidden)
                await self._apis[customer].ready()
                await self._room.acquire()
                bets.create_task(self._bet(bet))

    async def _bet(self, bet: _Bet) -> None:
        try:
            await self._place(bet)
        finally:
            self._room.release()

    async def _place(self, bet: _Bet) -> None:
        slip, customer = bet.slip["betSlipId"], bet.customer
        record_key = key(customer, bet.slip)
        at_ns = time.time_ns()
        position = await self._topic.write(record_key, placed(customer, bet.platform, bet.slip, at_ns))
        self._ledger.append(Line(kind="placed", at_ns=at_ns, customer=customer, slip=slip, position=position))
        api = self._apis[customer]
        outcome = await api.place(bet.slip)
        found = outcome.found
        if found.result and found.code is not None and not bet.is_hidden:
            found = await api.ask(found)
        at_ns = time.time_ns()
        position = await self._topic.write(record_key, answered(customer, bet.slip, found, at_ns))
        self._ledger.append(
            Line(
                kind="answered",
                at_ns=at_ns,
                customer=customer,
                slip=slip,
                position=position,
                code=found.code,
                disposition=found.disposition,
                tries=outcome.tries,
                status=outcome.status,
            )
        )

    def _patience(self) -> Patience:
        return Patience(self._waits)


async def run(
    settings: BetPlatformSettings,
    kafka: KafkaSettings,
    prefix: str,
    *,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Run the platform until SIGTERM or SIGINT; bets on their way are brought to their end, if that takes not long.

    Args:
        settings: See ``BetPlatformSettings``.
        kafka: How to reach Kafka.
        prefix: Of topic names.
        on_ready: Told where bets are placed as soon as it has begun; neither the vendor nor Kafka need be there yet.

    Raises:
        ConfigurationError: It is not told where to place bets.
    """
    await until_signalled(BetPlatformSimulator(settings, kafka, prefix), on_ready)
