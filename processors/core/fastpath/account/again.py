"""Take a packet that is replayed, outside of its connection: it goes out behind all others, or not at all.

Nothing that is out of the fixture may be newer, for whoever takes the newest must not take this one for it. The
connection, its numbers and its losses are past; only the account learns the number.
"""

from processors.core.fastpath.account.account import SECOND_NS, Account, Packet
from processors.core.fastpath.account.arrival import Arrival
from processors.core.fastpath.account.effects import Found
from processors.core.fastpath.account.entries import Connection, Link
from processors.core.fastpath.account.judge import MAX_JUMP
from processors.core.fastpath.account.passing import pass_on, skip_for_good


def begin_again(account: Account, arrival: Arrival) -> None:
    """Take a packet as the first of its account."""
    number = arrival.number
    account.effects.append(
        Found(
            kind="baseline",
            feed=account.feed.path,
            fixture_id=account.head.fixture_id,
            series=account.head.kind,
            line=arrival.line,
            connection=arrival.connection,
            first=number,
            last=number,
            scope=account.state.scope,
            vendor_sequence=number,
            position=arrival.position,
        )
    )
    account.known.put(number, arrival.key + arrival.body)
    account.release(arrival, number, "in_order")


def take_again(account: Account, arrival: Arrival, now_ns: int) -> str | None:
    """Take a packet behind the last of its account; return what is newer if there is anything."""
    state = account.state
    link = _link(account, arrival)
    place = arrival.number + link.offset
    name = f"fixture {account.head.fixture_id}, {account.head.kind}"
    if place <= state.last:
        is_out = account.known.get(place) == arrival.key + arrival.body
        return f"{name}: number {place} is out" if is_out else f"{name}: number {state.last} is out, this is {place}"
    if place - state.last > MAX_JUMP:
        return f"{name}: number {place} is implausible behind {state.last}"
    connection = Connection(link.ordinal, arrival.line, arrival.connection, arrival.position)
    packet = Packet(arrival, connection, link, 0, 0, False, now_ns)
    last, state.last = state.last, place
    account.known.advance(state.low, place)
    account.known.put(place, arrival.key + arrival.body)
    if place > last + 1:
        skip_for_good(account, packet, last + 1, place - 1)
    pass_on(account, packet, place)
    return None


def is_older(account: Account, received_ns: int) -> bool:
    """Tell whether anything came of the fixture after ``received_ns``: all there is to tell of what has no number."""
    return received_ns < account.state.heard_s * SECOND_NS


def _link(account: Account, arrival: Arrival) -> Link:
    """Return the numbers of the packet's connection if they are known still, else the account's own; never kept."""
    offset = account.state.offset
    for one in account.connections.entry.connections:
        if (one.line, one.connection) == (arrival.line, arrival.connection) and one.ordinal in account.links:
            offset = account.links[one.ordinal].offset
    return Link(-1, offset, arrival.number, arrival.number - 1, arrival.frame)
