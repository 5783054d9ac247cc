"""From time to packets: lets the offering live, writes what changed, bulks it per channel and hands it over."""

import asyncio
from collections.abc import Iterable

from simulators.kambi.bulking import Bulk, Bulker
from simulators.kambi.changes import Change
from simulators.kambi.channels import Channels
from simulators.kambi.config import FaultSwitch, KambiSimulatorSettings
from simulators.kambi.connections import Connections
from simulators.kambi.copies import Copies, Copy
from simulators.kambi.frames import FrameBuilder
from simulators.kambi.load import LoadPlan
from simulators.kambi.messages import MessageWriter
from simulators.kambi.oddities import Oddities
from simulators.kambi.offering import Offering

_LONGEST_STEP_MS = 1_000
"""After a pause of the process the offering advances in steps of this size."""
_FLOOD_STEP_MS = 100
"""A step that took longer floods no more than this: who cannot keep up must not owe ever more."""
_ALL_MS = 1 << 62


class Publisher:
    """One offering on its channels.

    Args:
        settings: Bulking, load.
        faults: What goes wrong in frames and copies.
        offering: What changes.
        connections: Who gets it.
        start_ms: Epoch milliseconds of the first moment.

    Attributes:
        paused: While set the offering stands still; what is on its way still arrives.
        stalled: While set nothing is delivered, and what is published meanwhile is lost.
        now_ms: Real epoch milliseconds, the ``t`` of what is published now; the offering's own stands while paused.
    """

    def __init__(
        self,
        settings: KambiSimulatorSettings,
        faults: FaultSwitch,
        offering: Offering,
        connections: Connections,
        start_ms: int,
    ) -> None:
        self.paused = False
        self.stalled = False
        self.now_ms = start_ms
        self._settings = settings
        self._faults = faults
        self._offering = offering
        self._connections = connections
        self._writer = MessageWriter(
            Channels(offering=settings.offering, languages=settings.languages, extended=settings.extended_channels)
        )
        self._oddities = Oddities(faults)
        self._copies = Copies(faults)
        self._bulker = Bulker(window_ms=settings.bulk_window_ms, most=settings.bulk_max)
        self._frames = FrameBuilder(faults)
        self._load = LoadPlan()
        self._turn = asyncio.Lock()  # a flush between two halves of a step would deliver out of order

    async def advance(self, elapsed_ms: int) -> None:
        """Let ``elapsed_ms`` of real time pass."""
        while elapsed_ms > 0:
            step_ms = min(elapsed_ms, _LONGEST_STEP_MS)
            elapsed_ms -= step_ms
            async with self._turn:
                await self._step(step_ms)

    async def flush(self) -> None:
        """Hand over every bulk whose window is still open."""
        async with self._turn:
            await self._hand_bulks(self._bulker.due(_ALL_MS))

    async def _step(self, real_ms: int) -> None:
        self.now_ms += real_ms
        if not self.paused:
            self._offering.missing_odds_every = self._faults.current.missing_odds_every
            await self._publish(self._offering.advance(real_ms))
        await self._hand_bulks(self._bulker.due(self.now_ms))
        flood_per_s = self._faults.current.flood_frames_per_s * min(1, _FLOOD_STEP_MS / real_ms)
        load_per_s = self._settings.load_frames_per_s + flood_per_s
        if load_per_s and not self.paused:
            await self._send_load(real_ms, load_per_s)
        await self._connections.hand_due(self.now_ms)

    async def _publish(self, changes: Iterable[Change]) -> None:
        self._writer.no_event_id_every = self._faults.current.no_event_id_every
        written = (self._writer.write(change, self.now_ms) for change in self._oddities.flickering(changes))
        messages = [self._oddities.odd_time(message) for message in written]
        for key, copy in self._copies.of(messages):
            if self._connections.wants(key):
                full = self._bulker.add(key, copy, self.now_ms)
                if full is not None:
                    await self._hand(full)

    async def _send_load(self, elapsed_ms: int, frames_per_s: float) -> None:
        keys = {
            event_id: key
            for event_id in self._offering.live_event_ids
            if self._connections.wants(key := self._writer.channels.event_neutral(event_id))
        }
        for event_id in self._load.take(elapsed_ms, list(keys), frames_per_s):
            waiting = self._bulker.flush(keys[event_id])
            if waiting is not None:
                await self._hand(waiting)  # what was published before must not arrive after
            changes = self._offering.load(event_id, self._settings.load_children)
            messages = tuple(Copy.of(self._writer.write(change, self.now_ms)) for change in changes)
            if messages:
                await self._hand(Bulk(key=keys[event_id], messages=messages))

    async def _hand_bulks(self, bulks: Iterable[Bulk]) -> None:
        for bulk in bulks:
            await self._hand(bulk)

    async def _hand(self, bulk: Bulk) -> None:
        for frame in self._frames.build(bulk, self.now_ms):
            await self._connections.hand(frame, self.now_ms, stalled=self.stalled)
