"""The engine worker of the throughput table with a clock around the job and around the encoding of its outputs."""

import logging
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from benchmarks.engine_worker import BenchProcessor, report_when_done
from benchmarks.frames import REGISTRY
from benchmarks.job import transform
from benchmarks.peer import Assignment, Stopwatch
from processors.engine.app import build_app
from processors.engine.config import EngineSettings
from processors.engine.cycle import Cycle
from processors.engine.worker import run_worker
from schemas.kafka import KafkaSettings

CALIBRATION_CALLS = 50_000


class Spent:
    """Adds up what calls of a function take, once the stopwatch runs.

    Args:
        stopwatch: Runs from the warm-up's end on.
        now_ns: This thread's processor time.
    """

    def __init__(self, stopwatch: Stopwatch, now_ns: Callable[[], int] = time.thread_time_ns) -> None:
        self.ns = self.calls = 0
        self._stopwatch = stopwatch
        self._now_ns = now_ns

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return ``function`` with this clock around it."""
        now_ns = self._now_ns

        def clocked(*arguments: Any) -> Any:
            if self._stopwatch.began is None:
                return function(*arguments)
            began_ns = now_ns()
            try:
                return function(*arguments)
            finally:
                self.ns += now_ns() - began_ns
                self.calls += 1

        return clocked


def clock_costs_s(stopwatch: Stopwatch) -> tuple[float, float]:
    """Return what one call under a clock costs by itself, and how much of that the clock takes for the function's."""
    clock = Spent(stopwatch)
    nothing = clock.around(lambda: None)
    began_ns = time.thread_time_ns()
    for _ in range(CALIBRATION_CALLS):
        nothing()
    whole_ns = time.thread_time_ns() - began_ns
    return whole_ns / CALIBRATION_CALLS / 1e9, clock.ns / CALIBRATION_CALLS / 1e9


def main() -> None:
    assignment = Assignment.taken()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    stopwatch = Stopwatch(assignment.warm_up)
    job, encoding = Spent(stopwatch), Spent(stopwatch)
    Cycle.take_outputs = encoding.around(Cycle.take_outputs)  # type: ignore[method-assign]  # this process only
    settings = EngineSettings(worker_name="bench")
    app = build_app(
        BenchProcessor(stopwatch, job.around(transform)),
        prefix=assignment.prefix,
        registry=REGISTRY,
        kafka=KafkaSettings(bootstrap_servers=assignment.bootstrap),
        settings=settings,
        version="bench",
    )

    def parts_s() -> dict[str, float]:
        assert job.calls
        assert encoding.calls, "the engine takes its outputs in another way"
        each_s, within_s = clock_costs_s(stopwatch)
        return {
            "job": job.ns / 1e9 - job.calls * within_s,
            "encoding": encoding.ns / 1e9 - encoding.calls * within_s,
            "clocks": (job.calls + encoding.calls) * each_s,
        }

    watch = (app, assignment.frames, stopwatch, settings, parts_s)
    threading.Thread(target=report_when_done, args=watch, daemon=True).start()
    run_worker(app)


if __name__ == "__main__":
    main()
