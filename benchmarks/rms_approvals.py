"""Raw frames of RMS for the road of its approvals: three customers' sockets, two of each, with what traders say."""

import json
import time
import uuid
from collections.abc import Iterator
from random import Random

from aiokafka.partitioner import murmur2

from benchmarks.road_frames import Frame
from schemas.raw import Kind, RawHeaders
from schemas.topics import TOPICS

CUSTOMERS = ("90210", "90211", "90212")
APPROVALS_PER_SECOND = 100
SECOND_NS = 1_000_000_000
_PARTITIONS = TOPICS["rms.raw"].partitions


class _Line:
    def __init__(self, customer: str, replica: str, chance: Random) -> None:
        self._key = customer.encode()
        self._partition = (murmur2(self._key) & 0x7FFFFFFF) % _PARTITIONS
        self._name = f"rms-{customer}{replica}"
        self._customer = customer
        self._connection = str(uuid.UUID(int=chance.getrandbits(128)))
        self._frames = 0

    def joined(self, now_ns: int) -> Iterator[Frame]:
        opened = {"customer": self._customer, "url": "", "previous_connection": None, "previous_frame": None}
        yield self.record("opened", json.dumps(opened).encode(), now_ns)
        yield self.record("frame", b'0{"sid":"s1"}', now_ns)
        yield self.record("frame", b'30[{"status":"ok"}]', now_ns)

    def tick(self, now_ns: int) -> Frame:
        standing = {"open": True, "joined": True, "heard_ns": now_ns, "token_age_s": 7, "refresh_age_s": 8}
        standing |= {"connects_left": 5, "requests_left": 90, "lookups_waiting": 0}
        return self.record("tick", json.dumps(standing).encode(), now_ns)

    def record(self, kind: Kind, value: bytes, now_ns: int) -> Frame:
        self._frames += kind == "frame"
        headers = RawHeaders(
            feed="rms",
            line=self._name,
            connection=self._connection,
            frame=self._frames,
            received_ns=now_ns,
            kind=kind,
        )
        return self._partition, self._key, value, headers.to_kafka()


def frames(count: int) -> Iterator[Frame]:
    """Yield raw records until ``count`` of them are frames; control records come on top."""
    chance = Random(1)
    now_ns = time.time_ns()
    lines = {customer: [_Line(customer, replica, chance) for replica in ("", "@b")] for customer in CUSTOMERS}
    for pair in lines.values():
        for line in pair:
            yield from line.joined(now_ns)
    left = count
    while left > 0:
        now_ns += SECOND_NS
        for _ in range(APPROVALS_PER_SECOND):
            customer = chance.choice(CUSTOMERS)
            said = chance.choice(("ACCEPT", "ACCEPT", "REJECT"))
            bet = {"betSlipId": str(uuid.UUID(int=chance.getrandbits(128))), "code": f"{chance.getrandbits(64):x}"}
            bet |= {"customerId": int(customer), "stake": chance.randrange(1, 500), "odds": 1.95}
            value = b"2" + json.dumps([f"RESERVE_BET_{said}", bet]).encode()
            for line in lines[customer]:
                yield line.record("frame", value, now_ns)
                left -= 1
        for pair in lines.values():
            yield from (line.tick(now_ns) for line in pair)
