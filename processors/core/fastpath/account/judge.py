"""Take one packet: is it next, ahead, a filler, a copy, a repeat, or does its number not fit (R1 to R7)."""

from typing import Final

from processors.core.fastpath.account.account import Account, Packet
from processors.core.fastpath.account.alignment import (
    at_default,
    at_default_unseen,
    further_back,
    further_down,
    further_on,
    offset_of,
)
from processors.core.fastpath.account.arrival import Arrival
from processors.core.fastpath.account.effects import ConflictReason, Counted
from processors.core.fastpath.account.entries import Connection, Link
from processors.core.fastpath.account.known import KEY_BYTES
from processors.core.fastpath.account.passing import fill, pass_on, skip, skip_silently
from processors.core.fastpath.account.repair import ask_all, review

MAX_JUMP: Final = 10_000
"""Numbers that a packet may be ahead; one that is further is implausible and leaves the account as it is."""
ROOM: Final = 2**62
"""An account does not go on behind a number this far up: it could run out of numbers."""
RESTART_RUN: Final = 3
"""Conflicts in a row, with rising numbers, that show that the vendor's numbers restarted."""

_COPY: Final = Counted("copy")
_FORGOTTEN: Final = Counted("forgotten")


def begin(account: Account, arrival: Arrival, connection: Connection, now_ns: int) -> None:
    """Take the first packet of an account: it is the baseline (R1)."""
    number, first = arrival.number, account.feed.first_number
    packet = _packet(account.link(connection, number, account.state.offset), arrival, connection, now_ns)
    account.found_packet("baseline", packet, number)
    account.known.put(number, packet.content)
    if connection.position == 0 and 0 < number - first <= MAX_JUMP:
        account.state.low = first
        account.known.advance(first, number)
        skip(account, packet, first, number - 1)
    pass_on(account, packet, number)
    packet.link.frame = arrival.frame


def take(account: Account, arrival: Arrival, connection: Connection, now_ns: int) -> None:
    """Take any other packet."""
    link = account.links.get(connection.ordinal)
    if link is not None:
        packet = _packet(link, arrival, connection, now_ns)
        place = _judge(account, packet)
    else:
        offset = offset_of(account, arrival)
        link = account.link(connection, arrival.number, account.state.offset if offset is None else offset)
        packet = _packet(link, arrival, connection, now_ns)
        if offset is None:
            place = _restart(account, packet)
            if connection.position:
                ask_all(account, arrival.line, place, now_ns)
        else:
            if offset != account.state.offset:
                account.found_packet("restarted", packet, arrival.number + offset, is_aligned=True)
            place = _judge(account, packet)
    link.frame = arrival.frame
    if place is not None and account.gaps.asked:
        review(account, place, connection, now_ns)


def _packet(link: Link, arrival: Arrival, connection: Connection, now_ns: int) -> Packet:
    packet = Packet(arrival, connection, link, link.last, link.events, link.has(arrival.number), now_ns)
    if not packet.again:
        link.note(arrival.number)
    return packet


def _renumber(packet: Packet) -> None:
    """The connection's numbers restarted with this packet, which is another event than the one of that number."""
    link = packet.link
    link.renumber(packet.arrival.number)
    link.events = packet.events + 1


def _judge(account: Account, packet: Packet) -> int | None:
    """Return the account number of the packet, ``None`` if it has none that could be relied on."""
    place = packet.arrival.number + packet.link.offset
    return _beyond(account, packet, place) if place > account.state.last else _within(account, packet, place)


def _beyond(account: Account, packet: Packet, place: int) -> int | None:
    if place - account.state.last > MAX_JUMP:
        return _mismatch(account, packet, "implausible-jump")
    back = further_back(account, packet)
    if back is not None:
        return _same(account, packet, back)
    return _append(account, packet, place)


