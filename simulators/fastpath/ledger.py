"""The ledger: every message the simulator handed to a connection, one JSON object a line.

A line has these keys; those that do not apply are left out::

    kind        published | skipped | restarted   about the list of a feed, whoever listens
                connect | refused | frame | lost | disconnect   about one connection
    feed        feed path; a media path has the list of its betting path, and the multiplexer that of its catch-up
    at_ns       when, UTC nanoseconds since 1970; of a delayed frame when it was really handed over
    index       published, frame, lost: place of the event packet in the feed's list, from 0; identifies it
    number      published: the fixture's number; frame, lost: as sent on this connection (the account's
                number is not this one where connections count for themselves); skipped: the first
    last        skipped: the last number that no packet will ever have
    connection  the simulator's own name of the connection, unique in the file
    peer        connect, refused: address and port of the client
    position    connect: the startPosition asked for
    n           frame: its number on the connection, from 1, counting every message (answers, heartbeats,
                status packets too); disconnect: number of the last
    sort        frame, lost: event | status | heartbeat | answer | other
    packet      frame, lost, refused (of a refusal that is said in words): exact text; what is no text has ``base64``
                instead
    fault       frame, lost: what makes it other than the vendor would send it, commas between: duplicate,
                swapped, junk, …; of a lost one why it was kept back: hole, stalled, …
    reason      refused, disconnect: in words

A lost line is a message that was kept from one connection on purpose; it has no ``n``, for its client never saw it.
A frame is written down when it is handed to the connection. One that was cut before its last messages left (see the
reason) has frames here that nobody received: they follow the last one received, and lie in the connector's gap.
"""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, Self

import msgspec

from simulators.ledger import read_lines

Kind = Literal["published", "skipped", "restarted", "connect", "refused", "frame", "lost", "disconnect"]
Sort = Literal["event", "status", "heartbeat", "answer", "other"]


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the ledger; the module's text says what its fields mean."""

    kind: Kind
    feed: str
    at_ns: int
    connection: str | None = None
    peer: str | None = None
    position: int | None = None
    n: int | None = None
    sort: Sort | None = None
    index: int | None = None
    number: int | None = None
    last: int | None = None
    packet: str | None = None
    base64: str | None = None
    fault: str | None = None
    reason: str | None = None

    @property
    def payload(self) -> bytes:
        """The message as sent."""
        if self.base64 is not None:
            return base64.b64decode(self.base64)
        return (self.packet or "").encode()

    def holding(self, payload: bytes) -> Self:
        """Return the line with ``payload`` as its message."""
        try:
            return msgspec.structs.replace(self, packet=payload.decode(), base64=None)
        except UnicodeDecodeError:
            return msgspec.structs.replace(self, packet=None, base64=base64.b64encode(payload).decode())


def read_ledger(path: Path) -> Iterator[Line]:
    """Yield the lines of a ledger; a last line cut short by a killed simulator is left out."""
    return read_lines(path, Line)
