"""HTTP polling beside push, as the vendor advises: asks what the schedule says and records what is answered."""

import asyncio
import itertools
import logging
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from connectors.clock import Clock
from connectors.kambi import answers, keys
from connectors.kambi.asks import Ask, Failed, Gone, Outcome, Served, Skipped, Wait, position
from connectors.kambi.http import Answer, Broken, OfferingHttp, Refused, Unchanged
from connectors.kambi.schedule import PollSchedule
from connectors.runner import unless_stopped
from connectors.snapshots import SnapshotRecorder

log = logging.getLogger(__name__)

_OF_THE_CLIENT: Final = frozenset({401, 403, 407, 408, 425, 429})
"""Client errors that mean who asks or how often, not what was asked for."""
_SERVER_ERROR: Final = 500


@dataclass(slots=True)
class PollCounts:
    """What became of the requests, as plain numbers."""

    requests: int = 0
    recorded: int = 0
    """Records written; a listing is written once for each shard."""
    unchanged: int = 0
    skipped: int = 0
    """Answers, or requests not made, for want of room in the queue to Kafka."""
    failed: Counter[str] = field(default_factory=Counter)
    """By reason: ``status-<n>``, ``network``, ``timeout``, ``truncated``, ``too-large``, ``redirects``, ``not-json``,
    ``error-body``, ``listing``."""
    odd: Counter[str] = field(default_factory=Counter)
    """What was used all the same: ``content-type``, ``entries`` of a listing that name no event."""


