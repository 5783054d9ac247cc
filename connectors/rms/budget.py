"""This process's part of the vendor's limits: every attempt is on disk before it is made (fact sheet §6).

Everything that goes to the vendor counts: which requests the limit of HTTP is about is not documented. Look-ups leave a
quarter of it to handshakes and tokens, handshakes leave a little to tokens, without which they lead nowhere.
"""

import asyncio
import logging
import threading
import uuid
from collections.abc import Callable, Mapping
from typing import Final, Literal

from connectors.clock import Clock
from connectors.rms.attempts import Attempt, Limit, Limits, Moment, Rule
from connectors.rms.attempts_file import AttemptsFile, Busy, Doubt, Gone, Remembered
from connectors.rms.config import RmsSettings

log = logging.getLogger(__name__)

_MINUTE_S: Final = 60.0
_QUARTER_HOUR_S: Final = 900.0
_BUSY_S: Final = 0.05
_LONG_BUSY: Final = 200
"""Tries for the lock, some ten seconds, after which it is told: a process was stopped while it held it."""
_LOOKUPS_LEAVE: Final = 4
"""They leave that part of the requests."""
_HANDSHAKES_LEAVE: Final = 2

Purpose = Literal["connect", "request", "look-up"]


class RmsBudget:
    """What this process may still attempt; shared with others that have the same file.

    An attempt reaches the vendor some time after it was made here, the next one perhaps at once: two may come closer
    together than they left. So each counts for the window and the longest time it may be under way.

    Args:
        settings: Limits, this process's part of them, and where attempts are remembered.
        clock: Tells both times, and waits.
    """

    def __init__(self, settings: RmsSettings, *, clock: Clock) -> None:
        under_way_s = max(settings.handshake_timeout_s, settings.http_timeout_s)
        self._limits = Limits(
            {
                "connect": Rule(most=settings.connects_share, window_s=_MINUTE_S + under_way_s),
                "request": Rule(most=settings.requests_share, window_s=_QUARTER_HOUR_S + under_way_s),
                "look-up": Rule(most=settings.lookups_share, window_s=_QUARTER_HOUR_S + under_way_s),
            }
        )
        share = settings.requests_share
        self._needs: Mapping[Purpose, Mapping[Limit, int]] = {
            "connect": {"connect": 0, "request": min(_HANDSHAKES_LEAVE, share // 4)},
            "request": {"request": 0},
            "look-up": {"look-up": 0, "request": share // _LOOKUPS_LEAVE},
        }
        replica = f"@{settings.replica}" if settings.replica else ""
        self._file = AttemptsFile(settings.state_dir / f"attempts{replica}.json")
        self._clock = clock
        self._known: Mapping[str, Attempt] = {}
        self._is_kept = True
        self._one_thread = threading.Lock()
        self._turns: Mapping[Purpose, asyncio.Lock] = {purpose: asyncio.Lock() for purpose in self._needs}

    async def open(self) -> None:
        """Take up what was attempted before; where that cannot be known, everything counts as used up for a window.

        A directory that cannot be written is told, and no reason to record nothing: attempts are then remembered by
        this process alone, and each process begins with a window of waiting.
        """
        await self._unlocked(self._recall)

    @property
    def connects_left(self) -> int:
        """Handshakes that may be made at once."""
        return min(self._left("connect"), self._left("request"))

    @property
    def requests_left(self) -> int:
        """HTTP requests that may be made at once."""
        return self._left("request")

    async def connect(self) -> None:
        """Return when a handshake may be made; it counts from then on, as an HTTP request too."""
        await self._take("connect")

    async def request(self) -> None:
        """Return when a request for a token may be made; it counts from then on."""
        await self._take("request")

    async def look_up(self) -> None:
        """Return when a look-up may be made; it counts from then on, as an HTTP request too."""
        await self._take("look-up")

    # -- private -----------------------------------------------------------------------------------------------------

    def _left(self, limit: Limit) -> int:
        return self._limits.left(limit, self._known.values(), self._now())

    async def _take(self, purpose: Purpose) -> None:
        async with self._turns[purpose]:  # first come, first served
            while True:
                wait_s = await self._unlocked(lambda: self._attempt(purpose))
                if wait_s <= 0:
                    return
                await self._clock.sleep(wait_s)

    async def _unlocked(self, work: Callable[[], float]) -> float:
        """Do ``work``, which needs the lock, in a thread: a disk may take its time."""
        busy = 0
        while True:
            try:
                return await asyncio.to_thread(work)
            except Busy:
                busy += 1
            if busy % _LONG_BUSY == 0:
                log.error(
                    "rms.budget_locked path=%s Operator action: another process holds its lock and does not let go: is "
                    "one stopped (SIGSTOP)? Nothing is sent to the vendor until it goes on or ends",
                    self._file.path,
                )
            await self._clock.sleep(_BUSY_S)

    # In a thread, one at a time.

    def _recall(self) -> float:
        with self._one_thread:
            try:
                with self._file.locked():
                    self._known, _ = self._read(self._now())
                    self._file.write(self._known.values())
            except OSError as error:
                self._tell_unkept(error)
                self._known = {attempt.name: attempt for attempt in self._limits.used_up(self._now())}
            return 0.0

    def _attempt(self, purpose: Purpose) -> float:
        """Make an attempt if it may be made; return how long to wait otherwise."""
        with self._one_thread:
            wait_s: float | None = None
            try:
                with self._file.locked():
                    self._known, is_news = self._read(self._now())
                    wait_s = self._count(purpose)
                    if wait_s <= 0 or is_news:
                        self._file.write(self._known.values())
                        self._tell_kept()
            except OSError as error:
                # What this process did it knows; the next one finds no file, or cannot write it, and waits a window.
                self._tell_unkept(error)
            return self._count(purpose) if wait_s is None else wait_s

    def _count(self, purpose: Purpose) -> float:
        """Count an attempt if it may be made; return how long to wait otherwise."""
        now = self._now()
        self._known = self._limits.in_force(self._known.values(), now)
        attempts = tuple(self._known.values())
        needs = self._needs[purpose]
        wait_s = max(self._limits.wait_s(limit, attempts, now, spare=spare) for limit, spare in needs.items())
        if wait_s <= 0:
            attempt = Attempt(name=f"{purpose}-{uuid.uuid4().hex}", counts_as=frozenset(needs), at=now)
            self._known = {**self._known, attempt.name: attempt}
        return wait_s

    def _read(self, now: Moment) -> tuple[Mapping[str, Attempt], bool]:
        """Return what is in force of what disk and process know, and whether the disk lacks any of it."""
        match self._file.read():
            case Remembered(attempts):
                known = self._limits.in_force((*self._known.values(), *attempts), now)
                return known, not set(attempts).issuperset(known.values())
            case Gone() if not self._is_kept:
                # This process could not write it. Nobody has since, so what it knows is what there is.
                return self._limits.in_force(self._known.values(), now), True
            case Doubt(why):
                log.error(
                    "rms.budget_in_doubt path=%s why=%.200s Operator action: none needed; what was attempted is not "
                    "known, so nothing is sent to the vendor until all that may have been is over",
                    self._file.path,
                    why,
                )
                return self._limits.in_force((*self._known.values(), *self._limits.used_up(now)), now), True

    def _now(self) -> Moment:
        return Moment(wall_ns=self._clock.now_ns(), uptime_s=self._clock.monotonic_s())

    def _tell_unkept(self, error: OSError) -> None:
        if self._is_kept:
            log.error(
                "rms.budget_not_kept path=%s error=%s Operator action: attempts are not remembered on disk: a process "
                "that starts now waits for a window of each limit first; may this process write there, is the disk "
                "full?",
                self._file.path,
                error,
            )
        self._is_kept = False

    def _tell_kept(self) -> None:
        if not self._is_kept:
            log.warning("rms.budget_kept_again path=%s", self._file.path)
        self._is_kept = True
