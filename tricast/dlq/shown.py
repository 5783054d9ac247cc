"""A dead letter for people and for scripts."""

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from tricast.dlq.letters import Letter

HEX_BYTES: Final = 4_096
"""Of bytes that are no text, so many are shown; --raw gives all."""
_ROW: Final = 16


def summary(letter: Letter) -> dict[str, Any]:
    """Return all of ``letter`` but its bytes, as JSON has it."""
    return {
        "position": str(letter.position),
        "time": time_text(letter.timestamp_ms),
        "code": letter.code,
        "detail": letter.detail,
        "source": str(letter.source),
        "key": None if letter.key is None else letter.key.decode(errors="replace"),
        "bytes": len(letter.value),
        "truncated_from": letter.truncated,
        "version": letter.version,
        "part": letter.part,
        "attempt": letter.attempt,
        "request": letter.request,
        "replay_of": letter.replay_of,
        "headers": {name: value.decode(errors="replace") for name, value in letter.stamps},
    }


def time_text(timestamp_ms: int) -> str:
    """Return a Kafka timestamp for people, UTC."""
    return datetime.fromtimestamp(timestamp_ms / 1000, UTC).isoformat(timespec="milliseconds")


def value_text(value: bytes) -> str:
    """Return bytes as indented JSON, else as text, else in hex."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        more = f"\n… {len(value) - HEX_BYTES:,} more bytes; --raw gives all" if len(value) > HEX_BYTES else ""
        return "\n".join(hex_lines(value, HEX_BYTES)) + more
    with contextlib.suppress(msgspec.DecodeError, RecursionError):
        text = msgspec.json.format(text, indent=2)  # numbers stay as they were written
    return _escaped(text, "\n\t")


def line_text(text: str) -> str:
    """Return what somebody else wrote as one line that does nothing to a terminal."""
    return _escaped(text, "")


def _escaped(text: str, kept: str) -> str:
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in kept else one.encode("unicode_escape").decode() for one in text)


def hex_lines(value: bytes, most: int) -> Iterator[str]:
    """Yield lines of offset, bytes and ASCII for the first ``most`` bytes of ``value``."""
    for start in range(0, min(len(value), most), _ROW):
        row = value[start : min(start + _ROW, most)]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)  # printable ASCII
        yield f"{start:08x}  {row.hex(' '):<{_ROW * 3}} {text}"
