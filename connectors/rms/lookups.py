"""Look-ups: asks bet/detail for what the join asks for, and records every answer beside the socket's frames.

They need no socket. Of several connectors of a customer the one without a name answers at once, a hot standby what was
not answered after a while: it sees the others' answers in ``rms.raw``.
"""

import asyncio
import logging
from typing import Final

import aiohttp

from connectors.clock import Clock
from connectors.rms import names
from connectors.rms.asking import Asker, LookUpBudget, LookUpCounts
from connectors.rms.bet_detail import BetDetail
from connectors.rms.config import RmsSettings
from connectors.rms.lookup_queue import LookUpQueue
from connectors.rms.lookup_reader import LookUpReader
from connectors.rms.ports import Tokens
from connectors.runner import unless_stopped
from connectors.sink import FrameSink
from connectors.snapshots import SnapshotRecorder
from schemas.kafka import KafkaSettings

log = logging.getLogger(__name__)

_STANDBY_S: Final = 15.0


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
        self._asker = Asker(
            self._queue,
            bets=BetDetail(
                session,
                base_url=settings.bet_api,
                timeout_s=settings.http_timeout_s,
                redacted=tokens.redacted,
                clock=clock,
            ),
            recorder=SnapshotRecorder(
                feed=names.FEED, line=names.lookups_line(settings.customer_id, settings.replica), sink=sink
            ),
            tokens=tokens,
            budget=budget,
            clock=clock,
            news=self._reader.news,
        )
        self._stop = stop

    @property
    def waiting(self) -> int:
        """Look-ups that wait for their turn."""
        return len(self._queue)

    @property
    def counts(self) -> LookUpCounts:
        """What became of the requests."""
        return self._asker.counts

    async def run(self) -> None:
        """Answer look-ups until stopped."""
        await unless_stopped(self._stop, self._work())
        counts = self._asker.counts
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
        await self._asker.run()
