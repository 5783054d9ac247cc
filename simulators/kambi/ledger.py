"""The ledger: every packet the simulator handed to a connection, and the facts in it, one JSON object a line.

A line has these keys; those that do not apply are left out::

    kind      connect | subscribe | unsubscribe | frame | lost | disconnect
    sid       Socket.IO session id of the connection; also inside its first frame, ``0{"sid":"…"}``
    sent_ns   when, UTC nanoseconds since 1970; of a delayed frame when it was really handed over
    n         frame: its number on the connection, from 1, counting every Engine.IO message (connect packet,
              acknowledgements, errors too); disconnect: number of the last frame
    packet    frame, lost: exact Socket.IO packet text, without the Engine.IO "4" in front
    key       frame, lost: routing key it was published to; subscribe, unsubscribe: the key asked for
    facts     frame, lost: what its children say, see ``Fact``
    fault     frame, lost: what makes it other than the vendor would send it, commas between: odd-time,
              contradiction, bare-object, unknown-mt, duplicate, junk; delayed, reordered; of a lost one stalled,
              never-delivers, dropped, or delayed when its connection ended first
    refused   subscribe: true when it was answered with a 429 object
    reason    disconnect: in words

A lost line is a frame that was kept from one connection on purpose; it has no number, for its client never saw it.
A frame is written down when it is handed to the connection. One that was cut before its last packets left (see the
reason) has frames here that nobody received: they follow the last one received, and lie in the connector's gap.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from simulators.ledger import read_lines

Kind = Literal["connect", "subscribe", "unsubscribe", "frame", "lost", "disconnect"]


class Fact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one child of a frame says about one entity.

    Attributes:
        child: Index in the frame's array.
        change: Number of the change in this run of the simulator; its copies on other channels have the same.
        mt: Message type.
        t: The vendor's time, epoch milliseconds; the same on all copies but for the fault ``copy_skew_ms``; when
            none was sent, the one it would have had.
        event: Event id.
        offer: Bet offer id, where there is one.
        outcome: Outcome id, where there is one.
        own: Id of a ticker line, occurrence or visualization (mt 19, 25, 27); occurrence type (mt 28).
        visible: False where a bet offer is hidden (mt 8).
        value: By message type; absent where there is nothing to say (7, 12, 18, 19, 27)::

            4, 34          state
            5              state, then one fact per outcome of the main bet offer with its odds
            6, 11, 22, 23  odds in thousandths, -1 at the starting price, absent when left out (always in 23);
                           a bet offer without outcomes (6) is one fact with the bet offer id alone
            8              suspended
            15, 16, 17     version of the clock, score or statistics: unique within the event
            20             description
            24, 32         status
            25             action
            28             the count or percentage
    """

    child: int
    change: int
    mt: int
    t: int
    event: int
    offer: int | None = None
    outcome: int | None = None
    own: str | None = None
    visible: bool = True
    value: int | bool | str | None = None


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the ledger; the module's text says what its fields mean."""

    kind: Kind
    sid: str
    sent_ns: int
    n: int | None = None
    packet: str | None = None
    key: str | None = None
    facts: tuple[Fact, ...] = ()
    fault: str | None = None
    refused: bool = False
    reason: str | None = None


def read_ledger(path: Path) -> Iterator[Line]:
    """Yield the lines of a ledger; a last line cut short by a killed simulator is left out."""
    return read_lines(path, Line)


def at_child(facts: Sequence[Fact], child: int) -> tuple[Fact, ...]:
    """Return the facts as those of the ``child``-th message of a frame."""
    return tuple(msgspec.structs.replace(fact, child=child) for fact in facts)
