"""Frames of the whole road: a simulated offering, bulked and routed as the vendor does, on the lines of four shards.

No sockets: the offering plays as fast as it can, and each bulk goes to every line that holds its routing key. A general
key is held by the general line of each shard, so three of four children there belong to other shards, as in life.
Lines say which keys they hold, so that health and the matching of copies have their work, too.
"""

import json
import time
import uuid
from collections.abc import Iterator

from connectors.kambi import keys
from schemas.raw import Header, Kind, RawHeaders
from schemas.topics import KAMBI_SHARDS
from simulators.kambi.bulking import Bulk, Bulker
from simulators.kambi.channels import Channels
from simulators.kambi.config import FaultSwitch, KambiFaultSettings
from simulators.kambi.copies import Copies
from simulators.kambi.frames import FrameBuilder
from simulators.kambi.messages import MessageWriter
from simulators.kambi.offering import Offering

OFFERING, LANGUAGE = "bench", "en"
EVENTS = 80
"""Twenty a shard: what one line's 40 keys carry."""
CHANGES_PER_SECOND = 400.0
STEP_MS = 20
WINDOW_MS = 100

Frame = tuple[int, bytes, bytes, list[Header]]
"""Partition, key, value, headers of one raw record."""


class _Line:
    def __init__(self, shard: int, name: str) -> None:
        self.shard = shard
        self.name = f"kambi-{shard}-{name}"
        self._connection = str(uuid.uuid4())
        self._frames = 0
        self._held: tuple[str, ...] = ()

    def opened(self, held: tuple[str, ...], now_ms: int) -> Frame:
        self._held = held
        value = {"shard": self.shard, "shards": KAMBI_SHARDS, "url": "", "keys": held}
        value |= {"previous_connection": None, "previous_frame": None}
        return self.record("opened", json.dumps(value).encode(), now_ms)

    def tick(self, held: tuple[str, ...], now_ms: int) -> Frame:
        changed = {"keys": held} if held != self._held else {}
        self._held = held
        return self.record("tick", json.dumps({"shards": KAMBI_SHARDS, **changed}).encode(), now_ms)

    def record(self, kind: Kind, value: bytes, now_ms: int) -> Frame:
        self._frames += kind == "frame"
        headers = RawHeaders(
            feed="kambi",
            line=self.name,
            connection=self._connection,
            frame=self._frames,
            received_ns=now_ms * 1_000_000,
            kind=kind,
        )
        return self.shard, b"%d" % self.shard, value, headers.to_kafka()


def frames(count: int) -> Iterator[Frame]:
    """Yield raw records until ``count`` of them are frames; control records come on top."""
    channels = Channels(offering=OFFERING, languages=(LANGUAGE,), extended=False)
    faultless = FaultSwitch(KambiFaultSettings())
    writer, copies, builder = MessageWriter(channels), Copies(faultless), FrameBuilder(faultless)
    bulker = Bulker(window_ms=WINDOW_MS, most=50)
    now_ms = time.time_ns() // 1_000_000
    offering = Offering(
        seed=1,
        start_ms=now_ms,
        events_live=EVENTS,
        changes_per_second=CHANGES_PER_SECOND,
        match_duration_s=600,
    )
    general = [_Line(shard, "general") for shard in range(KAMBI_SHARDS)]
    own = [_Line(shard, "events-0") for shard in range(KAMBI_SHARDS)]
    for line, held in _held(general, own, offering):
        yield line.opened(held, now_ms)
    left = count
    next_tick_ms = now_ms
    while left > 0:
        bulks: list[Bulk] = []
        messages = [writer.write(change, offering.now_ms) for change in offering.advance(STEP_MS)]
        for key, copy in copies.of(messages):
            full = bulker.add(key, copy, offering.now_ms)
            bulks += [full] if full is not None else []
        bulks += bulker.due(offering.now_ms)
        for bulk in bulks:
            for frame in builder.build(bulk, offering.now_ms):
                for line in _holders(frame.key, general, own):
                    yield line.record("frame", frame.packet.encode(), offering.now_ms)
                    left -= 1
        if offering.now_ms >= next_tick_ms:
            next_tick_ms += 1_000
            for line, held in _held(general, own, offering):
                yield line.tick(held, offering.now_ms)


def _held(general: list[_Line], own: list[_Line], offering: Offering) -> Iterator[tuple[_Line, tuple[str, ...]]]:
    """Yield each line with the keys it holds now."""
    for line in general:
        yield line, keys.general_pair(OFFERING, LANGUAGE)
    for line in own:
        events = [event for event in offering.live_event_ids if event % KAMBI_SHARDS == line.shard]
        yield line, tuple(key for event in events for key in keys.event_pair(OFFERING, LANGUAGE, event))


def _holders(key: str, general: list[_Line], own: list[_Line]) -> list[_Line]:
    parsed = keys.parse(key)
    if parsed is None:
        return []
    return general if parsed.event is None else [own[parsed.event % KAMBI_SHARDS]]
