"""What malformed and odd frames look like; ``delivery`` says when they come."""

from collections.abc import Callable
from typing import Final

from simulators.fastpath.channel import EventPacket

JUNK: Final[tuple[bytes, ...]] = (
    b'{"traceId":"0f1e2d3c4b5a69788796a5b4c3d2e1f0","fixtureAction":{"fixtureSeqNum":4',  # cut short
    b"upstream connect error or disconnect/reset before headers",
    b"",
    b"null",
    b"[]",
    b'[{"seqNum":4}]',
    b"{}",
    b'{"fixtureAction":null,"fixtureSummary":{}}',
    b'{"fixtureAction":{"fixtureSeqNum":NaN}}',
    b'{"seqNum":4,"eventElementType":7}',
    b'{"message":"Maintenance at noon","level":7}',
    b'{"eventElementType":"ConnectionStateChanged"}',  # no state, no timestamp
    b'"\xff\xfe"',  # no UTF-8
    b"[" * 2_000,  # deeper than a parser goes
)
"""Malformed frames, sent by turns; what holds a number names none of any fixture."""

ODD_NUMBERS: Final[tuple[Callable[[int], bytes], ...]] = (
    lambda number: b'"%d"' % number,
    lambda number: b"%d.0" % number,
    lambda number: b"%d.5" % number,
    lambda number: b"-%d" % (number + 1),
    lambda _: b"true",
    lambda _: b"null",
    lambda _: b"%d" % (1 << 63),
    lambda number: b'"%d th"' % number,
    lambda number: b'{"value":%d}' % number,
)
"""How a number is written that is none, by turns; the first two are to be read as what they mean."""


def odd(packet: EventPacket, number: int, turn: int) -> bytes:
    """Return ``packet`` with its number written in the ``turn``-th odd way."""
    return packet.before + ODD_NUMBERS[turn % len(ODD_NUMBERS)](number) + packet.after


def conflicting(packet: EventPacket, number: int) -> bytes:
    """Return ``packet`` with a member more beside its number: the same action in another body."""
    key = packet.before.rindex(b'"', 0, packet.before.rindex(b'"'))
    return b'%b"simulatedRevision":1,%b%d%b' % (packet.before[:key], packet.before[key:], number, packet.after)


def oversized(size: int) -> bytes:
    """Return a JSON object of ``size`` bytes, or a little more, that tells nothing."""
    return b'{"padding":"%b"}' % (b"x" * (size - len(b'{"padding":""}')))
