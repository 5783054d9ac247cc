"""The pulse of a process: a task of its event loop that measures how late it wakes, and looks around once a second.

What it saw is kept, so that the endpoints, in a thread of their own, can answer while the loop stands still; and as
only the loop looks, nothing is read while it changes.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from schemas.histogram import Histogram
from schemas.metrics import METRICS, Part
from tricast.observe.exporter import Sample
from tricast.observe.standing import STARTING, Fault, Judge, Standing, standing_of

log = logging.getLogger(__name__)

BEAT_S: Final = 0.25
LOOK_S: Final = 1.0
_BLIND: Final = Fault(code="look-failed", text="it cannot tell how it stands: a bug, see its log", severity="degraded")
_LAG: Final = METRICS["tricast_process_loop_lag_seconds"]


class Subject(Protocol):
    """What is looked at; called in the event loop."""

    @property
    def part(self) -> Part:
        """Whose metrics it has."""
        ...

    def samples(self) -> Iterable[Sample]:
        """Return its metrics as of now."""
        ...

    def faults(self, now_s: float) -> Iterable[Fault]:
        """Return what is not as it should be; called about once a second, before :attr:`stalled_s` is read."""
        ...

    @property
    def stalled_s(self) -> float:
        """For how long there has been work without progress, seconds."""
        ...


@dataclass(frozen=True, slots=True)
class Look:
    """What the loop saw last."""

    standing: Standing = STARTING
    stalled_s: float = 0.0
    samples: tuple[Sample, ...] = ()


class Beat:
    """See the module's text.

    Args:
        subject: What is looked at.
        now_s: The monotonic clock.

    Attributes:
        look: The newest.
        lag: How late it woke up, seconds.
        beats: How often it woke.
        beaten_s: When it last did; at first when it was made.
    """

    def __init__(self, subject: Subject, now_s: Callable[[], float] = time.monotonic) -> None:
        self._subject = subject
        self._now_s = now_s
        self._judge = Judge()
        self._look_at_s = 0.0
        self.look = Look()
        self.lag = Histogram(_LAG.buckets)
        self.beats = 0
        self.beaten_s = now_s()

    @property
    def part(self) -> Part:
        """Whose metrics the looks have."""
        return self._subject.part

    @property
    def silence_s(self) -> float:
        """How long ago the loop was last seen to run."""
        return max(0.0, self._now_s() - self.beaten_s)

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            due_s = self._now_s() + BEAT_S
            self.beat()
            await asyncio.sleep(BEAT_S)
            self.lag.observe(max(0.0, self._now_s() - due_s))

    def beat(self) -> None:
        """Note that the loop runs, and look around when it is time."""
        self.beaten_s = now_s = self._now_s()
        self.beats += 1
        if now_s >= self._look_at_s:
            self._look_at_s = now_s + LOOK_S
            try:
                standing = self._judge.judge(self._subject.faults(now_s), now_s)
                self.look = Look(standing, self._subject.stalled_s, tuple(self._subject.samples()))
            except Exception:  # looking must never hold up, or end, what is looked at; it is told, with its trace
                log.exception("observe.look_failed")
                self.look = Look(standing_of([_BLIND]), self.look.stalled_s, self.look.samples)
