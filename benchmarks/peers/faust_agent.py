"""Peer "stock Faust": a plain agent of a plain app, at least once, one `topic.send` a child.

State is a dict, which a restart loses. With the option ``tuned`` it gets settings that suit this load.
"""

import asyncio
import os
import signal
import sys
import tempfile
from importlib import metadata

import faust
import uvloop

from benchmarks.job import OUT, RAW, transform
from benchmarks.peer import Assignment, Stopwatch

NEEDED = {
    "processing_guarantee": "at_least_once",
    "key_serializer": "raw",
    "value_serializer": "raw",
    "topic_allow_declare": False,
    "topic_disable_leader": True,
    "web_enabled": False,
}
"""What the job needs at all; everything else is as Faust ships it, the event loop included."""
TUNED = {
    "consumer_max_fetch_size": 4 * 1024 * 1024,
    "broker_max_poll_records": 1_000,
    "stream_buffer_maxsize": 16_384,
    "producer_linger": 0.005,
    "producer_max_batch_size": 1024 * 1024,
}
"""What somebody who has measured would add; with it comes uvloop."""


def main() -> None:
    assignment = Assignment.taken()
    tuned = bool(assignment.options.get("tuned"))
    if tuned:
        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    settings = {**NEEDED, **(TUNED if tuned else {})}
    versions = {name: metadata.version(name) for name in ("faust-streaming", "aiokafka")}
    with tempfile.TemporaryDirectory() as data_dir:
        app = faust.App(
            f"{assignment.prefix}bench", broker=f"kafka://{assignment.bootstrap}", datadir=data_dir, **settings
        )
        raw, out = app.topic(assignment.prefix + RAW), app.topic(assignment.prefix + OUT)
        stopwatch, state = Stopwatch(assignment.warm_up), dict[bytes, bytes]()

        @app.agent(raw)
        async def normalize(stream):
            done = 0
            async for event in stream.events():
                stopwatch.reach(done)
                message = event.message
                for key, value, headers in transform(
                    message.topic,
                    message.partition,
                    message.offset,
                    event.value,
                    message.headers,
                    state.get,
                    state.__setitem__,
                ):
                    await out.send(key=key, value=value, headers=headers)
                done += 1
                if done == assignment.frames:
                    await app.producer.flush()
                    stopwatch.end()
                    stopwatch.report(done, {**versions, **settings, "event loop": "uvloop" if tuned else "asyncio"})
                    os.kill(os.getpid(), signal.SIGTERM)

        sys.argv[1:] = ["worker", "--loglevel=warn", "--without-web"]
        app.main()


if __name__ == "__main__":
    main()
