"""A processor for the engine's tests whose outputs show every kind of mistake by themselves.

Each source record is ``{"id": n, "kids": [[key, text], …]}``. Each kid becomes one output, keyed by ``key``, that
carries the id of its source *inside* the payload, its index, and ``nth``: how many outputs this key had before in
this partition, counted in the state store. Lost state repeats or resets ``nth``; a lost or doubled record leaves a
hole or a repeat in it.
"""

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
import time
from pathlib import Path
from types import MappingProxyType

import orjson

from processors.core.processor import Context, Hole, SourceRecord
from processors.engine.app import EngineApp, build_app
from processors.engine.config import EngineSettings
from processors.engine.worker import run_worker
from schemas.kafka import KafkaSettings
from schemas.topics import Topic, changelog
from tricast.observe.config import ObserveSettings
from tricast.observe.run import observed_worker

PARTITIONS = 4
LINGER_S = 2.0
REGISTRY = MappingProxyType(
    {
        topic.name: topic
        for topic in (
            Topic(name="toy.raw", description="Source of the engine's tests.", key="none", partitions=PARTITIONS),
            Topic(name="toy.out", description="One record per kid.", key="kid's key", partitions=PARTITIONS),
            Topic(name="toy.dead-letters", description="Failed records.", key="none", partitions=PARTITIONS),
            changelog("toy", "toy.raw", PARTITIONS),
        )
    }
)


class ToyProcessor:
    """See the module's text."""

    name = "toy"
    feed = "toy"
    sources = ("toy.raw",)
    outputs = ("toy.out",)

    def process(self, record: SourceRecord, context: Context) -> None:
        frame = orjson.loads(record.value or b"null")
        for index, (key, text) in enumerate(frame["kids"]):
            name = key.encode()
            nth = int(context.store.get(name) or b"0")
            context.store.put(name, b"%d" % (nth + 1))
            if text == "poison":
                raise ValueError("poisoned kid")
            if text.startswith("block:"):
                _block_while(Path(text.removeprefix("block:")))
            if text.startswith("stop-once:"):
                _stop_once(Path(text.removeprefix("stop-once:")))
            value = orjson.dumps(
                {"id": frame["id"], "index": index, "key": key, "nth": nth, "partition": record.partition, "text": text}
            )
            context.forward("toy.out", name, value, [("ce_id", b"%d/%d" % (frame["id"], index))])

    def on_hole(self, hole: Hole, context: Context) -> None:
        context.dead_letter(b"", "toy.hole", f"{hole.first}-{hole.last}")


def _block_while(mark: Path) -> None:
    """Hold up the event loop while ``mark`` is there, as a computation without end would."""
    while mark.exists():
        time.sleep(0.05)


def _stop_once(mark: Path) -> None:
    """Stop this process in the middle of its cycle, the first time anybody meets this record; linger after SIGCONT.

    While this lingers, heartbeats go on in their thread, so the worker learns that the group has moved on.
    """
    with contextlib.suppress(FileExistsError):
        mark.touch(exist_ok=False)
        os.kill(os.getpid(), signal.SIGSTOP)
        time.sleep(LINGER_S)


async def _hold_cycles(app: EngineApp, mark: Path) -> None:
    """Let no cycle begin while ``mark`` is there, as a lock that nobody gives back would; the loop goes on.

    From when on that is so is told by a file beside it.
    """
    while True:
        while not mark.exists():  # noqa: ASYNC110, ASYNC240 - another process makes it
            await asyncio.sleep(0.05)
        async with app.engine._computing:
            mark.with_suffix(".held").touch()
            while mark.exists():  # noqa: ASYNC110, ASYNC240 - another process removes it
                await asyncio.sleep(0.05)


def main() -> None:
    """Run a worker; settings come as one JSON argument."""
    arguments = json.loads(sys.argv[1])
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format=f"%(asctime)s {os.getpid()} %(levelname)s %(name)s %(message)s"
    )
    engine = arguments["engine"]
    silent_s = engine.pop("may_be_silent_s", None)
    observe = engine.pop("observe", {})
    hold = engine.pop("hold", None)
    is_static = engine.pop("is_static", False)
    app = build_app(
        ToyProcessor(),
        prefix=arguments["prefix"],
        registry=REGISTRY,
        kafka=KafkaSettings(bootstrap_servers=arguments["bootstrap"]),
        settings=EngineSettings(**engine),
        version="test",
    )
    if silent_s is not None:
        app.conf.broker_max_poll_interval = silent_s
    if is_static:
        app.conf.consumer_group_instance_id = engine["worker_name"]
    if hold is not None:
        app.run_beside(lambda: _hold_cycles(app, Path(hold)))
    with observed_worker(ObserveSettings(**observe), app):
        run_worker(app)


if __name__ == "__main__":
    main()
