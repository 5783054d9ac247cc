"""The collector states of a feed in its entry: which one a packet belongs to, and what changes it."""

from typing import Final

from processors.core.fastpath.connections import Upstream, take_silence
from processors.core.fastpath.line_entries import FeedEntry
from schemas.fastpath.feed import Feed

MAX_PARTS: Final = 500
"""Fixtures of one multiplexer whose state is known; beyond it the one told about longest ago is forgotten."""
_UNTOLD: Final = Upstream()


def part_of(feed: Feed, fixture_id: str) -> str:
    """Return which collector a packet is about: on the multiplexer each fixture's own, elsewhere the feed's (empty)."""
    return fixture_id if feed.kind == "mixed" and feed.sport and fixture_id != feed.fixture else ""


def get(entry: FeedEntry, part: str) -> Upstream:
    """Return the state of the feed, or of a part of it."""
    return entry.parts.get(part, _UNTOLD) if part else entry.upstream


def put(entry: FeedEntry, part: str, upstream: Upstream) -> None:
    """Note the state of the feed, or of a part of it."""
    if not part:
        entry.upstream = upstream
        return
    entry.parts.pop(part, None)
    entry.parts[part] = upstream
    if len(entry.parts) > MAX_PARTS:
        del entry.parts[next(iter(entry.parts))]


def silence(entry: FeedEntry, since_ns: int) -> bool:
    """Nobody listens to the feed any more; return whether that changed a state."""
    before = (entry.upstream, dict(entry.parts))
    entry.upstream = take_silence(entry.upstream, since_ns)
    entry.parts = {part: take_silence(upstream, since_ns) for part, upstream in entry.parts.items()}
    return before != (entry.upstream, entry.parts)
