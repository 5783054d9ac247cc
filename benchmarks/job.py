"""The job every peer runs: one Kambi bulk frame of four odds updates becomes four keyed, normalized records.

Frames have the shape of `kambi.raw` (Socket.IO packet text, about 1.4 kB, `tc-*` headers); outputs have the shape of
`kambi.offers` (CloudEvents headers, key event id). State is real: each event's number of updates and the digest of
its last one, read and written for every child; what a child puts out depends on it.
"""

import struct
import uuid
import zlib
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from types import MappingProxyType

import orjson

from schemas.raw import Header, RawHeaders
from schemas.topics import Topic, changelog

PARTITIONS = 4
CHILDREN = 4
EVENTS_PER_PARTITION = 250
TEMPLATES_PER_PARTITION = 1_000
"""Different frame bodies of one partition; they repeat after that, their headers do not."""
RAW, OUT = "bench.raw", "bench.out"
CHANGELOG = f"changelog.bench.{RAW}"
REGISTRY = MappingProxyType(
    {
        topic.name: topic
        for topic in (
            Topic(name=RAW, description="Kambi-shaped frames.", key="shard", partitions=PARTITIONS),
            Topic(name=OUT, description="One record per child.", key="event id", partitions=PARTITIONS),
            Topic(name="bench.dead-letters", description="Must stay empty.", key="shard", partitions=PARTITIONS),
            changelog("bench", RAW, PARTITIONS),
        )
    }
)

_STATE = struct.Struct(">QI")
Output = tuple[bytes, bytes, list[Header]]
"""Key, value and headers of one normalized record."""


def transform(
    topic: str,
    partition: int,
    offset: int,
    value: bytes,
    headers: Iterable[Header],
    get: Callable[[bytes], bytes | None],
    put: Callable[[bytes, bytes], None],
) -> list[Output]:
    """Return the records of one frame; ``get`` and ``put`` are the peer's state."""
    stamps = dict(headers)
    received, line = stamps["tc-received-ns"], stamps["tc-line"]
    _, text = orjson.loads(value[1:])
    outputs = []
    for index, child in enumerate(orjson.loads(text)):
        update = child["boou"]
        event = b"%d" % update["eventId"]
        at_ms = int(child["t"])
        odds = [
            {"id": outcome["id"], "bet_offer_id": outcome["betOfferId"], "odds_thousandths": outcome["odds"]}
            for outcome in update["outcomes"]
        ]
        digest = zlib.crc32(orjson.dumps(odds))
        before = get(event)
        updates, last_digest = _STATE.unpack(before) if before is not None else (0, 0)
        put(event, _STATE.pack(updates + 1, digest))
        body = orjson.dumps(
            {
                "event_id": update["eventId"],
                "outcomes": odds,
                "vendor_time_ms": at_ms,
                "update": updates + 1,
                "changed": digest != last_digest,
            }
        )
        time = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
        outputs.append(
            (
                event,
                body,
                [
                    ("ce_specversion", b"1.0"),
                    ("ce_id", b"%s/%d/%d/%d" % (topic.encode(), partition, offset, index)),
                    ("ce_source", b"tricast/kambi/" + line),
                    ("ce_type", b"tricast.kambi.odds.changed.v1"),
                    ("ce_time", time.encode()),
                    ("ce_subject", event),
                    ("content-type", b"application/json"),
                    ("ce_dataschema", b"urn:tricast:schema:tricast.kambi.odds.changed.v1"),
                    ("ce_tcreceived", received),
                ],
            )
        )
    return outputs


class Frames:
    """Makes frames: number ``n`` goes to partition ``n % PARTITIONS``, numbered per line like a connector does."""

    def __init__(self) -> None:
        self._connections = [str(uuid.uuid4()) for _ in range(PARTITIONS)]
        self._templates = [
            [_packet(partition, number) for number in range(TEMPLATES_PER_PARTITION)] for partition in range(PARTITIONS)
        ]

    def frame(self, number: int, received_ns: int) -> tuple[int, bytes, list[Header]]:
        """Return partition, value and headers of frame ``number`` (from 0)."""
        nth, partition = divmod(number, PARTITIONS)
        headers = RawHeaders(
            feed="kambi",
            line=f"kambi-{partition}-general",
            connection=self._connections[partition],
            frame=nth + 1,
            received_ns=received_ns,
            kind="frame",
        )
        return partition, self._templates[partition][nth % TEMPLATES_PER_PARTITION], headers.to_kafka()


def _packet(partition: int, number: int) -> bytes:
    children = []
    for index in range(CHILDREN):
        event = (number * 7 + index * 31) % EVENTS_PER_PARTITION * PARTITIONS + partition
        outcomes = [
            {
                "id": 4_345_000_000 + event * 3 + side,
                "betOfferId": 2_500_000_000 + event,
                "odds": (thousandths := 1_100 + (number * 13 + index * 7 + side * 501) % 4_000),
                "oddsFractional": f"{thousandths // 50 - 20}/20",
                "oddsAmerican": str(thousandths // 10 - 100 or 1),
            }
            for side in range(2 if event // PARTITIONS % 3 else 3)  # over/under, 1X2
        ]
        boou = {"eventId": 1_020_000_000 + event, "outcomes": outcomes}
        children.append({"t": str(1_790_000_000_000 + number * 20 + index), "mt": 11, "boou": boou})
    return b"2" + orjson.dumps(["message", orjson.dumps(children).decode()])
