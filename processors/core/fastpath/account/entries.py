"""What the store keeps of the accounts, and under which keys.

The first byte of a key tells the account's entries from others', the second tells what it is:

- ``ah`` names of an account, ``as`` its state, ``ag`` its gaps, ``ap`` what it holds back, ``af`` a feed's connections;
- ``n`` key and body of one number; by far the most, so they stand apart and are never walked.
"""

from hashlib import blake2b
from typing import Final, Literal

import msgspec

from processors.core.fastpath.account.arrival import Kind
from processors.core.fastpath.account.effects import Scope
from processors.core.fastpath.account.ranges import Range, contains, remove

ACCOUNTS: Final = b"a"
HEAD: Final = b"ah"
STATE: Final = b"as"
GAP: Final = b"ag"
HELD: Final = b"ap"
FEED: Final = b"af"
KNOWN: Final = b"n"

MAX_SKIPPED: Final = 64
"""Ranges one connection skipped that are kept, and numbers it used for something else; of lower ones it counts as
having delivered all. Only whether a repeat is the connection's own or a copy depends on it."""

GapState = Literal["waiting", "given-up", "asked", "told", "silent"]
"""``given-up`` lasts no longer than the record that gives up. ``told``: nothing more is done for it. ``silent``: below
the baseline, nothing was ever said of it."""


class Head(msgspec.Struct, array_like=True, gc=False):
    """Names of an account; written once."""

    feed: str
    fixture_id: str
    kind: Kind


class Link(msgspec.Struct, array_like=True):
    """What one connection delivered to an account.

    Attributes:
        ordinal: Of the connection; see ``Connection``.
        offset: Account number less own number.
        first: Lowest own number delivered.
        last: Greatest; ``first - 1`` = nothing delivered yet.
        frame: ``tc-frame`` of the newest packet.
        events: Distinct own numbers delivered, over restarts.
        run: Conflicts in a row whose own numbers rise by one.
        conflict: Own number of the last of them.
        skipped: Own numbers between ``first`` and ``last`` that it did not send.
        other: Own numbers that it used for another packet than the account's.
    """

    ordinal: int
    offset: int
    first: int
    last: int
    frame: int = 0
    events: int = 0
    run: int = 0
    conflict: int = 0
    skipped: list[Range] = []
    other: list[int] = []

    def has(self, number: int) -> bool:
        """Tell whether the connection delivered the account's packet under ``number``."""
        return self.has_sent(number) and number not in self.other

    def has_sent(self, number: int) -> bool:
        """Tell whether the connection sent anything under ``number``."""
        return self.first <= number <= self.last and not (self.skipped and contains(self.skipped, number))

    def note(self, number: int) -> None:
        """The connection sent ``number``."""
        if number in self.other:
            self.other.remove(number)
        if self.has_sent(number):
            return
        self.events += 1
        if number == self.last + 1:
            self.last = number
        elif number > self.last:
            self.skipped.append((self.last + 1, number - 1))
            self.last = number
        elif number < self.first:
            if number + 1 < self.first:
                self.skipped.insert(0, (number + 1, self.first - 1))
            self.first = number
        else:
            remove(self.skipped, number)
        if len(self.skipped) > MAX_SKIPPED:
            del self.skipped[0]

    def retract(self, number: int) -> None:
        """What came as ``number`` was something else: the connection did not deliver the account's packet."""
        self.other.append(number)
        del self.other[:-MAX_SKIPPED]

    def renumber(self, number: int) -> None:
        """The connection's numbers restarted with ``number``."""
        self.first = self.last = number
        self.skipped.clear()
        self.other.clear()
        self.run = 0


class State(msgspec.Struct, array_like=True):
    """Where an account stands.

    Attributes:
        low: Lowest account number.
        last: Greatest.
        heard_s: Stream time of the newest packet, seconds.
        offset: For further connections.
        scope: What the vendor's numbers count by.
        finished: A packet said that the fixture is over.
        commands: Stream times of the repairs asked for, ns; oldest first.
        links: What its connections delivered.
        floor: Numbers below it are forgotten, since the fixture was over; ``None``: not over for long enough.
        reading: How far from position and own number together the newest connection stood that was found by content.
    """

    low: int
    last: int
    heard_s: int
    offset: int = 0
    scope: Scope = "unknown"
    finished: bool = False
    commands: list[int] = []
    links: list[Link] = []
    floor: int | None = None
    reading: int = 0


