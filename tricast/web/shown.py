"""One record for people: what is in it, with nothing left out but what would fill the browser."""

from dataclasses import dataclass
from typing import Final

from schemas.replay import SOURCE, Position
from tricast.dlq.shown import HEX_BYTES, hex_lines, value_text
from tricast.monitor.picture import Record

PRETTY_BYTES: Final = 256 * 1024
"""Of a value so much is shown as text; raw records may have 8 MB."""
_HEADER_CHARS: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the page of a record tells beside the record itself.

    Attributes:
        pretty: The value as indented JSON, else as text; empty when it is no text.
        cut: Length of ``pretty``'s beginning when it is not all; 0 when it is.
        hex: The first bytes.
        source: The record that it was made from, when its headers say.
    """

    key: str
    headers: tuple[tuple[str, str], ...]
    pretty: str
    cut: int
    hex: str
    source: Position | None


def shown(record: Record) -> Shown:
    """Return ``record`` as its page shows it."""
    value = record.value or b""
    return Shown(
        key="none" if record.key is None else record.key.decode(errors="backslashreplace"),
        headers=tuple((name, text.decode(errors="backslashreplace")[:_HEADER_CHARS]) for name, text in record.headers),
        pretty=_pretty(value),
        cut=PRETTY_BYTES if len(value) > PRETTY_BYTES else 0,
        hex="\n".join(hex_lines(value, HEX_BYTES)),
        source=_source(record),
    )


def _pretty(value: bytes) -> str:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return ""
    # Beyond that it is no whole JSON text any more, and shown as it stands.
    return value_text(value if len(value) <= PRETTY_BYTES else text[:PRETTY_BYTES].encode())


def _source(record: Record) -> Position | None:
    text = dict(record.headers).get(SOURCE)
    try:
        return None if text is None else Position.read(text.decode())
    except ValueError:  # UnicodeDecodeError among them
        return None
