"""Asks bet/detail for the bets that wait, one at a time, and records every answer."""

import asyncio
import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from connectors.clock import Clock
from connectors.rms.bet_detail import Answered, BetDetail, Broken, meaning, position_of
from connectors.rms.lookup_queue import Due, Later, LookUpQueue
from connectors.rms.ports import Tokens
from connectors.snapshots import SnapshotRecorder

log = logging.getLogger(__name__)

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


class Asker:
    """Answers the look-ups of a queue.

    Args:
        queue: What waits.
        bets: Client of the bet API.
        recorder: Where answers go.
        tokens: Owner of the tokens.
        budget: What requests count for.
        clock: Waits.
        news: Set by whoever fills the queue.
    """

    def __init__(
        self,
        queue: LookUpQueue,
        *,
        bets: BetDetail,
        recorder: SnapshotRecorder,
        tokens: Tokens,
        budget: LookUpBudget,
        clock: Clock,
        news: asyncio.Event,
    ) -> None:
        self._queue = queue
        self._bets = bets
        self._recorder = recorder
        self._tokens = tokens
        self._budget = budget
        self._clock = clock
        self._news = news
        self._failures = 0
        self._limited = 0
        self._too_late = 0
        self.counts = LookUpCounts()

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            self._news.clear()
            match self._next():
                case Later(in_s):
                    await self._news_or(in_s)
                case Due():
                    await self._ask_when_allowed()

    def _next(self) -> Due | Later:
        due = self._queue.next(self._clock.now_ns())
        if self._queue.too_late > self._too_late:
            log.warning(
                "rms.lookups_too_late count=%d waiting=%d", self._queue.too_late - self._too_late, len(self._queue)
            )
            self._too_late = self._queue.too_late
        return due

    async def _news_or(self, in_s: float | None) -> None:
        waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._news.wait())]
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
            self._tokens.masked(answer.body),
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
        log.warning("rms.lookups_limited for_s=%.0f waiting=%d", wait_s, len(self._queue))
        await self._clock.sleep(wait_s)
