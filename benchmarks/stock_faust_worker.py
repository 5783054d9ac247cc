"""Peer "stock Faust": a plain agent of a plain app, at least once, one `topic.send` a child. State is a dict."""

import asyncio
import os
import signal
import sys
import tempfile

import faust
import uvloop

from benchmarks.job import OUT, RAW, transform
from benchmarks.peer import Assignment, Stopwatch

SETTINGS = {
    "processing_guarantee": "at_least_once",
    "key_serializer": "raw",
    "value_serializer": "raw",
    "store": "memory://",
    "consumer_auto_offset_reset": "earliest",
    "consumer_max_fetch_size": 4 * 1024 * 1024,
    "broker_max_poll_records": 1_000,
    "stream_buffer_maxsize": 16_384,
    "producer_linger": 0.005,
    "producer_max_batch_size": 1024 * 1024,
    "topic_disable_leader": True,
    "topic_allow_declare": False,
    "web_enabled": False,
}


def main() -> None:
    assignment = Assignment.taken()
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    with tempfile.TemporaryDirectory() as data_dir:
        app = faust.App(
            f"{assignment.prefix}bench", broker=f"kafka://{assignment.bootstrap}", datadir=data_dir, **SETTINGS
        )
        raw, out = app.topic(assignment.prefix + RAW), app.topic(assignment.prefix + OUT)
        stopwatch, state = Stopwatch(), dict[bytes, bytes]()

        @app.agent(raw)
        async def normalize(stream):
            done = 0
            async for event in stream.events():
                if stopwatch.began is None:
                    stopwatch.begin()
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
                    stopwatch.report(done, {**SETTINGS, "event loop": "uvloop"})
                    os.kill(os.getpid(), signal.SIGTERM)

        sys.argv[1:] = ["worker", "--loglevel=warn", "--without-web"]
        app.main()


if __name__ == "__main__":
    main()
