"""Lines of shards that are no more: closed as left, for nobody else would say that they are not missed."""

from collections.abc import Mapping
from math import inf
from typing import Final

from connectors.clock import Clock
from connectors.kambi import names
from connectors.producer import RawWriter
from connectors.recorder import LineRecorder
from connectors.sink import FrameSink
from connectors.tail import LineTail

_BYTES: Final = 1024 * 1024


async def leave(lines: Mapping[str, LineTail], writer: RawWriter, *, clock: Clock) -> None:
    """Return when Kafka has it of each of ``lines``, which are of one partition; ``writer`` is closed then."""
    sink = FrameSink(writer, max_bytes=_BYTES, patience_s=inf)
    for name, tail in lines.items():
        recorder = LineRecorder(feed=names.FEED, line=name, sink=sink, clock=clock, push_back_s=0, previous=tail.last)
        recorder.left()
    sink.close()
    try:
        await sink.run()
    finally:
        await sink.release()
        await writer.close()
