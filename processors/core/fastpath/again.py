"""A packet that is replayed: it goes out behind all others of its fixture, or is refused.

Lines, the upstream collector, its collection and health are not told of it; it is stamped with the state in force now.
"""

from processors.core.fastpath import pending, upstream
from processors.core.fastpath.account.accounts import Accounts
from processors.core.fastpath.account.effects import Found, Release
from processors.core.fastpath.arriving import Arriving, arrival_of, in_force
from processors.core.fastpath.classify import classify
from processors.core.fastpath.delivery import delivery_of
from processors.core.fastpath.findings import Unreadable
from processors.core.fastpath.packet import Heartbeat, Message, Numbered, StatusPacket
from processors.core.fastpath.source import Source, read_source
from processors.core.fastpath.told import Teller
from processors.core.fastpath.watch import Watch
from processors.core.processor import Context
from processors.core.replay import Replay
from schemas.fastpath.codes import Code, Count


def replay_packet(replay: Replay, accounts: Accounts, watch: Watch, context: Context) -> bool:
    """Write the packet, or why not; tell whether it goes out later, behind what is waited for."""
    value, source = replay.record.value or b"", read_source(replay.record)
    if isinstance(source, Unreadable):
        context.dead_letter(value, Code.REPLAY_REFUSED, source.detail)
        return False
    packet = classify(value, source.feed)
    match packet:
        case Unreadable():
            context.dead_letter(value, packet.code, packet.detail)
        case StatusPacket():
            why = "what the vendor said of its collector at that time has passed"
            context.dead_letter(value, Code.REPLAY_REFUSED, why)
        case Heartbeat():
            context.count(Count.HEARTBEAT)
        case Message():
            context.count(Count.MESSAGE)
        case _:
            return _Again(replay, source, accounts, watch, context).packet(packet)
    return False


class _Again:
    """One packet of a match on its way."""

    __slots__ = ("_accounts", "_context", "_replay", "_source", "_watch")

    def __init__(self, replay: Replay, source: Source, accounts: Accounts, watch: Watch, context: Context) -> None:
        self._replay, self._source, self._context = replay, source, context
        self._accounts, self._watch = accounts, watch

    def packet(self, packet: Numbered) -> bool:
        source, context = self._source, self._context
        arriving = self._arriving(packet)
        if packet.number is None:
            if self._accounts.heard_since(source.feed, packet.fixture_id, packet.series, source.stamps.received_ns):
                self._refuse(f"fixture {packet.fixture_id}: packets that came later are out, and this has no number")
            else:
                waiting = pending.unpack(arriving.payload())
                pending.release(waiting, packet.fixture_id, pending.unordered(), context)
            return False
        arrival = arrival_of(packet, source, arriving)
        effects = self._accounts.replay(source.feed, packet.fixture_id, arrival, context.stream_time_ns)
        if isinstance(effects, str):
            self._refuse(effects)
            return False
        # What it causes beside itself is numbered by the request: the ids below the packet's own record are taken.
        teller = Teller(
            self._replay.request,
            first=1,
            received_ns=source.stamps.received_ns,
            context=context,
            marks=[self._replay.mark],
        )
        for effect in effects:
            if isinstance(effect, Release):
                pending.release(pending.unpack(effect.payload), effect.fixture_id, pending.place_of(effect), context)
            elif isinstance(effect, Found):
                teller.finding(effect)
        return True

    def _arriving(self, packet: Numbered) -> Arriving:
        source, record = self._source, self._replay.record
        opened_ns = self._watch.opened_ns(source.stamps.line, source.stamps.connection)
        part = upstream.part_of(source.feed, packet.fixture_id)
        state = upstream.get(self._watch.feeds.entry(source.feed.path), part)
        return Arriving(
            packet,
            source,
            f"{record.topic}/{record.partition}/{record.offset}",
            delivery=delivery_of(packet.vendor_time_ns, packet.delay_status, opened_ns),
            connection_state=in_force(state),
            replayed=self._replay.request,
        )

    def _refuse(self, why: str) -> None:
        self._context.dead_letter(self._replay.record.value or b"", Code.REPLAY_REFUSED, why)
