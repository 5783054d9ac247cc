"""The ledger: every frame, request, bet and decision, one JSON object a line.

A line has these keys; those that do not apply are left out::

    kind        http | connect | refused | join | frame | lost | disconnect | bet | decision | fault
    at_ns       when, UTC nanoseconds since 1970; http, connect, refused: when the request came
    ip          http, connect, refused: address that limits are about
    method, path, status   http: of the request and its answer (101 for an upgrade, 0 when there was none)
    used        http: requests of this address in the limit's window, with this one, 0 if the limit is not about it;
                connect, refused: likewise handshakes. A refused try is in it if it counts for the limit
    connection  the simulator's own name of the connection, unique in the file; also the Socket.IO session id,
                inside its first frame ``0{"sid":"…"}``
    customer    connect, refused: header ``customerid``; bet, decision: customer
    n           frame: its number on the connection, from 1, counting every Engine.IO message (connect packet,
                acknowledgements, errors too, pings not); disconnect: number of the last
    packet      frame, lost: exact Socket.IO packet text, without the Engine.IO "4" in front
    decision    decision: its number, from 1; frame, lost: the decision that it tells
    fault       frame, lost: what makes it other than the vendor would send it: duplicate, unknown-event, junk; of a
                lost one why nobody got it: no-socket (nobody was in the room who hears), half-open, or the end of its
                connection; join: unheard, hollow; fault: what was done, to whom in ``reason``
    bet, slip, platform   bet, decision: bet code, slip id where there is one, platform
    disposition bet: accepted | rejected | referred
    outcome     decision: accept | reject | ignore; an ignored bet has one such line, and no packet
    stands      decision: the outcome that stands for the bet: its first accept or reject, else ignore
    turn        decision: the how-manieth of its bet, from 1
    reached     decision: how many connections it was handed to; 0 is lost for everybody
    reason      refused, disconnect: in words; join: acknowledged or not

A lost line with a connection is a packet that was kept from this one; without, from everybody. A frame is written
down when it is handed to the connection. One that was cut before its last packets left (see the reason) has frames
here that nobody received: they follow the last one received, and lie in the connector's gap. Tokens and secrets are
never in here.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from simulators.ledger import read_lines

Kind = Literal["http", "connect", "refused", "join", "frame", "lost", "disconnect", "bet", "decision", "fault"]


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the ledger; the module's text says what its fields mean."""

    kind: Kind
    at_ns: int
    ip: str | None = None
    method: str | None = None
    path: str | None = None
    status: int | None = None
    used: int | None = None
    connection: str | None = None
    customer: str | None = None
    platform: int | None = None
    n: int | None = None
    packet: str | None = None
    decision: int | None = None
    fault: str | None = None
    bet: str | None = None
    slip: str | None = None
    disposition: str | None = None
    outcome: str | None = None
    stands: str | None = None
    turn: int | None = None
    reached: int | None = None
    reason: str | None = None


def read_ledger(path: Path) -> Iterator[Line]:
    """Yield the lines of a ledger; a last line cut short by a killed simulator is left out."""
    return read_lines(path, Line)