def _within(account: Account, packet: Packet, place: int) -> int | None:
    there = account.known.get(place)
    if there == packet.content:
        return _same(account, packet, place)
    if there is not None and there[:KEY_BYTES] == packet.arrival.key:
        packet.link.run = 0
        account.found_packet("conflict", packet, place, reason="body-differs")
        if packet.again:
            account.release(packet.arrival, place, "conflict")
        else:
            packet.link.retract(packet.arrival.number)
        return None
    is_missing = account.gaps.missing(place) is not None
    is_forgotten = there is None and not is_missing and place >= account.state.low
    further = None if is_forgotten else further_on(account, packet, place)
    if further is not None:
        return _same(account, packet, further)
    if there is None and not is_missing:
        return _older(account, packet, place)
    return _fill(account, packet, place) if is_missing else _mismatch(account, packet, "other-action")


def _append(account: Account, packet: Packet, place: int) -> int:
    """A number beyond the last (R5)."""
    state = account.state
    packet.link.run = 0
    last, state.last = state.last, place
    account.known.advance(state.low, place)
    account.known.put(place, packet.content)
    if place > last + 1:
        skip(account, packet, last + 1, place - 1)
    pass_on(account, packet, place)
    return place


def _fill(account: Account, packet: Packet, place: int) -> int:
    packet.link.run = 0
    gap = account.gaps.missing(place)
    assert gap is not None
    fill(account, packet, gap, place)
    return place


def _same(account: Account, packet: Packet, place: int) -> int:
    """Known with the same content (R3, R4), perhaps not where the connection's numbers stood so far."""
    link, number = packet.link, packet.arrival.number
    link.run = 0
    if packet.again and place == number + link.offset:
        account.found_packet("duplicate", packet, place)
        return place
    if packet.again:
        _renumber(packet)
    link.offset = place - number
    account.effects.append(_COPY)
    return place


def _older(account: Account, packet: Packet, place: int) -> int | None:
    """Not beyond the last, and nothing is known or missing there: below the baseline, or forgotten."""
    state, number, first = account.state, packet.arrival.number, account.feed.first_number
    if 0 <= place < state.low:
        is_second = state.low == state.last == packet.before + packet.link.offset
        if is_second and MAX_JUMP < state.low - place < ROOM:
            return _restart(account, packet)  # the only number so far was implausible
        packet.link.run = 0
        low, state.low = state.low, place
        account.known.advance(place, state.last)
        account.known.put(place, packet.content)
        if place + 1 < low:
            skip_silently(account, packet, place + 1, low - 1)
        account.release(packet.arrival, place, "repaired")
        return place
    if place < 0 or (number == first and packet.before > first):
        return _mismatch(account, packet, "other-action")
    packet.link.run = 0
    account.effects.append(_FORGOTTEN)
    return None


def _mismatch(account: Account, packet: Packet, reason: ConflictReason) -> int | None:
    """The number cannot be this packet's: another connection's numbers tell, or they restarted, or it conflicts."""
    link, number, first = packet.link, packet.arrival.number, account.feed.first_number
    place = at_default(account, packet)
    if place is None and reason == "other-action":
        place = further_down(account, packet, number + link.offset)
    if place is not None:
        return _same(account, packet, place)
    link.run = link.run + 1 if link.run and number == link.conflict + 1 else 1
    link.conflict = number
    is_first = number == first and packet.before > first and reason == "other-action"
    if is_first or link.run >= RESTART_RUN:
        place = at_default_unseen(account, packet, account.state.last + MAX_JUMP)
        if place is None:
            return _restart(account, packet)
        _renumber(packet)
        link.offset = account.state.offset
        return _fill(account, packet, place) if place <= account.state.last else _append(account, packet, place)
    place = number + link.offset
    account.found_packet("conflict", packet, place, reason=reason)
    account.release(packet.arrival, place, "conflict")
    if not packet.again:
        link.retract(number)
    return None


def _restart(account: Account, packet: Packet) -> int:
    """The vendor's numbers restarted and nothing tells where: they go on behind the last (R7)."""
    state, number = account.state, packet.arrival.number
    place = state.last + 1
    state.scope = "unknown"
    account.found_packet("restarted", packet, place, is_aligned=False)
    state.offset = packet.link.offset = place - number
    _renumber(packet)
    return _append(account, packet, place)
