"""One sequence account: what is known of the numbered packets of one fixture on one feed, over all connections.

Account numbers are the vendor's numbers of the first connection. The vendor's numbers may be per connection (fact
sheet §5.2), so each connection has an offset, found by content (``alignment``). What is missing is a gap; it holds
back what is behind it for a moment (``passing``), then it is asked for again (``repair``). ``judge`` takes packets.
"""

from typing import Final

import msgspec

from processors.core.fastpath.account.arrival import AccountSettings, Arrival
from processors.core.fastpath.account.effects import (
    ConflictReason,
    Effect,
    Found,
    Release,
    Repair,
    UnrepairedReason,
)
from processors.core.fastpath.account.entries import HEAD, STATE, Connection, Gap, Head, Link, State, encode
from processors.core.fastpath.account.feeds import FeedConnections
from processors.core.fastpath.account.gaps import Gaps
from processors.core.fastpath.account.holding import Holding
from processors.core.fastpath.account.known import Known
from processors.core.fastpath.account.ranges import Range
from processors.core.processor import Store
from schemas.fastpath.feed import Feed
from schemas.fastpath.fields import Why
from schemas.fastpath.sequence import FindingKind

MAX_LINKS: Final = 24
"""Connections of an account that are remembered: as many as a feed remembers."""
MS_NS: Final = 1_000_000
SECOND_NS: Final = 1_000_000_000


class Packet(msgspec.Struct, frozen=True, gc=False):
    """The packet at hand, and what it came by.

    Attributes:
        arrival: As handed in.
        connection: Its connection.
        link: What that delivered to the account.
        before: Greatest own number of the connection before this packet.
        events: Distinct own numbers of the connection before this packet.
        again: The connection delivered this number before.
        now_ns: Stream time.
    """

    arrival: Arrival
    connection: Connection
    link: Link
    before: int
    events: int
    again: bool
    now_ns: int

    @property
    def content(self) -> bytes:
        """Key and body, as known numbers have them."""
        return self.arrival.key + self.arrival.body


