"""What brokers keep on disk: record batches (format v2) of one partition, read without Kafka.

Of Kafka's protocol guide ("Record Batch", "Control Batches"): 61 bytes of header, big-endian; attributes: bits 0-2
compression, 4 transactional, 5 control; records as zig-zag varints. The key of a control record is two int16, version
and type: 0 abort, 1 commit.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Literal

import cramjam

HEADER = struct.Struct(">qiibIhiqqqhii")
"""base offset, length, leader epoch, magic, crc, attributes, last offset delta, first and greatest timestamp,
producer id, producer epoch, base sequence, records."""
_BEFORE_LENGTH = 12
_MAGIC = 2
_CODECS = {1: cramjam.gzip, 3: cramjam.lz4, 4: cramjam.zstd}
_SNAPPY, _XERIAL = 2, b"\x82SNAPPY\x00"

Control = Literal["abort", "commit", "other"]


class UnreadableError(ValueError):
    """A segment that is no sequence of whole batches of format v2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One batch; ``offsets`` are those of its records (compaction takes some away).

    ``checksum`` is that of all after it: the same on every replica that has the same bytes. ``records`` are keys and
    values, where they were asked for.
    """

    base: int
    last: int
    offsets: tuple[int, ...]
    producer: int
    epoch: int
    transactional: bool
    control: Control | None
    checksum: int
    records: tuple[tuple[bytes, bytes], ...] = ()


def read_partition(folder: Path, *, whole: bool = False) -> Iterator[Batch]:
    """Yield the batches of a partition's folder, ``<topic>-<partition>``, in order; ``whole``: with their records.

    Raises:
        UnreadableError: A segment holds something else. What a broker that was killed wrote half at the very end is
            left out, as it leaves it out itself.
    """
    segments = sorted(folder.glob("*.log"))
    for segment in segments:
        yield from read_batches(segment.read_bytes(), str(segment), may_be_torn=segment == segments[-1], whole=whole)


def read_batches(content: bytes, name: str, *, may_be_torn: bool = False, whole: bool = False) -> Iterator[Batch]:
    """Yield the batches in ``content``."""
    at, end = 0, len(content)
    while at < end:
        if end - at < HEADER.size:
            return _torn(name, at, may_be_torn)
        base, length, _, magic, checksum, attributes, delta, _, _, producer, epoch, _, count = HEADER.unpack_from(
            content, at
        )
        after = at + _BEFORE_LENGTH + length
        if length == 0 and not any(content[at:end]):
            return None  # preallocated
        if after > end:
            return _torn(name, at, may_be_torn)
        if magic != _MAGIC or length < HEADER.size - _BEFORE_LENGTH:
            raise UnreadableError(f"{name}: no batch of format 2 at byte {at}")
        body = content[at + HEADER.size : after]
        records = _Records(_unpacked(body, attributes & 7, name), count)
        offsets, pairs = records.read()
        is_control = bool(attributes & 0x20)
        yield Batch(
            base=base,
            last=base + delta,
            offsets=tuple(base + offset for offset in offsets),
            producer=producer,
            epoch=epoch,
            transactional=bool(attributes & 0x10),
            control=_control(pairs[0][0] if pairs else b"") if is_control else None,
            checksum=checksum,
            records=tuple(pairs) if whole else (),
        )
        at = after
    return None


def _torn(name: str, at: int, may_be_torn: bool) -> None:
    if not may_be_torn:
        raise UnreadableError(f"{name}: cut off at byte {at}")


def _control(key: bytes) -> Control:
    kind = struct.unpack(">hh", key[:4])[1] if len(key) >= 4 else -1
    return "abort" if kind == 0 else "commit" if kind == 1 else "other"


def _unpacked(body: bytes, codec: int, name: str) -> bytes:
    if codec == 0:
        return body
    if codec == _SNAPPY:
        return _snappy(body)
    if codec not in _CODECS:
        raise UnreadableError(f"{name}: compression {codec}")
    try:
        return bytes(_CODECS[codec].decompress(body))
    except cramjam.DecompressionError as error:
        raise UnreadableError(f"{name}: {error}") from error


def _snappy(body: bytes) -> bytes:
    """Kafka's snappy is Xerial's: a header of 16 bytes, then blocks behind their lengths."""
    if not body.startswith(_XERIAL):
        return bytes(cramjam.snappy.decompress_raw(body))
    blocks, source = [], BytesIO(body[16:])
    while size := source.read(4):
        blocks.append(bytes(cramjam.snappy.decompress_raw(source.read(int.from_bytes(size, "big")))))
    return b"".join(blocks)


class _Records:
    """Offsets, keys and values of the records of a batch."""

    def __init__(self, body: bytes, count: int) -> None:
        self._body = body
        self._count = count
        self._at = 0

    def read(self) -> tuple[list[int], list[tuple[bytes, bytes]]]:
        """Return offset deltas, and keys with values."""
        offsets, pairs = [], []
        for _ in range(self._count):
            length = self._varint()
            after = self._at + length
            self._at += 1  # attributes, of which there are none
            self._varint()  # timestamp
            offsets.append(self._varint())
            pairs.append((self._bytes(), self._bytes()))
            self._at = after
        return offsets, pairs

    def _bytes(self) -> bytes:
        size = max(self._varint(), 0)  # -1: there is none
        self._at += size
        return self._body[self._at - size : self._at]

    def _varint(self) -> int:
        shift = number = 0
        while True:
            byte = self._body[self._at]
            self._at += 1
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return (number >> 1) ^ -(number & 1)
            shift += 7
