"""The spool as the sink uses it: off the event loop, within a bound, with a way on from each failure of the disk."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

from connectors.record import LastFrame, RawRecord
from connectors.spool import Spool, SpoolCorrupt, SpoolFailed, SpoolLocked

log = logging.getLogger(__name__)

T = TypeVar("T")

_RETRY_S: Final = 5.0


class Backlog:
    """What waits on disk for one raw partition. No call fails for the disk: it is told, and tried again after a while.

    One caller at a time; the blocking work runs in one thread of its own.

    Args:
        path: File of the spool.
        max_bytes: Bound of what it takes of the disk.
        lock_s: How long to wait for another process to let go of the file: one that just ends may still have it.
    """

    def __init__(self, path: Path, *, max_bytes: int, lock_s: float = 5.0) -> None:
        self._spool = Spool(path, lock_s=lock_s)
        self._max_bytes = max_bytes
        self._sent = 0
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="spool")
        self._failed_at: float | None = None
        self._abandoned = False
        self.lost = 0
        """Records that were on disk and cannot be read any more."""
        self._closed = False

    @property
    def count(self) -> int:
        """Records on disk that Kafka has not got yet."""
        return 0 if self._abandoned else self._spool.count - max(0, self._sent - self._spool.first + 1)

    @property
    def free_bytes(self) -> int:
        """What is left of the bound."""
        return self._max_bytes - self._spool.size_bytes

    @property
    def failing(self) -> bool:
        """Whether the disk refused when it was last tried."""
        return self._failed_at is not None

    @property
    def retry_at(self) -> float:
        """Loop time before which nothing is to be appended."""
        return 0.0 if self._failed_at is None else self._failed_at + _RETRY_S

    async def open(self) -> dict[str, LastFrame]:
        """Take up what an earlier process left and return where each line stood at its end; nothing when it is empty.

        Raises:
            SpoolLocked: Another process writes there: two connectors must not share a file.
        """
        try:
            await self._call(self._spool.probe)
        except SpoolFailed as error:
            # Told now, as it would be too late when Kafka is away; not a reason to record nothing meanwhile.
            log.error("spool.unusable error=%s Operator action: %s", error.message, error.action)
        try:
            await self._call(self._spool.open)
            lines = await self._call(self._spool.last_frames)
        except SpoolLocked:
            raise
        except SpoolFailed as error:
            await self._give_up_file(error)
            return {}
        if self.count:
            log.warning("spool.found path=%s records=%d", self._spool.path, self.count)
        return lines

    async def append(self, records: Sequence[RawRecord], before: Mapping[str, LastFrame]) -> int | None:
        """Keep ``records`` and return the place of the last; ``None``: the disk did not take them."""
        if self._abandoned:
            self._refused(f"{self._spool.path}: given up")
            return None
        begins = not self._spool.count
        try:
            place = await self._call(lambda: self._spool.append(records, before))
        except SpoolFailed as error:
            if isinstance(error, SpoolCorrupt) and not self.count:
                await self._give_up_file(error)
            else:
                self._refused(str(error))  # what can be read of a damaged file goes first
            return None
        if begins or self.failing:
            log.warning("spool.writing path=%s", self._spool.path)
        self._failed_at = None
        return place

    async def oldest(self, *, max_bytes: int, max_records: int) -> tuple[list[RawRecord], int] | None:
        """Return the oldest unsent records and the place of the last of them; ``None``: there are none any more."""
        try:
            return await self._read(max_bytes, max_records)
        except SpoolFailed as error:
            bad = max(self._sent + 1, self._spool.first)
            good = await self._call(lambda: self._spool.next_readable(self._sent))
            if good is not None:
                self._sent = good - 1
                self.lost += good - bad
                log.error(
                    "spool.damaged error=%s lost_records=%d Operator action: those are not in Kafka; the file is kept "
                    "when the rest is (`sqlite3 FILE .recover`)",
                    error.message,
                    good - bad,
                )
                with contextlib.suppress(SpoolFailed):
                    return await self._read(max_bytes, max_records)
            await self._give_up_file(error)
            return None

    async def sent(self, place: int) -> None:
        """Kafka has all up to ``place``."""
        self._sent = place
        if self._abandoned:
            return
        try:
            await self._call(lambda: self._spool.remove_through(place))
        except SpoolFailed as error:
            # They stay behind, known as sent; the next removal takes them along, and the last needs no room on disk.
            log.warning("spool.not_removed error=%s", error.message)
        else:
            if not self._spool.count:
                log.warning("spool.drained path=%s", self._spool.path)

    async def close(self) -> None:
        """Let go of the file and the thread, once; what is on disk stays there."""
        if not self._closed:
            self._closed = True
            await self._call(self._spool.close)
            self._thread.shutdown()

    async def _read(self, max_bytes: int, max_records: int) -> tuple[list[RawRecord], int]:
        return await self._call(lambda: self._spool.read(self._sent, max_bytes=max_bytes, max_records=max_records))

    def _refused(self, reason: str) -> None:
        log.error("spool.failed error=%s retry_in_s=%.0f", reason, _RETRY_S)
        self._failed_at = asyncio.get_running_loop().time()

    async def _give_up_file(self, error: SpoolFailed) -> None:
        """Go on without what cannot be read, and leave it to a person. Waiting would lose what comes now, too."""
        unsent = self.count
        self.lost += unsent
        try:
            moved_to: Path | None = await self._call(self._spool.set_aside)
        except SpoolFailed as stuck:
            self._abandoned = True
            self._refused(str(stuck))
            moved_to = None
        log.error(
            "spool.unreadable error=%s unsent_records=%s moved_to=%s "
            "Operator action: what it holds is not in Kafka; look at the file (`sqlite3 FILE .recover`)",
            error.message,
            unsent or "unknown",
            moved_to or "nowhere, it cannot be moved",
        )

    async def _call(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