class Account:
    """One account, as its parts; every part but the state writes what changes about it at once.

    Args:
        store: State of the stream task.
        feed: Its feed.
        head: Its names.
        identity: What stands for it in store keys.
        connections: Of its feed.
        settings: Bounds.
        state: Where it stands.
        gaps: What is missing.
        holding: What is held back.

    Attributes:
        holds_back: Packets wait for what is missing before them; of statistics the next one holds all.
        effects: What the record at hand led to, in order; taken by ``Accounts``.
        due: When time has to look at which gap again; likewise.
        shown: ``Gaps.asked`` as last told.
    """

    def __init__(
        self,
        *,
        store: Store,
        feed: Feed,
        head: Head,
        identity: bytes,
        connections: FeedConnections,
        settings: AccountSettings,
        state: State,
        gaps: Gaps,
        holding: Holding,
    ) -> None:
        self._store = store
        self._key = STATE + identity
        self.feed = feed
        self.head = head
        self.identity = identity
        self.connections = connections
        self.settings = settings
        self.state = state
        self.gaps = gaps
        self.holding = holding
        self.known = Known(store, identity, settings.remembered)
        self.known.stand(state.low, state.last, floor=state.floor or 0)
        self.links = {link.ordinal: link for link in state.links}
        self.holds_back = head.kind == "actions"
        self.effects: list[Effect] = []
        self.due: list[tuple[int, Gap]] = []
        self.shown = 0

    def link(self, connection: Connection, number: int, offset: int) -> Link:
        """Begin to follow a connection; nothing was delivered by it yet."""
        links = self.links
        made = links[connection.ordinal] = Link(connection.ordinal, offset, number, number - 1)
        if len(links) > MAX_LINKS:
            for ordinal in links.keys() - set(self.connections.ordinals()):
                del links[ordinal]
        self.state.links = list(links.values())
        return made

    def release(self, arrival: Arrival, sequence: int, why: Why, *, late: bool = False, repaired: bool = False) -> None:
        """The packet at hand goes out; what is late or repaired by its ``why`` is marked as that anyway."""
        self.effects.append(
            Release(
                feed=self.feed.path,
                fixture_id=self.head.fixture_id,
                payload=arrival.payload(),
                sequence=sequence,
                vendor_sequence=arrival.number,
                why=why,
                late=late or why == "late",
                repaired=repaired or why == "repaired",
                conflict=why == "conflict",
            )
        )

    def release_held(self, why: Why, now_ns: int) -> None:
        """What is held back and waits for nothing any more goes out."""
        if not self.holding:
            return  # nearly always
        for sequence, held in self.holding.take(self.gaps.barrier):
            self.effects.append(
                Release(
                    feed=self.feed.path,
                    fixture_id=self.head.fixture_id,
                    payload=held.payload,
                    sequence=sequence,
                    vendor_sequence=held.number,
                    why=why,
                    after_ms=max(0, now_ns - held.arrived_ns) // MS_NS,
                )
            )

    def found_packet(
        self,
        kind: FindingKind,
        packet: Packet,
        sequence: int,
        *,
        reason: ConflictReason | None = None,
        is_aligned: bool | None = None,
    ) -> None:
        """The packet at hand, which stands at ``sequence``, is to be on record."""
        arrival = packet.arrival
        self.effects.append(
            Found(
                kind=kind,
                feed=self.feed.path,
                fixture_id=self.head.fixture_id,
                series=self.head.kind,
                line=arrival.line,
                connection=arrival.connection,
                first=sequence,
                last=sequence,
                scope=self.state.scope,
                vendor_sequence=arrival.number,
                position=arrival.position if kind in ("baseline", "restarted") else None,
                reason=reason,
                aligned=is_aligned,
                old_last=None if is_aligned is None else self.state.last,
            )
        )

    def found_gap(
        self,
        kind: FindingKind,
        gap: Gap,
        numbers: list[Range],
        *,
        now_ns: int,
        by: str | None = None,
        reason: UnrepairedReason | None = None,
        repair: Repair | None = None,
    ) -> None:
        """What became of a gap is to be on record; ``numbers`` of it are what the finding is about."""
        is_late = gap.state == "told" and by is not None
        self.effects.append(
            Found(
                kind=kind,
                feed=self.feed.path,
                fixture_id=self.head.fixture_id,
                series=self.head.kind,
                line=gap.line,
                connection=gap.connection,
                first=numbers[0][0] if is_late else gap.first,
                last=numbers[-1][1] if is_late else gap.last,
                scope=self.state.scope,
                missing=tuple(numbers),
                ours=gap.ours if kind == "gap_suspected" else None,
                repair=repair,
                reason=reason,
                by=by,
                attempts=gap.attempt if kind == "not_repairable" else None,
                after_ms=max(0, now_ns - gap.since_ns) // MS_NS,
            )
        )

    def deadline(self, gap: Gap) -> int | None:
        """Return the stream time at which time has to look at ``gap``."""
        if gap.state == "waiting":
            return gap.since_ns + self.settings.hold_ms * MS_NS
        if gap.state == "asked":
            return gap.asked_ns + self.settings.repair_timeout_s * SECOND_NS
        return None

    def watch(self, gap: Gap) -> None:
        """The deadline of a gap changed."""
        due = self.deadline(gap)
        if due is not None:
            self.due.append((due, gap))

    def shrink(self, kept: int) -> int:
        """Forget all but the newest ``kept`` numbers: enough for the overlap of a reconnect; return how many went."""
        self.state.floor = max(0, self.state.last - kept + 1)
        return self.known.forget_below(self.state.floor)

    def write(self) -> None:
        """Put the state; the last step of a record."""
        self.holding.write()
        self._store.put(self._key, encode(self.state))

    def forget(self) -> None:
        """Remove names and state from the store; gaps and numbers are removed by their parts."""
        self._store.delete(self._key)
        self._store.delete(HEAD + self.identity)
