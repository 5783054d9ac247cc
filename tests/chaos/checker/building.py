"""Records as tests make them: small worlds in which one thing is planted at a time."""

import json
import struct
from collections.abc import Callable, Iterable
from typing import Any

from tests.chaos.checker.record import Record
from tests.chaos.checker.segments import HEADER

S = 1_000_000_000
RAW = {"kambi": "p.kambi.raw", "fastpath": "p.fastpath.raw", "rms": "p.rms.raw"}


class Raw:
    """One raw partition as it is written."""

    def __init__(self, feed: str, key: bytes = b"0") -> None:
        self.feed = feed
        self.key = key
        self.records: list[Record] = []

    def add(self, kind: str, line: str, connection: str, frame: int, at_s: float, value: Any) -> int:
        """Write a record; return its offset."""
        headers = {
            "tc-feed": self.feed,
            "tc-line": line,
            "tc-connection": connection,
            "tc-frame": str(frame),
            "tc-received-ns": str(int(at_s * S)),
            "tc-kind": kind,
        }
        self.records.append(
            Record(
                topic=f"{self.feed}.raw",
                partition=0,
                offset=len(self.records),
                timestamp_ms=int(at_s * 1000),
                key=self.key,
                value=value if isinstance(value, bytes) else json.dumps(value).encode(),
                headers={name: text.encode() for name, text in headers.items()},
            )
        )
        return len(self.records) - 1


def made(feed: str, topic: str, kind: str, source: str, value: Any, *, key: str = "1", offset: int = 0) -> Record:
    """Return a record that a processor made; ``source`` is ``offset/index`` in partition 0."""
    return Record(
        topic=topic,
        partition=0,
        offset=offset,
        timestamp_ms=0,
        key=key.encode(),
        value=json.dumps(value).encode(),
        headers={
            "ce_type": f"tricast.{feed}.{kind}.v1".encode(),
            "ce_id": f"{RAW[feed]}/0/{source}".encode(),
        },
    )


def batch(
    base: int,
    keys: Iterable[bytes] = (b"k",),
    *,
    value: bytes = b"v",
    producer: int = 7,
    transactional: bool = True,
    control: int | None = None,
    codec: int = 0,
    pack: Callable[[bytes], bytes] = bytes,
) -> bytes:
    """Return the bytes of a record batch of format 2; ``control`` 0 aborts, 1 commits."""
    listed = [struct.pack(">hh", 0, control)] if control is not None else list(keys)
    body = b"".join(_record(delta, key, value) for delta, key in enumerate(listed))
    attributes = codec | (0x10 if transactional else 0) | (0x20 if control is not None else 0)
    packed = pack(body)
    head = HEADER.pack(
        base, HEADER.size - 12 + len(packed), 0, 2, hash(packed) & 0x7FFFFFFF, attributes, len(listed) - 1, 0, 0,
        producer, 0, -1, len(listed),
    )  # fmt: skip
    return head + packed


def _record(delta: int, key: bytes, value: bytes) -> bytes:
    body = b"\0" + _varint(0) + _varint(delta) + _varint(len(key)) + key + _varint(len(value)) + value + _varint(0)
    return _varint(len(body)) + body


def _varint(number: int) -> bytes:
    number = (number << 1) ^ (number >> 63)
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
