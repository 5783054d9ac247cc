"""Raw frames of FastPath's whole road: simulated matches on two lines a feed, each with its own small losses.

No sockets: the matches play as fast as they can. The second line is a little behind, and each line loses, swaps and
doubles some packets, so that the other heals it; some are lost on both.
"""

import json
import time
import uuid
from collections import deque
from collections.abc import Iterator, Mapping
from random import Random
from types import MappingProxyType

from aiokafka.partitioner import murmur2

from benchmarks.road_frames import Frame
from schemas.raw import Kind, RawHeaders
from schemas.topics import TOPICS
from simulators.fastpath.channel import Channel, EventPacket, Packet
from simulators.fastpath.config import FastpathFaultSettings, FastpathSimulatorSettings, FaultSwitch
from simulators.fastpath.world import World

FIXTURES = MappingProxyType({"soccer": 40, "basketball": 20, "snooker": 10, "tennis": 10})
ACTIONS_PER_SECOND = 400.0
STEP_NS = 20_000_000
SECOND_NS = 1_000_000_000
HEARTBEAT_S = 10
LOST, BOTH_LOST, SWAPPED = 1 / 200, 1 / 2000, 1 / 100
"""Shares of a line's packets."""
_PARTITIONS = TOPICS["fastpath.raw"].partitions


class _Line:
    def __init__(self, feed: str, replica: str, chance: Random) -> None:
        self._feed = feed
        self._key = feed.encode()
        self._partition = (murmur2(self._key) & 0x7FFFFFFF) % _PARTITIONS
        self._name = f"{feed}{replica}"
        self._connection = str(uuid.UUID(int=chance.getrandbits(128)))
        self._frames = 0
        self._waits: Packet | None = None
        self._chance = chance

    def opened(self, now_ns: int) -> Frame:
        value = {"feed": self._feed, "url": "", "start_position": 0, "events": 0, "cause": "start"}
        value |= {"previous_connection": None, "previous_frame": None}
        return self.record("opened", json.dumps(value).encode(), now_ns)

    def tick(self, now_ns: int) -> Frame:
        return self.record("tick", b'{"open":true,"events":0}', now_ns)

    def heartbeat(self, now_ns: int) -> Frame:
        return self.record("frame", b'{"message":"Heartbeat sent at 2026-11-20T18:00:10.412Z","level":"INFO"}', now_ns)

    def packet(self, packet: Packet, now_ns: int) -> Iterator[Frame]:
        """Yield what becomes of it here: nothing, itself, or itself before the one that should have come first."""
        if not isinstance(packet, EventPacket):
            yield self.record("frame", packet.packet, now_ns)
            return
        if self._chance.random() < LOST:
            return
        if self._waits is None and self._chance.random() < SWAPPED:
            self._waits = packet
            return
        for each in (packet, self._waits):
            if isinstance(each, EventPacket):
                yield self.record("frame", each.text(each.number), now_ns)
        self._waits = None

    def record(self, kind: Kind, value: bytes, now_ns: int) -> Frame:
        self._frames += kind == "frame"
        headers = RawHeaders(
            feed="fastpath",
            line=self._name,
            connection=self._connection,
            frame=self._frames,
            received_ns=now_ns,
            kind=kind,
            position="0",
        )
        return self._partition, self._key, value, headers.to_kafka()


def frames(count: int, fixtures: Mapping[str, int] = FIXTURES) -> Iterator[Frame]:
    """Yield raw records until ``count`` of them are frames; control records come on top."""
    chance = Random(1)
    settings = FastpathSimulatorSettings.model_validate(
        {"fixtures": dict(fixtures), "actions_per_second": ACTIONS_PER_SECOND, "match_duration_s": 100_000}
    )
    now_ns = time.time_ns()
    world = World(settings, FaultSwitch(FastpathFaultSettings()), now_ns)
    told: deque[tuple[Channel, Packet]] = deque()
    lines: dict[str, tuple[_Line, _Line]] = {}
    for channel in world.channels:
        if channel.started:
            path = channel.feed.path
            lines[path] = (_Line(path, "", chance), _Line(path, "@b", chance))
            channel.subscribe(lambda packet, channel=channel: told.append((channel, packet)))
            yield from (line.opened(now_ns) for line in lines[path])
    left, second = count, 0
    while left > 0:
        now_ns += STEP_NS
        world.advance(now_ns, STEP_NS)
        while told:
            channel, packet = told.popleft()
            if isinstance(packet, EventPacket) and chance.random() < BOTH_LOST:
                continue
            for line in lines[channel.feed.path]:
                for frame in line.packet(packet, now_ns):
                    yield frame
                    left -= 1
        if now_ns // SECOND_NS > second:
            second = now_ns // SECOND_NS
            for pair in lines.values():
                for line in pair:
                    if second % HEARTBEAT_S == 0:
                        yield line.heartbeat(now_ns)
                        left -= 1
                    yield line.tick(now_ns)
