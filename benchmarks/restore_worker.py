"""A processor's worker over a changelog that is there already: restores it, says how, and ends."""

import cProfile
import json
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.peer import Assignment, Stopwatch
from benchmarks.road_worker import costs
from processors.engine.app import build_app
from processors.engine.config import EngineSettings
from processors.engine.opening import TaskOpener
from processors.engine.task import StreamTask
from processors.engine.worker import run_worker
from schemas.kafka import KafkaSettings
from schemas.topics import TOPICS
from tricast.processors import PROCESSORS
from tricast.settings import Settings


def report_opening(profiler: cProfile.Profile | None) -> None:
    """Have the engine's opener time its first opening, report the changelog records that took, and end the process."""
    open_tasks = TaskOpener.open

    async def timed(opener: TaskOpener, tasks: list[StreamTask], is_current: Callable[[], bool]) -> int:
        stopwatch = Stopwatch()
        stopwatch.begin()
        if profiler is not None:
            profiler.enable()
        records = await open_tasks(opener, tasks, is_current)
        if profiler is not None:
            profiler.disable()
        stopwatch.end()
        stopwatch.report(records, {"tasks": len(tasks), "entries": sum(len(task.store) for task in tasks)})
        os.kill(os.getpid(), signal.SIGTERM)
        return records

    TaskOpener.open = timed  # type: ignore[assignment,method-assign]  # timed from outside


def main() -> None:
    """Restore what the group has."""
    assignment = Assignment.taken()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    profile = assignment.options.get("profile")
    profiler = cProfile.Profile() if profile else None
    report_opening(profiler)
    try:
        run_worker(
            build_app(
                PROCESSORS[str(assignment.options["processor"])](Settings()),
                prefix=assignment.prefix,
                registry=TOPICS,
                kafka=KafkaSettings(bootstrap_servers=assignment.bootstrap),
                settings=EngineSettings(worker_name="bench"),
                version="bench",
            )
        )
    finally:
        if profiler is not None:
            Path(str(profile)).write_text(json.dumps(costs(profiler)), encoding="utf-8")


if __name__ == "__main__":
    main()
