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


class Clock:
    """Adds up the processor time of this thread that calls of a function take, once the stopwatch runs."""

    def __init__(self, stopwatch: Stopwatch) -> None:
        self.ns = 0
        self._stopwatch = stopwatch

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return ``function`` with this clock around it."""

        def clocked(*arguments: Any) -> Any:
            if self._stopwatch.began is None:
                return function(*arguments)
            began = time.thread_time_ns()
            try:
                return function(*arguments)
            finally:
                self.ns += time.thread_time_ns() - began

        return clocked


def main() -> None:
    assignment = Assignment.taken()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    stopwatch = Stopwatch(assignment.warm_up)
    job, encoding = Clock(stopwatch), Clock(stopwatch)
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
    watch = (app, assignment.frames, stopwatch, settings, lambda: {"job_ns": job.ns, "encoding_ns": encoding.ns})
    threading.Thread(target=report_when_done, args=watch, daemon=True).start()
    run_worker(app)


if __name__ == "__main__":
    main()
