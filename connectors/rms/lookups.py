"""Look-ups: asks bet/detail for what the join asks for, and records every answer beside the socket's frames.

They need no socket. Of several connectors of a customer the one without a name answers at once, a hot standby what was
not answered after a while: it sees the others' answers in ``rms.raw``.
"""

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import aiohttp

from connectors.clock import Clock
from connectors.rms import names
from connectors.rms.bet_detail import Answered, BetDetail, Broken, meaning, position_of
from connectors.rms.config import RmsSettings
from connectors.rms.lookup_queue import Due, Later, LookUpQueue
from connectors.rms.lookup_reader import LookUpReader
from connectors.rms.ports import Tokens
from connectors.runner import unless_stopped
from connectors.sink import FrameSink
from connectors.snapshots import SnapshotRecorder
from schemas.kafka import KafkaSettings

log = logging.getLogger(__name__)

_STANDBY_S: Final = 15.0
_LOOK_S: Final = 1.0
"""How often to look for room in the queue to Kafka."""
_LIMITED_S: Final = 60.0
_LONGEST_S: Final = 900.0
_PAUSES_S: Final = (0.0, 1.0, 5.0, 15.0, 60.0)
"""After failures in a row, of whatever bets: an API that is away must not use up what may be asked."""


class LookUpBudget(Protocol):
    """What look-ups count for."""

    async def look_up(self) -> None:
        """Return when one may be made; it counts from then on."""


@dataclass(slots=True)
class LookUpCounts:
    """What became of the requests, as plain numbers."""

    requests: int = 0
    recorded: int = 0
    given_up: int = 0
    """Bets whose last request led nowhere."""
    failed: Counter[str] = field(default_factory=Counter)
    """By reason: ``status-<n>`` (200: no JSON object), ``network``, ``timeout``, ``truncated``, ``too-large``,
    ``no-room`` in the queue to Kafka."""


class LookUps:
    """Look-ups of one customer.

    Args:
        settings: Whose, and where the bet API is.
        kafka: How to reach Kafka.
        prefix: Prefix of topic names.
        sink: Queue of the customer's raw partition.
        session: HTTP client session.
        tokens: Owner of the tokens.
        budget: What requests count for.
        stop: Set when the process is to end.
        clock: Stamps and waits.
    """

    def __init__(
        self,
        settings: RmsSettings,
        kafka: KafkaSettings,
        prefix: str,
        *,
        sink: FrameSink,
        session: aiohttp.ClientSession,
        tokens: Tokens,
        budget: LookUpBudget,
        stop: asyncio.Event,
        clock: Clock,
    ) -> None:
        self._queue = LookUpQueue(patience_s=_STANDBY_S if settings.replica else 0.0)
        self._reader = LookUpReader(
            kafka,
            prefix=prefix,
            customer=settings.customer_id,
            back_s=max(settings.window_prematch_s, settings.window_live_s) + settings.verify_s,
            queue=self._queue,
            clock=clock,
        )
        self._recorder = SnapshotRecorder(
            feed=names.FEED, line=names.lookups_line(settings.customer_id, settings.replica), sink=sink
        )
        self._bets = BetDetail(
            session,
            base_url=settings.bets_url,
            timeout_s=settings.http_timeout_s,
            redacted=tokens.redacted,
            clock=clock,
        )
        self._tokens = tokens
        self._budget = budget
        self._stop = stop
        self._clock = clock
        self._failures = 0
        self._limited = 0
        self._too_late = 0
        self.counts = LookUpCounts()

    @property
    def waiting(self) -> int:
        """Look-ups that wait for their turn."""
        return len(self._queue)

    async def run(self) -> None:
        """Answer look-ups until stopped."""
        await unless_stopped(self._stop, self._work())
        counts = self.counts
        log.info(
            "rms.lookups_stopped requests=%d recorded=%d given_up=%d too_late=%d waiting=%d failed=%s passed=%s",
            counts.requests,
            counts.recorded,
            counts.given_up,
            self._queue.too_late,
            self.waiting,
            dict(counts.failed),
            dict(self._reader.passed),
        )

    async def _work(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._reader.run(), name="rms-lookup-reader")
            group.create_task(self._ask_all(), name="rms-lookup-requests")

    async def _ask_all(self) -> None:
        await self._reader.caught_up.wait()
        while True:
            self._reader.news.clear()
            match self._next():
                case Later(in_s):
                    await self._news_or(in_s)
                case Due():
                    await self._ask_when_allowed()

    def _next(self) -> Due | Later:
        due = self._queue.next(self._clock.now_ns())
        if self._queue.too_late > self._too_late:
            log.warning("rms.lookups_too_late count=%d waiting=%d", self._queue.too_late - self._too_late, self.waiting)
            self._too_late = self._queue.too_late
        return due

    async def _news_or(self, in_s: float | None) -> None:
        waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._reader.news.wait())]
        if in_s is not None:
            waits.append(asyncio.ensure_future(self._clock.sleep(in_s)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _ask_when_allowed(self) -> None:
        """Ask for the oldest that is due once there are room, a token and a place in the budget."""
        while not self._recorder.has_room:
            await self._clock.sleep(_LOOK_S)
        await self._tokens.bearer()
        await self._budget.look_up()
        due, bearer = self._next(), self._tokens.in_force  # that may have taken a while
        if isinstance(due, Later) or bearer is None:
            return  # what was granted is not kept: sent later it would come too close to others
        self.counts.requests += 1
        finding = await self._bets.ask(due.bet, bearer)
        if isinstance(finding, Broken):
            await self._fail(due, finding.fault, finding.detail)
            return
        is_recorded = self._record(due, finding)
        match meaning(finding.status, finding.body):
            case "answer" if is_recorded:
                self._queue.done(due)
                self._failures = self._limited = 0
                self._tokens.accepted(bearer)
            case "answer":
                await self._fail(due, "no-room", "the queue to Kafka is full")
            case "token":
                self._tokens.refused(bearer)
                await self._fail(due, "status-401", "")
            case "limit":
                await self._pause_limited(finding)
            case "failure":
                await self._fail(due, f"status-{finding.status}", "")

    def _record(self, due: Due, answer: Answered) -> bool:
        is_recorded = self._recorder.record(
            answer.body,
            position=position_of(due.bet),
            requested_ns=answer.requested_ns,
            received_ns=answer.received_ns,
            status=answer.status,
        )
        self.counts.recorded += is_recorded
        return is_recorded

    async def _fail(self, due: Due, reason: str, detail: str) -> None:
        self.counts.failed[reason] += 1
        goes_on = self._queue.failed(due, self._clock.now_ns())
        self.counts.given_up += not goes_on
        log.warning(
            "rms.lookup_failed slip=%.200s code=%.200s reason=%s given_up=%s detail=%.200s",
            due.bet.slip,
            due.bet.code,
            reason,
            not goes_on,
            detail,
        )
        self._failures += 1
        await self._clock.sleep(_PAUSES_S[min(self._failures, len(_PAUSES_S)) - 1])

    async def _pause_limited(self, answer: Answered) -> None:
        """Ask nobody for a while: it says nothing about the bet."""
        self.counts.failed["status-429"] += 1
        self._limited += 1
        wish_s = max(answer.retry_after_s, _LIMITED_S)
        wait_s = min(wish_s * 2 ** min(self._limited - 1, 8), _LONGEST_S)
        log.warning("rms.lookups_limited for_s=%.0f waiting=%d", wait_s, self.waiting)
        await self._clock.sleep(wait_s)