class Poller:
    """Polls for all shards of a process; frames come first, so nothing here waits for Kafka.

    Args:
        http: Client of the offering API.
        schedule: What to ask, and when.
        recorders: Where the snapshots of each shard go; empty: nothing is recorded, live events are listed all the
            same.
        language: As in the language channels, e.g. ``en_GB``.
        on_live: Told each readable listing of live events, and when it was asked for (monotonic seconds).
        stop: Set when polling is to end; what is under way is given up.
        clock: Waits.
        hold_s: How long an answer is held before it is recorded, seconds.
    """

    def __init__(
        self,
        *,
        http: OfferingHttp,
        schedule: PollSchedule,
        recorders: Mapping[int, SnapshotRecorder],
        language: str,
        on_live: Callable[[answers.Listing, float], None],
        stop: asyncio.Event,
        clock: Clock,
        hold_s: float,
    ) -> None:
        self._http = http
        self._hold_s = hold_s
        self._schedule = schedule
        self._recorders = recorders
        self._language = language
        self._on_live = on_live
        self._stop = stop
        self._clock = clock
        self._told = asyncio.Event()
        self._followed: dict[int, tuple[int, ...]] = {}
        self._listing: answers.Listing | None = None  # of the validators that are remembered
        self.counts = PollCounts()

    # -- what the connector tells ------------------------------------------------------------------------------------

    def follow(self, shard: int, events: Iterable[int]) -> None:
        """Poll exactly ``events`` of ``shard``."""
        followed = tuple(events)
        if shard in self._recorders and self._followed.get(shard) != followed:
            self._followed[shard] = followed
            self._schedule.follow(itertools.chain(*self._followed.values()), self._clock.monotonic_s())
            self._told.set()

    def emitted(self, topics: Iterable[str]) -> None:
        """Subscriptions to ``topics`` are on the wire: what they carry is asked for soon, and unconditionally."""
        subscribed = [key for key in map(keys.parse, topics) if key is not None]
        now_s = self._clock.monotonic_s()
        self._schedule.resubscribed(dict.fromkeys(key.event for key in subscribed if key.event is not None), now_s)
        if any(key.channel in {"general", "extended"} for key in subscribed):
            self._schedule.reopened(now_s)
        self._told.set()

    def announced(self, event: int) -> None:
        """Push said that ``event`` is in the offering."""
        self._schedule.announced(event)

    def recalled(self, events: Iterable[int]) -> None:
        """An earlier process left ``events`` as being there."""
        self._schedule.recalled(events, self._clock.monotonic_s())
        self._told.set()

    def ended(self, event: int) -> None:
        """Push said that ``event`` left the offering or is live no more."""
        self._schedule.ended(event)

    def doubt(self) -> None:
        """The last listing lacked events that are followed: have the next one soon."""
        self._schedule.doubt(self._clock.monotonic_s())
        self._told.set()

    # -- polling -----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Poll until stopped."""
        async with asyncio.TaskGroup() as group:
            while not self._stop.is_set():
                self._told.clear()
                match self._schedule.next(self._clock.monotonic_s()):
                    case Ask() as ask:
                        group.create_task(unless_stopped(self._stop, self._carry_out(ask)), name=f"poll {ask.number}")
                    case Wait(until_s=until_s):
                        await unless_stopped(self._stop, self._told_or(until_s))
        counts = self.counts
        log.info(
            "kambi.poll_stopped requests=%d recorded=%d unchanged=%d skipped=%d failed=%s",
            counts.requests,
            counts.recorded,
            counts.unchanged,
            counts.skipped,
            dict(counts.failed),
        )

    async def _told_or(self, until_s: float) -> None:
        waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._told.wait())]
        if until_s < math.inf:
            waits.append(asyncio.ensure_future(self._clock.sleep(until_s - self._clock.monotonic_s())))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _carry_out(self, ask: Ask) -> None:
        outcome: Outcome = Failed(everywhere=False)
        try:
            outcome = await self._ask(ask)
        finally:  # given up or broken: a request that the schedule believes under way would never be made again
            self._schedule.done(ask, outcome, self._clock.monotonic_s())
            self._told.set()

    async def _ask(self, ask: Ask) -> Outcome:
        recorders = [self._recorders[shard] for shard in self._recorders if ask.shard in {None, shard}]
        if ask.what != "live-open" and not any(recorder.has_room for recorder in recorders):
            self.counts.skipped += 1
            return Skipped()
        self.counts.requests += 1
        where = position(ask, self._language)
        finding = await self._http.get(where, conditional=ask.conditional)
        self._schedule.answered(ask)  # held back or not, it keeps no other request from being made
        self._told.set()
        match finding:
            case Unchanged():
                self.counts.unchanged += 1
                if ask.what == "live-open" and self._listing is not None:
                    self._on_live(self._listing, ask.asked_s)
                return Served()
            case Refused(status=status, retry_after_s=retry_after_s):
                everywhere = status in _OF_THE_CLIENT or status >= _SERVER_ERROR
                return self._failed(where, f"status-{status}", "", everywhere=everywhere, retry_after_s=retry_after_s)
            case Broken(fault=fault, detail=detail):
                return self._failed(where, fault, detail, everywhere=fault != "too-large")
            case Answer(status=200) as answer:
                return await self._found(ask, answer, recorders)
            case Answer() as answer:
                return await self._not_found(ask, answer, recorders)

    # -- what was answered -------------------------------------------------------------------------------------------

    async def _found(self, ask: Ask, answer: Answer, recorders: Sequence[SnapshotRecorder]) -> Outcome:
        if (fault := answers.fault(answer.body)) is not None:
            await self._record(answer, recorders)
            return self._failed(answer.position, fault.reason, fault.detail, everywhere=True)
        if not answer.content_type.endswith("json"):
            self.counts.odd["content-type"] += 1
            if self.counts.odd["content-type"] == 1:
                log.warning("kambi.poll_odd position=%s content_type=%.100s", answer.position, answer.content_type)
        listing = answers.live_events(answer.body) if ask.what == "live-open" else None
        if listing is not None:
            self._listed(listing, ask.asked_s)  # whom to follow does not wait
        kept = await self._record(answer, recorders)
        if ask.what == "live-open":
            if listing is None:
                return self._failed(answer.position, "listing", "no list of live events", everywhere=False)
            if kept:
                self._listing = listing
        if not kept:
            return Skipped()
        self._http.remember(answer)
        return Served()

    async def _not_found(self, ask: Ask, answer: Answer, recorders: Sequence[SnapshotRecorder]) -> Outcome:
        """404: of event ids it says that none of them exists any more; of a listing, that there is no such listing."""
        if not ask.events:
            return self._failed(answer.position, f"status-{answer.status}", "", everywhere=False)
        fault = answers.fault(answer.body) if answer.body.strip() else None
        if fault is not None and fault.reason == answers.NOT_JSON:  # said by something that is not the API
            await self._record(answer, recorders)
            return self._failed(answer.position, fault.reason, fault.detail, everywhere=True)
        if not self._schedule.is_certain(ask) or await self._record(answer, recorders):
            return Gone()
        return Skipped()

    def _listed(self, listing: answers.Listing, asked_s: float) -> None:
        if listing.unreadable:
            self.counts.odd["entries"] += listing.unreadable
            log.warning("kambi.discovery_incomplete unreadable=%d events=%d", listing.unreadable, len(listing.events))
        self._on_live(listing, asked_s)

    async def _record(self, answer: Answer, recorders: Sequence[SnapshotRecorder]) -> bool:
        """Write ``answer`` to each of ``recorders``; return whether all had room.

        It may know of changes whose messages are still on their way: it is held until those are there, so that what
        it shows and push did not say is really missing.
        """
        await self._clock.sleep(self._hold_s)
        written = [
            recorder.record(
                answer.body,
                position=answer.position,
                requested_ns=answer.requested_ns,
                received_ns=answer.received_ns,
                status=answer.status,
            )
            for recorder in recorders
        ]
        self.counts.recorded += sum(written)
        self.counts.skipped += len(written) - sum(written)
        return all(written)

    def _failed(self, where: str, reason: str, detail: str, *, everywhere: bool, retry_after_s: float = 0.0) -> Failed:
        self.counts.failed[reason] += 1
        log.warning("kambi.poll_failed position=%.200s reason=%s detail=%.300s", where, reason, detail)
        return Failed(everywhere=everywhere, retry_after_s=retry_after_s)
