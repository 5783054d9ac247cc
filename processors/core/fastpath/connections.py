"""State of the upstream collector of one feed, from what its lines tell (fact sheet §7).

The vendor sends a status when the state changes, on every connection, and not again; so the last one holds until the
next. Lines bring it at different times and reconnects may bring it again, hence what is told here is deduplicated.
Values in, values out: the caller keeps :class:`Upstream` and publishes each :class:`Change`.
"""

from dataclasses import dataclass
from typing import Final

import msgspec

UNKNOWN: Final = "unknown"
"""Nobody told the state, or nobody listened since; in no packet of the vendor's."""
CONNECTED: Final = "Connected"
DISCONNECTED: Final = "Disconnected"
_IMPLIED_BY_DATA: Final = frozenset({UNKNOWN, DISCONNECTED})
"""States that data ends. During the others data comes, too: delayed, from one of several collectors."""


class Told(msgspec.Struct, frozen=True, array_like=True):
    """The state last published, and who told it last.

    Attributes:
        state: As the vendor spells it.
        since_ns: When we learned it, UTC ns.
        vendor_time: As sent.
        order_ns: What orders it against other connections: vendor time, or its receipt if that is earlier.
        line: Line that told it.
        connection: Connection that told it.
    """

    state: str
    since_ns: int
    vendor_time: str | None
    order_ns: int | None
    line: str
    connection: str


class Upstream(msgspec.Struct, frozen=True, array_like=True):
    """What is known of one feed's collector.

    Attributes:
        state: The state in force.
        since_ns: Since when, by our receipt, UTC ns.
        vendor_time: Since when by the vendor, as sent.
        told: The state last published; in force, too, unless no line listened since.
        disconnected_ns: What ordered the last ``Disconnected`` that was published; ``None`` before the first.
    """

    state: str = UNKNOWN
    since_ns: int = 0
    vendor_time: str | None = None
    told: Told | None = None
    disconnected_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """One ``ConnectionStateChanged`` packet.

    Attributes:
        state: In the vendor's spelling if it is a known one, else as sent.
        vendor_ns: Vendor time, UTC ns; ``None`` if it is unusable.
        vendor_time: Vendor time as sent.
        received_ns: Receipt, UTC ns.
        line: Its line.
        connection: Its connection.
    """

    state: str
    vendor_ns: int | None
    vendor_time: str | None
    received_ns: int
    line: str
    connection: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A state to publish.

    Attributes:
        told: The new state.
        previous: The state published before it; ``None``: none was.
        implied: Nobody told it, data did.
    """

    told: Told
    previous: str | None
    implied: bool = False


class Taken(msgspec.Struct, frozen=True, gc=False):
    """What a status or a packet made of the state.

    Attributes:
        upstream: The state now.
        change: What is to be published.
        outdated: The status is older than what is known; it changed nothing.
    """

    upstream: Upstream
    change: Change | None = None
    outdated: bool = False


def take_status(upstream: Upstream, status: Status, *, teller_is_open: bool) -> Taken:
    """Take a status packet.

    Args:
        upstream: The state before.
        status: What was said.
        teller_is_open: The connection that told the state before is still open.
    """
    told, state = upstream.told, status.state
    if told is not None and upstream.state != UNKNOWN and status.connection != told.connection:
        if status.vendor_ns is None or told.order_ns is None:
            outdated = teller_is_open
        else:
            outdated = min(status.vendor_ns, status.received_ns) <= told.order_ns
        if outdated and state != told.state:
            return Taken(upstream, outdated=True)
    order_ns = None if status.vendor_ns is None else min(status.vendor_ns, status.received_ns)
    if told is not None and state == told.state:
        if upstream.state == state:
            return Taken(upstream)
        # Not published again, but told by this connection now: what it says next is in order, whatever its time.
        again = msgspec.structs.replace(told, order_ns=order_ns, line=status.line, connection=status.connection)
        return Taken(_in_force(upstream, again))
    now = Told(state, status.received_ns, status.vendor_time, order_ns, status.line, status.connection)
    return _published(upstream, Change(told=now, previous=None if told is None else told.state))


def take_packet(
    upstream: Upstream, *, vendor_ns: int, vendor_time: str | None, received_ns: int, line: str, connection: str
) -> Taken:
    """Take a new live packet with a vendor time: data while ``Disconnected`` says that the collector is back."""
    if upstream.state not in _IMPLIED_BY_DATA:
        return Taken(upstream)
    if upstream.disconnected_ns is not None and vendor_ns <= upstream.disconnected_ns:
        return Taken(upstream)
    told = upstream.told
    if told is None or told.state == CONNECTED:
        # Fact sheet §7: the first packet is an implicit Connected, and nothing is published of it.
        return Taken(
            Upstream(
                state=CONNECTED,
                since_ns=received_ns,
                vendor_time=None,
                told=told,
                disconnected_ns=upstream.disconnected_ns,
            )
        )
    now = Told(CONNECTED, received_ns, vendor_time, min(vendor_ns, received_ns), line, connection)
    return _published(upstream, Change(told=now, previous=told.state, implied=True))


def take_silence(upstream: Upstream, since_ns: int) -> Upstream:
    """Nobody listens any more: what the vendor tells from now on is missed."""
    if upstream.state == UNKNOWN:
        return upstream
    return Upstream(
        state=UNKNOWN,
        since_ns=since_ns,
        vendor_time=None,
        told=upstream.told,
        disconnected_ns=upstream.disconnected_ns,
    )


def _in_force(upstream: Upstream, told: Told) -> Upstream:
    return Upstream(
        state=told.state,
        since_ns=told.since_ns,
        vendor_time=told.vendor_time,
        told=told,
        disconnected_ns=upstream.disconnected_ns,
    )


def _published(upstream: Upstream, change: Change) -> Taken:
    told = change.told
    disconnected_ns = upstream.disconnected_ns
    if told.state == DISCONNECTED:
        disconnected_ns = told.since_ns if told.order_ns is None else told.order_ns
    now = Upstream(
        state=told.state,
        since_ns=told.since_ns,
        vendor_time=told.vendor_time,
        told=told,
        disconnected_ns=disconnected_ns,
    )
    return Taken(now, change)
