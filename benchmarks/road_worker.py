"""A feed's processor itself on the engine, over preloaded raw frames; with ``profile`` under cProfile."""

import cProfile
import json
import logging
import pstats
import sys
import threading
from pathlib import Path

from benchmarks.engine_worker import report_when_done
from benchmarks.peer import Assignment, Stopwatch
from processors.core.processor import Context, Processor, SourceRecord
from processors.engine.app import build_app
from processors.engine.config import EngineSettings
from processors.engine.worker import run_worker
from schemas.kafka import KafkaSettings
from schemas.topics import TOPICS
from tricast.observe.config import ObserveSettings
from tricast.observe.run import observed_worker
from tricast.processors import PROCESSORS
from tricast.settings import Settings

_ROOT = Path(__file__).parents[1]
_BUILTIN = "~"


class Timed:
    """A processor that starts the stopwatch, and the profiler, at the first record in the worker's hands."""

    def __init__(self, processor: Processor, stopwatch: Stopwatch, profiler: cProfile.Profile | None) -> None:
        self.name, self.feed = processor.name, processor.feed
        self.sources, self.outputs = processor.sources, processor.outputs
        self.on_hole = processor.on_hole
        self._process = processor.process
        self._stopwatch = stopwatch
        self._profiler = profiler

    def process(self, record: SourceRecord, context: Context) -> None:
        """Process one raw record."""
        if self._stopwatch.began is None:
            self._stopwatch.begin()
            if self._profiler is not None:
                self._profiler.enable()
        self._process(record, context)


def costs(profiler: cProfile.Profile) -> dict[str, float]:
    """Return seconds of the profiled thread by module; what is compiled counts to the module that called it."""
    by_module: dict[str, float] = {}
    stats = pstats.Stats(profiler).stats  # type: ignore[attr-defined]  # undocumented in the stubs, the only access
    for (path, _, _), (_, _, own_s, _, callers) in stats.items():
        if path != _BUILTIN or not callers:
            by_module[_module(path)] = by_module.get(_module(path), 0.0) + own_s
            continue
        for (caller, _, _), (_, _, share_s, _) in callers.items():
            by_module[_module(caller)] = by_module.get(_module(caller), 0.0) + share_s
    return by_module


def _module(path: str) -> str:
    file = Path(path)
    if file.is_relative_to(_ROOT) and ".venv" not in file.parts:
        return file.relative_to(_ROOT).as_posix()
    if "site-packages" in file.parts:
        return file.parts[file.parts.index("site-packages") + 1]
    return "Python and the event loop"


def main() -> None:
    """Work off the assignment; a profile is printed before the report, as one JSON line."""
    assignment = Assignment.taken()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    stopwatch = Stopwatch()
    profiler = cProfile.Profile() if assignment.options.get("profile") else None
    settings = EngineSettings(worker_name="bench")
    app = build_app(
        Timed(PROCESSORS[str(assignment.options["processor"])](Settings()), stopwatch, profiler),
        prefix=assignment.prefix,
        registry=TOPICS,
        kafka=KafkaSettings(bootstrap_servers=assignment.bootstrap),
        settings=settings,
        version="bench",
    )
    watch = (app, assignment.frames, stopwatch, settings)
    threading.Thread(target=report_when_done, args=watch, daemon=True).start()
    addresses = assignment.options.get("addresses")
    observe = ObserveSettings() if addresses is None else ObserveSettings(port=0, address_dir=Path(str(addresses)))
    try:
        with observed_worker(observe, app):
            run_worker(app)
    finally:
        if profiler is not None:
            profiler.disable()
            Path(str(assignment.options["profile"])).write_text(json.dumps(costs(profiler)), encoding="utf-8")


if __name__ == "__main__":
    main()
