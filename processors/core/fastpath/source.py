"""Where a raw record comes from: its feed, its connection, the position asked for; or why that cannot be told."""

from typing import Final

import msgspec

from processors.core.fastpath.findings import Unreadable
from processors.core.processor import SourceRecord
from processors.core.stamps import STAMP_ERRORS, Stamps, read_stamps
from schemas.fastpath.codes import Code
from schemas.fastpath.feed import Feed, feed_of
from schemas.fastpath.fields import MAX_SEQUENCE

_MOST_LETTERS: Final = 1_000
"""Of a feed path; it goes into keys and headers."""


class Source(msgspec.Struct, frozen=True, gc=False):
    """A raw record's origin.

    Attributes:
        feed: Its feed.
        stamps: Its headers.
        position: ``startPosition`` its connection asked for; ``None``: it asked for none.
    """

    feed: Feed
    stamps: Stamps
    position: int | None


def read_source(record: SourceRecord) -> Source | Unreadable:
    """Return where ``record`` comes from."""
    try:
        headers = dict(record.headers)
        stamps = read_stamps(headers)
        position = _position(headers.get("tc-position"))
    except STAMP_ERRORS as error:
        return Unreadable(Code.BAD_HEADERS, f"{type(error).__name__}: {error}")
    path = usable_path((record.key or b"").decode(errors="replace")) or usable_path(feed_path(stamps.line))
    if path is None:
        return Unreadable(Code.BAD_HEADERS, "neither the key nor tc-line names a feed")
    return Source(feed_of(path), stamps, position)


def feed_path(line: str) -> str:
    """Return the feed that the name of a line stands for: a hot standby has its replica behind an ``@``."""
    return line.rpartition("@")[0] or line


def usable_path(path: str) -> str | None:
    """Return the path of a feed as it goes into keys and headers; ``None`` if ``path`` cannot be one."""
    is_usable = path.strip("/") and path.isprintable() and len(path) <= _MOST_LETTERS and "\ufffd" not in path
    return feed_of(path).path if is_usable else None


def _position(header: bytes | None) -> int | None:
    if header is None:
        return None
    if not header.isdigit() or len(header) > len(str(MAX_SEQUENCE)) or int(header) > MAX_SEQUENCE:
        raise ValueError(f"tc-position {header[:40]!r}")
    return int(header)
