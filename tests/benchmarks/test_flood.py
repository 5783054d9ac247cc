import json
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.flood import CYCLE, Flood, encoded, made

TIMES = 3


def frames(data: bytes) -> Iterator[tuple[bool, bytes]]:
    """Yield (compressed, payload) of unmasked WebSocket frames (RFC 6455 §5.2)."""
    at = 0
    while at < len(data):
        first, length = data[at : at + 2]
        at += 2
        if length == 126:
            (length,) = struct.unpack_from("!H", data, at)
            at += 2
        yield bool(first & 0x40), data[at : at + length]
        at += length


@pytest.mark.parametrize("deflate", [True, False], ids=["deflate", "plain"])
@pytest.mark.parametrize(("feed", "mark"), [("kambi", b"4"), ("fastpath", b"")], ids=["kambi", "fastpath"])
def test_one_window_reads_the_cycle_as_often_as_it_is_sent(
    tmp_path: Path, feed: str, mark: bytes, deflate: bool
) -> None:
    payloads = made(feed)
    path = tmp_path / "frames"
    path.write_text(json.dumps([payload.decode() for payload in payloads]))
    flood = Flood(feed=feed, deflate=deflate, connections=1, cycles=TIMES, path=str(path), core=None)
    window = zlib.decompressobj(-15)
    read = []
    for compressed, payload in frames(b"".join(encoded(flood)) * TIMES):
        assert compressed is deflate
        read.append(window.decompress(payload + b"\x00\x00\xff\xff") if compressed else payload)
    assert len(payloads) == CYCLE
    assert read == [mark + payload for payload in payloads] * TIMES
