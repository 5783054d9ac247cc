"""One raw record, or one hole, on its way: what it says is taken and what it causes is written, in a fixed order."""

from collections.abc import Iterable
from typing import Final, assert_never

from processors.core.fastpath import pending, upstream
from processors.core.fastpath.account.accounts import Accounts
from processors.core.fastpath.account.effects import Ask, Counted, Effect, Found, Release, Standing
from processors.core.fastpath.arriving import Arriving, arrival_of, in_force
from processors.core.fastpath.collection import take_collection
from processors.core.fastpath.connections import Status, Taken, Upstream, take_packet, take_status
from processors.core.fastpath.delivery import delivery_of
from processors.core.fastpath.line_findings import Down, Finding, Forgotten, Lost, Up
from processors.core.fastpath.packet import Numbered, StatusPacket
from processors.core.fastpath.source import Source
from processors.core.fastpath.told import Teller
from processors.core.fastpath.watch import Watch
from processors.core.processor import Context
from schemas.fastpath.codes import Count
from schemas.fastpath.events import LineHealth
from schemas.fastpath.feed import feed_of

_IN_PLACE: Final = frozenset({"in_order", "filled", "timeout", "overfull"})
"""Packets that go out in their place; what they say of the collection is newer than all before."""


class Step:
    """Takes what one record says.

    Args:
        origin: Position of the raw record, or of the hole.
        first: Number of the first output beside the record's own packet.
        received_ns: ``tc-received-ns`` of the cause.
        watch: Lines and feeds of the task.
        accounts: Sequence accounts of the task.
        context: Where the outputs go.
    """

    __slots__ = ("_accounts", "_context", "_now_ns", "_origin", "_teller", "_watch")

    def __init__(
        self, origin: str, *, first: int, received_ns: int, watch: Watch, accounts: Accounts, context: Context
    ) -> None:
        self._origin, self._context = origin, context
        self._now_ns = context.stream_time_ns
        self._watch, self._accounts = watch, accounts
        self._teller = Teller(origin, first=first, received_ns=received_ns, context=context)

    def advance(self) -> None:
        """Let time pass up to this record; it comes before what the record says."""
        self._effects(self._accounts.advance(self._now_ns))
        self.found(self._watch.advance(self._now_ns))

    def lag(self, source: Source) -> None:
        """Let the time of the record's line pass where stream time cannot be relied on; after ``advance``."""
        stamps = source.stamps
        self._effects(self._accounts.lag(source.feed, stamps.line, stamps.received_ns, self._now_ns))

    def judge(self) -> None:
        """Tell the health of the feeds that this record changed; it comes last."""
        for health in self._watch.feeds.judge(self._accounts.repairing, self._now_ns):
            self._teller.feed_health(health)

    def found(self, findings: Iterable[Finding], position: int | None = None) -> None:
        """Act on what was found about lines; ``position``: asked for by the connection of this record."""
        for finding in findings:
            match finding:
                case LineHealth():
                    self._teller.line_health(finding)
                case Up(feed, line, connection):
                    self._accounts.opened(feed_of(feed), line, connection, position, self._now_ns)
                case Down(feed, line, connection):
                    self._accounts.closed(feed_of(feed), line, connection, self._now_ns)
                case Lost(feed, line, connection, first, last):
                    self._accounts.lost(feed_of(feed), line, connection, frames=(first, last), now_ns=self._now_ns)
                case Forgotten(line, forgotten_feed):
                    self._teller.forgotten(line, forgotten_feed)
                case Count():
                    self._context.count(finding)
                case _:
                    assert_never(finding)

    def status(self, packet: StatusPacket, source: Source) -> None:
        """Take what the vendor says of its collector."""
        feed, stamps = source.feed, source.stamps
        entry, part = self._watch.feeds.entry(feed.path), upstream.part_of(feed, packet.fixture_id)
        before = upstream.get(entry, part)
        taken = take_status(
            before,
            Status(
                state=packet.state,
                vendor_ns=packet.vendor_time_ns,
                vendor_time=packet.vendor_time,
                received_ns=stamps.received_ns,
                line=stamps.line,
                connection=stamps.connection,
            ),
            teller_is_open=before.told is not None and self._watch.is_open(before.told.line, before.told.connection),
        )
        if taken.change is None:
            self._context.count(Count.STATUS_OUTDATED if taken.outdated else Count.STATUS_REPEATED)
        self._upstream(taken, before, source, part, packet.fixture_id, packet.vendor_time_ns)

    def packet(self, packet: Numbered, source: Source) -> None:
        """Take a packet of a match: it goes out now, later, or never if it is a copy."""
        feed, stamps = source.feed, source.stamps
        opened_ns = self._watch.opened_ns(stamps.line, stamps.connection)
        delivery = delivery_of(packet.vendor_time_ns, packet.delay_status, opened_ns)
        part = upstream.part_of(feed, packet.fixture_id)
        before = upstream.get(self._watch.feeds.entry(feed.path), part)
        taken = Taken(before)
        if packet.number is not None and delivery == "live" and packet.vendor_time_ns is not None:
            # Told before the packet, as the vendor does; it comes true if the packet turns out to be new.
            taken = take_packet(
                before,
                vendor_ns=packet.vendor_time_ns,
                vendor_time=packet.vendor_time,
                received_ns=stamps.received_ns,
                line=stamps.line,
                connection=stamps.connection,
            )
        arriving = Arriving(packet, source, self._origin, delivery=delivery, connection_state=in_force(taken.upstream))
        if packet.number is None:
            effects = list[Effect]()
            waiting = pending.unpack(arriving.payload())
            pending.release(waiting, packet.fixture_id, pending.unordered(), self._context)
        else:
            arrival = arrival_of(packet, source, arriving)
            effects = self._accounts.observe(feed, packet.fixture_id, arrival, self._now_ns)
        if arriving.is_wanted:
            if delivery == "live" and packet.vendor_time_ns is not None:
                self._context.transit(packet.vendor_time_ns // 1_000_000, stamps.received_ns // 1_000_000)
            for what in packet.counts:
                self._context.count(what)
            if arriving.odd_fields:
                self._context.count(Count.ODD_FIELD, arriving.odd_fields)
            if delivery == "late_burst":
                self._watch.feeds.burst(feed.path, self._now_ns // 1_000_000_000)
            self._upstream(taken, before, source, part, packet.fixture_id, packet.vendor_time_ns)
        self._effects(effects)

    def _upstream(  # noqa: PLR0917  # private, and each of them is needed
        self, taken: Taken, before: Upstream, source: Source, part: str, fixture_id: str, vendor_ns: int | None
    ) -> None:
        path = source.feed.path
        if taken.upstream is not before:
            upstream.put(self._watch.feeds.entry(path), part, taken.upstream)
            self._watch.feeds.changed(path)
        if taken.change is not None:
            self._teller.connection(path, fixture_id, taken.change, vendor_ns, part=part)

    def _effects(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            match effect:
                case Release():
                    self._release(effect)
                case Found():
                    self._teller.finding(effect)
                case Ask():
                    self._teller.command(effect)
                case Standing():
                    self._watch.feeds.touch(effect.feed)
                case Counted():
                    self._context.count(Count.COPY if effect.what == "copy" else Count.FORGOTTEN)
                case _:
                    assert_never(effect)

    def _release(self, effect: Release) -> None:
        waiting = pending.unpack(effect.payload)
        pending.release(waiting, effect.fixture_id, pending.place_of(effect), self._context)
        if waiting.is_action and effect.why in _IN_PLACE:
            entry = self._watch.feeds.entry(effect.feed)
            collecting = take_collection(entry.collecting, told=waiting.collection, summary=waiting.summary_collection)
            if collecting is not entry.collecting:
                entry.collecting = collecting
                self._watch.feeds.changed(effect.feed)
