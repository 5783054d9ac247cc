"""The feeds of one stream task: what is known of them, which of them changed, and what there is to tell of those."""

from collections.abc import Callable
from typing import Final

from msgspec import UNSET

from processors.core.fastpath import feed_health, upstream
from processors.core.fastpath.line_book import LineBook
from processors.core.fastpath.line_entries import FeedEntry
from schemas.fastpath.feed import feed_of
from schemas.fastpath.health import FeedHealth

Repairing = Callable[[str], int]
"""Path of a feed to how many of its gaps are under repair."""

_NANOSECONDS: Final = 1_000_000_000


class FeedWatch:
    """The feeds of one task.

    Args:
        book: Lines and feeds; kept in the store by itself.
    """

    def __init__(self, book: LineBook) -> None:
        self._book = book
        self._touched: set[str] = set()
        self._bursting = {line.feed for _, line, _ in book.by_name() if book.feed(line.feed).burst_s}

    def entry(self, feed: str) -> FeedEntry:
        """Return what is known of a feed; whoever changes it says so by :meth:`changed`."""
        return self._book.feed(feed)

    def changed(self, feed: str) -> None:
        """What is known of a feed changed: it is written, and judged at the end of the record."""
        self._book.write_feed(feed)
        self._touched.add(feed)

    def touch(self, feed: str) -> None:
        """Something that health depends on changed elsewhere."""
        self._touched.add(feed)

    def burst(self, feed: str, now_s: int) -> None:
        """A packet collected offline came."""
        entry = self._book.feed(feed)
        if entry.burst_s != now_s:
            entry.burst_s = now_s
            self._bursting.add(feed)
            self.changed(feed)

    def silence(self, feed: str, since_ns: int) -> None:
        """A line of the feed went down; the state of its upstream is unknown if nobody listens now."""
        self._touched.add(feed)
        if self._book.open_lines(feed) == 0 and upstream.silence(self._book.feed(feed), since_ns):
            self._book.write_feed(feed)

    def advance(self, now_s: int) -> None:
        """Let time pass: a burst is over some time after its last packet."""
        for feed in sorted(self._bursting):
            if now_s - self._book.feed(feed).burst_s > feed_health.BURST_S:
                self._bursting.discard(feed)
                self._touched.add(feed)

    def forget(self, feed: str) -> None:
        """The book forgot a feed: there is nothing to tell of it any more."""
        self._touched.discard(feed)
        self._bursting.discard(feed)

    def judge(self, repairing: Repairing, now_ns: int) -> list[FeedHealth]:
        """Return the health of every feed that changed with this record; to be called last of all."""
        judged = (self._judge(feed, repairing(feed), now_ns) for feed in sorted(self._touched))
        found = [health for health in judged if health is not None]
        self._touched.clear()
        return found

    def _judge(self, feed: str, repairing: int, now_ns: int) -> FeedHealth | None:
        entry, lines = self._book.feed(feed), [line for _, line in self._book.lines_of(feed)]
        if not lines:
            return None
        verdict = feed_health.judge(entry, lines, repairing=repairing, now_s=now_ns // _NANOSECONDS)
        if (verdict.state, verdict.reason) == (entry.state, entry.reason):
            return None
        entry.state, entry.reason = verdict.state, verdict.reason
        self._book.write_feed(feed)
        return FeedHealth(
            feed=feed,
            fixture_id=feed_of(feed).fixture,
            state=verdict.state,
            reason=verdict.reason,
            since_ns=now_ns,
            vendor_state=UNSET if verdict.vendor_state is None else verdict.vendor_state,
            vendor_time=UNSET if verdict.vendor_time is None else verdict.vendor_time,
            open_lines=self._book.open_lines(feed),
        )
