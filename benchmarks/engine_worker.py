"""Peer "tricast engine": the job as a processor, with the engine's default settings."""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable

from benchmarks.frames import REGISTRY
from benchmarks.job import OUT, RAW, Output, transform
from benchmarks.peer import Assignment, Stopwatch
from processors.core.processor import Context, Hole, SourceRecord
from processors.engine.app import EngineApp, build_app
from processors.engine.config import EngineSettings
from processors.engine.worker import run_worker
from schemas.kafka import KafkaSettings

LOOK_EVERY_S = 0.01


class BenchProcessor:
    """The job; state lives in the task's store and so in the changelog.

    Args:
        stopwatch: Told of each frame until it runs.
        job: ``transform``, or what goes around it.
    """

    name = "bench"
    feed = "bench"
    sources = (RAW,)
    outputs = (OUT,)

    def __init__(self, stopwatch: Stopwatch, job: Callable[..., list[Output]] = transform) -> None:
        self._stopwatch = stopwatch
        self._job = job
        self._taken = 0

    def process(self, record: SourceRecord, context: Context) -> None:
        if self._stopwatch.began is None:
            self._stopwatch.reach(self._taken)
            self._taken += 1
        store = context.store
        for key, value, headers in self._job(
            record.topic,
            record.partition,
            record.offset,
            record.value or b"",
            record.headers,
            store.get,
            store.put,
        ):
            context.forward(OUT, key, value, headers)

    def on_hole(self, hole: Hole, context: Context) -> None:
        context.dead_letter(b"", "bench.hole", f"{hole.first}-{hole.last}")


def report_when_done(
    app: EngineApp,
    frames: int,
    stopwatch: Stopwatch,
    settings: EngineSettings,
    parts_s: Callable[[], dict[str, float]] = dict,
) -> None:
    """Wait until ``frames`` frames are committed, report, and end this process."""
    while (engine := app.running) is None or engine.counts.readable.count < frames:
        time.sleep(LOOK_EVERY_S)
    stopwatch.end()
    shown = {**settings.model_dump(exclude={"worker_name"}), "cycles": engine.counts.cycles}
    stopwatch.report(engine.counts.readable.count, shown, parts_s())
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    assignment = Assignment.taken()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    stopwatch = Stopwatch(assignment.warm_up)
    settings = EngineSettings(worker_name="bench", **assignment.options)
    app = build_app(
        BenchProcessor(stopwatch),
        prefix=assignment.prefix,
        registry=REGISTRY,
        kafka=KafkaSettings(bootstrap_servers=assignment.bootstrap),
        settings=settings,
        version="bench",
    )
    if assignment.frames:
        watch = (app, assignment.frames, stopwatch, settings)
        threading.Thread(target=report_when_done, args=watch, daemon=True).start()
    run_worker(app)


if __name__ == "__main__":
    main()
