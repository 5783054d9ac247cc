"""What a raw record, or a hole, causes beside the record of its own packet: numbered in the order of emission."""

from collections.abc import Sequence
from typing import TypeVar

from msgspec import UNSET, UnsetType

from processors.core.cloudevents import CONTENT, TYPE_HEADERS, VERSION, rfc3339
from processors.core.fastpath.account.effects import Ask, Found
from processors.core.fastpath.connections import Change
from processors.core.processor import Context
from schemas.codec import encode
from schemas.fastpath.events import ConnectionState, FeedHealth, Finding, LineHealth, Repair
from schemas.fastpath.fields import CONNECTIONS, HEALTH, MAX_SEQUENCE
from schemas.raw import Header

_T = TypeVar("_T")
_Told = LineHealth | FeedHealth | ConnectionState | Finding | Repair


class Teller:
    """Writes them.

    Args:
        origin: Position of the raw record, or of the hole: the first part of ``ce_id``.
        first: Number of the first: 1 beside a raw record, whose own packet has 0.
        received_ns: ``tc-received-ns`` of the cause.
        context: Where the records go.
        marks: Headers that all records get beside their own.
    """

    __slots__ = ("_context", "_index", "_marks", "_origin", "_received_ns")

    def __init__(
        self, origin: str, *, first: int, received_ns: int, context: Context, marks: Sequence[Header] = ()
    ) -> None:
        self._origin, self._index = origin, first
        self._marks = marks
        self._received_ns, self._context = received_ns, context

    def line_health(self, health: LineHealth) -> None:
        """Tell the health of a line."""
        # The topic is compacted: a line's newest state replaces the one before, but no gap is ever replaced.
        gap = f"@{self._origin}" if health.state == "gapped" else ""
        self._context.found("line", health.state)
        self._tell(health, f"line/{health.line}{gap}", health.line, health.line, health.since_ns)

    def feed_health(self, health: FeedHealth) -> None:
        """Tell the health of a feed."""
        self._context.found("feed", health.state)
        self._tell(health, f"feed/{health.feed}", health.feed, health.feed, health.since_ns)

    def forgotten(self, line: str, feed: str | None) -> None:
        """Take a line, and its feed if that is forgotten, too, out of the compacted topics."""
        self._context.forward(HEALTH, f"line/{line}".encode(), None, [])
        if feed is not None:
            self._context.forward(HEALTH, f"feed/{feed}".encode(), None, [])
            self._context.forward(CONNECTIONS, feed.encode(), None, [])

    def connection(self, feed: str, fixture_id: str, change: Change, vendor_ns: int | None, *, part: str = "") -> None:
        """Tell the state of a feed's upstream collector; ``part``: of that fixture alone, on the multiplexer."""
        told = change.told
        record = ConnectionState(
            feed=feed,
            state=told.state,
            previous=UNSET if change.previous is None else change.previous,
            since_ns=told.since_ns,
            vendor_time=UNSET if told.vendor_time is None else told.vendor_time,
            line=told.line,
            connection=told.connection,
            fixture_id=fixture_id,
            implied=True if change.implied else UNSET,
        )
        self._tell(
            record,
            f"{feed}#{part}" if part else feed,
            feed,
            told.line,
            told.since_ns if vendor_ns is None else vendor_ns,
        )

    def finding(self, found: Found) -> None:
        """Tell what the account found."""
        record = Finding(
            finding=found.kind,
            series=found.series,
            feed=found.feed,
            fixture_id=found.fixture_id,
            line=found.line,
            connection=found.connection,
            first=_number(found.first),
            last=_number(found.last),
            missing=UNSET if found.missing is None else list(found.missing),
            count=UNSET if found.missing is None else sum(last - first + 1 for first, last in found.missing),
            by=_set(found.by),
            reason=_set(found.reason),
            repair=_set(found.repair),
            attempt=found.attempts or UNSET,
            after_ms=_set(found.after_ms),
            ours=True if found.ours else UNSET,
            vendor_first=_set(found.vendor_sequence),
            asked=_set(found.position),
            old_last=_set(found.old_last),
            aligned=_set(found.aligned),
            scope=found.scope,
        )
        self._context.found("sequence", found.kind)
        self._tell(record, found.fixture_id, found.fixture_id, found.line, self._received_ns)

    def command(self, ask: Ask) -> None:
        """Ask a line for a repair."""
        record = Repair(
            feed=ask.feed,
            fixture_id=ask.fixture_id,
            line=ask.line,
            first=ask.first,
            last=ask.last,
            position=ask.position,
            attempt=ask.attempt,
        )
        self._tell(record, ask.feed, ask.fixture_id, ask.line, self._received_ns)

    def _tell(
        self,
        record: LineHealth | FeedHealth | ConnectionState | Finding | Repair,
        key: str,
        subject: str,
        line: str,
        time_ns: int,
    ) -> None:
        ce_type, schema = TYPE_HEADERS[type(record)]
        self._context.forward(
            record.topic,
            key.encode(),
            encode(record),
            [
                VERSION,
                ("ce_id", f"{self._origin}/{self._index}".encode()),
                ("ce_source", f"tricast/fastpath/{line}".encode()),
                ce_type,
                ("ce_time", rfc3339(time_ns // 1_000_000)),
                ("ce_subject", subject.encode()),
                CONTENT,
                schema,
                ("ce_tcreceived", b"%d" % self._received_ns),
                *self._marks,
            ],
        )
        self._index += 1


def _number(number: int) -> int | UnsetType:
    """Return an account number; what an alignment made of nonsense may lie outside of all numbers."""
    return number if 0 <= number <= MAX_SEQUENCE else UNSET


def _set(value: _T | None) -> _T | UnsetType:
    return UNSET if value is None else value