class Gap(msgspec.Struct, array_like=True):
    """Numbers that were skipped.

    Attributes:
        first: Lowest number skipped.
        last: Highest.
        since_ns: Stream time of the packet that showed it.
        line: Line of that packet.
        connection: Its connection.
        ordinal: Ordinal of that.
        born: Connections with this ordinal or a later one opened after the gap was seen.
        position: Position that would replay it, for feeds that count events.
        frames: ``tc-frame`` of the packets around it on its connection.
        missing: What is missing still.
        state: How far it is.
        given_up: What was missing when it was given up.
        ours: Our own frames were lost between the packets around it.
        foreign: Line of the newest filler by another connection; empty = none.
        renewed: One of them came by a connection opened after the gap was seen.
        attempt: Repairs asked for.
        asked_ns: Stream time of the newest.
        asked_ordinal: Connections with this ordinal or a later one opened after it.
        asked_position: Position it asked for.
        asked_line: Line it asked.
        received_ns: ``tc-received-ns`` of the packet that showed it.
    """

    first: int
    last: int
    since_ns: int
    line: str
    connection: str
    ordinal: int
    born: int
    position: int
    frames: Range
    missing: list[Range]
    state: GapState = "waiting"
    given_up: list[Range] = []
    ours: bool = False
    foreign: str = ""
    renewed: bool = False
    attempt: int = 0
    asked_ns: int = 0
    asked_ordinal: int = 0
    asked_position: int = 0
    asked_line: str = ""
    received_ns: int = 0


class Held(msgspec.Struct, array_like=True, gc=False):
    """A packet that waits for what is missing before it.

    Attributes:
        number: As sent.
        arrived_ns: Stream time of its arrival.
        payload: Whoever handed it in knows.
    """

    number: int
    arrived_ns: int
    payload: bytes


class Connection(msgspec.Struct, array_like=True):
    """A connection of a feed.

    Attributes:
        ordinal: Connections of a feed are counted in the order in which they are first heard of.
        line: Its line.
        connection: Its UUID.
        position: ``startPosition`` it asked for.
        is_open: It was not closed yet, as far as is known.
        lost: Frames that never reached us.
    """

    ordinal: int
    line: str
    connection: str
    position: int | None = None
    is_open: bool = True
    lost: list[Range] = []


class ConnectionsEntry(msgspec.Struct, array_like=True):
    """The connections of a feed.

    Attributes:
        path: Of the feed.
        heard_s: When the newest connection opened or closed, stream time in seconds.
        following: Ordinal of the next connection.
        connections: By ordinal.
    """

    path: str
    heard_s: int
    following: int = 0
    connections: list[Connection] = []


encode = msgspec.msgpack.Encoder().encode
decode_head = msgspec.msgpack.Decoder(Head).decode
decode_state = msgspec.msgpack.Decoder(State).decode
decode_gap = msgspec.msgpack.Decoder(Gap).decode
decode_held = msgspec.msgpack.Decoder(Held).decode
decode_feed = msgspec.msgpack.Decoder(ConnectionsEntry).decode

ID_BYTES: Final = 16


def account_id(feed: str, fixture_id: str, kind: Kind) -> bytes:
    """Return what stands for an account in keys; short, because every number has one."""
    name = "\0".join((kind, feed, fixture_id))
    return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=ID_BYTES).digest()


def feed_key(path: str) -> bytes:
    """Return the store key of a feed's connections."""
    return FEED + blake2b(path.encode("utf-8", "surrogatepass"), digest_size=ID_BYTES).digest()


def number_key(prefix: bytes, number: int) -> bytes:
    """Return the key of ``number`` under ``prefix``, which ends with an account's id."""
    return prefix + number.to_bytes(8, "big")
