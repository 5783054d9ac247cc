"""Frames through recorder, sink and producer into a real Kafka: a connector's road behind its socket."""

import asyncio
import gc
import json
import sys
import time

from connectors.clock import SystemClock
from connectors.producer import RawWriter
from connectors.recorder import LineRecorder
from connectors.sink import FrameSink
from schemas.kafka import KafkaSettings

FRAME = b'2["message","[{\\"t\\":\\"1790000000000\\",\\"mt\\":11}]"]' * 20
BREATHE_EVERY = 200


async def record(bootstrap: str, topic: str, frames: int) -> float:
    """Return processor seconds for ``frames`` frames, from the first to the acknowledgement of the last."""
    clock = SystemClock()
    writer = RawWriter(KafkaSettings(bootstrap_servers=bootstrap), topic=topic, partition=0, key=b"0", clock=clock)
    await writer.open()
    sink = FrameSink(writer, max_bytes=64 * 1024 * 1024)
    recorder = LineRecorder(feed="kambi", line="kambi-0-general", sink=sink, clock=clock, push_back_s=60)
    recorder.opened({})
    flushing = asyncio.create_task(sink.run())
    gc.collect()
    began_s = time.process_time()
    for number in range(frames):
        await recorder.frame(FRAME)
        if number % BREATHE_EVERY == 0:
            await asyncio.sleep(0)
    sink.close()
    await flushing
    cpu_s = time.process_time() - began_s
    assert sink.counts.pushed == frames
    await writer.close()
    return cpu_s


def main() -> None:
    """Print the processor seconds; arguments: bootstrap servers, topic, frames."""
    bootstrap, topic, frames = sys.argv[1:]
    print(json.dumps({"cpu_seconds": asyncio.run(record(bootstrap, topic, int(frames)))}))


if __name__ == "__main__":
    main()
