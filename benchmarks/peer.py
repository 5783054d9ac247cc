"""What a peer's process is told, how it is measured, and what it reports: the same for every peer."""

import json
import os
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """What a peer's process has to do.

    Attributes:
        bootstrap: Kafka's address.
        prefix: Prefix of all topics and the group of this run.
        frames: Frames to process before it reports and ends; 0 runs until SIGTERM and reports nothing.
        warm_up: How many of them, the first, are not measured.
        outputs: Records that all of them become, for a peer that has to be told.
        core: Processor to run on; ``None`` leaves that to the system.
        options: Options of this peer alone.
    """

    bootstrap: str
    prefix: str
    frames: int
    core: int | None
    warm_up: int = 0
    outputs: int = 0
    options: dict[str, bool | int | str] = field(default_factory=dict)

    def to_argument(self) -> str:
        """Return this as the one argument of a peer's process."""
        return json.dumps(asdict(self))

    @classmethod
    def taken(cls) -> "Assignment":
        """Read the assignment of this process and move to its core."""
        assignment = cls(**json.loads(sys.argv[1]))
        if assignment.core is not None:
            os.sched_setaffinity(0, {assignment.core})
        return assignment


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one run of a peer measured, from the first frame after the warm-up to the last commit."""

    frames: int
    seconds: float
    cpu_seconds: float
    core_wait_seconds: float
    """Time its threads were ready to run and did not: large when others were at work on its core (Linux only)."""
    rss_mib: float
    settings: dict[str, str]
    parts_s: dict[str, float] = field(default_factory=dict)
    """Processor time of what has a clock of its own, by its name."""


class Stopwatch:
    """Wall and processor time (all threads) of this process, and its memory at the end."""

    def __init__(self, warm_up: int = 0) -> None:
        self.began: tuple[float, ...] | None = None
        self.ended: tuple[float, ...] | None = None
        self._warm_up = warm_up
        self._unmeasured = 0

    def begin(self) -> None:
        """The first frame is in the worker's hands."""
        self.began = self._now()

    def reach(self, taken: int) -> None:
        """Begin where ``taken`` frames are the warm-up; to be called before the work on each frame, or each batch."""
        if self.began is None and taken >= self._warm_up:
            self._unmeasured = taken
            self.begin()

    def room(self, taken: int, limit: int) -> int:
        """Return how many frames the next batch may have, at most ``limit``: none is part warm-up, part measured."""
        return min(limit, self._warm_up - taken) if taken < self._warm_up else limit

    def end(self) -> None:
        """Everything taken so far is committed; the last call counts."""
        self.ended = self._now()

    def report(self, frames: int, settings: dict[str, object], parts_s: dict[str, float] | None = None) -> None:
        """Print the report of this process, the last line of its output; ``frames`` are all, the warm-up's too."""
        assert self.began is not None
        assert self.ended is not None
        report = Report(
            frames=frames - self._unmeasured,
            seconds=self.ended[0] - self.began[0],
            cpu_seconds=self.ended[1] - self.began[1],
            core_wait_seconds=self.ended[2] - self.began[2],
            rss_mib=psutil.Process().memory_info().rss / 2**20,
            settings={name: str(value) for name, value in settings.items()},
            parts_s=parts_s or {},
        )
        # Not sys.stdout: Faust's worker takes that for its log.
        print(json.dumps(asdict(report)), file=sys.__stdout__, flush=True)

    @staticmethod
    def _now() -> tuple[float, ...]:
        return time.perf_counter(), time.process_time(), _core_wait_s()


def _core_wait_s() -> float:
    # Second number of schedstat: nanoseconds on a run queue (Documentation/scheduler/sched-stats in Linux).
    waits = [path.read_text().split()[1] for path in Path("/proc/self/task").glob("*/schedstat")]
    return sum(map(int, waits)) / 1e9
