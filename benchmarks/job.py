"""The job every peer runs: one Kambi bulk frame of odds updates becomes as many keyed, normalized records.

Frames (`benchmarks/frames.py`) have the shape of `kambi.raw` (Socket.IO packet text, `tc-*` headers); outputs have the
shape of `kambi.offers` (CloudEvents headers, key event id). State is real: each event's number of updates and the
digest of its last one, read and written for every child; what a child puts out depends on it. Peers import this in
environments of their own: it needs orjson and nothing else.
"""

import struct
import zlib
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import orjson

from schemas.raw import Header

PARTITIONS = 4
CHILDREN = 4
"""Of a frame, where nothing else is said; it has about 1.4 kB then."""
RAW, OUT = "bench.raw", "bench.out"
CHANGELOG = f"changelog.bench.{RAW}"

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
