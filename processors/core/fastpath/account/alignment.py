"""Where the numbers of a connection stand in an account: as they are, or found by content.

The vendor says both that numbers are per connection and that they are per fixture (fact sheet §5.2), so nothing is
taken for granted: the first packet of each connection is looked up, and so is every packet that does not fit, until
numbers are known to be the fixture's.
"""

from typing import Final

from processors.core.fastpath.account.account import Account, Packet
from processors.core.fastpath.account.arrival import Arrival
from processors.core.fastpath.account.known import KEY_BYTES

NEAR: Final = 64
"""How far from where its position says a replayed packet may be found by its name alone."""


def offset_of(account: Account, arrival: Arrival) -> int | None:
    """Return the offset of the connection whose first packet this is (R2); ``None``: its numbers restarted."""
    state, known, number = account.state, account.known, arrival.number
    asked = arrival.position or 0
    place = number + state.offset
    content, there = arrival.key + arrival.body, known.get(place)
    # One action may be deleted twice: an equal key counts only if the packet itself is nowhere else.
    if there is not None and there[:KEY_BYTES] == arrival.key and (there == content or not known.find(content)):
        if number > account.feed.first_number and (asked > 0 or account.feed.position == "sequence"):
            state.scope = "fixture"
        return state.offset
    if place > state.last or account.gaps.missing(place) is not None:
        return state.offset
    same = known.find(content)
    if same:
        return _of_connection(account, arrival, min(same, key=lambda found: (abs(found - asked - 1), -found)))
    if there is None and 0 <= place < state.low:
        return state.offset
    found = _namesake(account, arrival)
    if found is None and there is not None:
        found = _unseen(account, arrival)
    if found is not None:
        return _of_connection(account, arrival, found)
    return state.offset if there is None and place >= 0 else None  # forgotten: nothing speaks against going on


def _of_connection(account: Account, arrival: Arrival, place: int) -> int:
    """Numbers are the connection's own, and this one stands at ``place``."""
    state = account.state
    state.scope = "connection"
    reading = place - (arrival.position or 0) - arrival.number
    if abs(reading) <= NEAR:
        state.reading = reading
    return place - arrival.number


def _namesake(account: Account, arrival: Arrival) -> int | None:
    """Find the packet by its name where the position asked for says: what it says was rendered anew."""
    state = account.state
    if state.scope == "fixture" or state.floor is not None:
        return None
    if account.feed.position != "events" or not arrival.is_named:
        return None
    asked = (arrival.position or 0) + arrival.number
    near = range(max(0, asked - NEAR), asked + NEAR + 1)
    same = [place for place in near if (account.known.get(place) or b"")[:KEY_BYTES] == arrival.key]
    return min(same, key=lambda found: (abs(found - asked), -found), default=None)


def _unseen(account: Account, arrival: Arrival) -> int | None:
    """Find the place of a packet that nobody brought yet: where the position asked for says, if that is missing."""
    state = account.state
    if state.scope == "fixture" or account.feed.position != "events" or not arrival.position:
        return None
    place = arrival.position + arrival.number + state.reading
    is_next = state.last < place <= state.last + NEAR
    return place if is_next or account.gaps.missing(place) is not None else None


def further_on(account: Account, packet: Packet, place: int) -> int | None:
    """Find a packet that does not match ``place`` further on: the numbers between are not in the vendor's list."""
    if account.state.scope == "fixture" or not packet.arrival.is_named:
        return None
    return next(
        (found for found in account.known.find(packet.content) if found > place and _is_new(packet, found)), None
    )


def further_back(account: Account, packet: Packet) -> int | None:
    """Find a packet whose number is beyond the last among what other connections brought before."""
    link, state = packet.link, account.state
    if state.scope == "fixture" or not packet.arrival.is_named:
        return None
    if not link.skipped and not link.other and link.first + link.offset <= state.low:
        return None  # it brought everything itself, so there is nothing to find: nearly every packet
    same = (found for found in reversed(account.known.find(packet.content)) if _is_new(packet, found))
    return next(same, None)


def further_down(account: Account, packet: Packet, place: int) -> int | None:
    """Find a packet that does not match ``place`` before it: numbers of its connection were counted that are none."""
    if account.state.scope == "fixture" or not packet.arrival.is_named or account.known.get(place) is None:
        return None
    same = (found for found in reversed(account.known.find(packet.content)) if _is_new(packet, found))
    return next((found for found in same if found < place), None)


def at_default(account: Account, packet: Packet) -> int | None:
    """Find a packet that does not match its number at the place where further connections' numbers stand.

    Two lines follow one vendor: when its numbers restart, the first line to see it sets the default, and the other one
    must find it instead of restarting, too.
    """
    place = packet.arrival.number + account.state.offset
    if packet.link.offset != account.state.offset and account.known.get(place) == packet.content:
        return place
    return None


def at_default_unseen(account: Account, packet: Packet, furthest: int) -> int | None:
    """Likewise for a connection whose numbers restarted, if the packet may be new at that place."""
    state = account.state
    place = packet.arrival.number + state.offset
    if packet.link.offset == state.offset:
        return None
    return place if state.last < place <= furthest or account.gaps.missing(place) is not None else None


def _is_new(packet: Packet, place: int) -> bool:
    """Tell whether the packet's connection has not brought ``place`` yet, by its numbers as they stand."""
    number = place - packet.link.offset
    return number == packet.arrival.number or not packet.link.has(number)
