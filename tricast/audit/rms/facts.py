"""What an audit of RMS knows of bets: facts taken from topics and from the simulator's ledger, each with its place."""

from typing import Literal

import msgspec
from msgspec import Struct

Place = tuple[int, int, int]
"""Partition, offset, and index in the record."""
Saying = Literal["accept", "reject"]


class Fact(Struct, frozen=True, kw_only=True, tag=True, omit_defaults=True):
    """Something about one bet."""

    is_settled: bool = True
    """Whether it lies before what the processors had committed when the audit began: they have no excuse."""


class Placed(Fact, frozen=True, kw_only=True):
    """A bet was placed, says ``rms.bets``."""

    partition: int
    offset: int
    logged_ns: int
    placed_ns: int
    context: str
    stake: str
    odds: tuple[str, ...] | None
    """Of its selections; ``None`` where they are not what they should be."""
    platform: str | None
    content: str
    """All that makes two of them the same."""


class Answered(Fact, frozen=True, kw_only=True):
    """place-bet answered, says ``rms.bets``."""

    partition: int
    offset: int
    logged_ns: int
    answered_ns: int
    disposition: str
    code: str | None
    short_code: str | None


class Word(Fact, frozen=True, kw_only=True):
    """The vendor said something about a bet, says ``rms.raw``."""

    place: Place
    is_look_up: bool
    said: Saying | None
    """``None``: looked up, and nobody has decided, or no answer of use."""
    status: int = 200
    slip: str | None
    code: str | None
    received_ns: int
    after_ns: int | None = None
    """The vendor sent it after this; ``None``: as far as is known, when it was received."""
    proven_ns: int = 0
    """Until when it was proven that somebody had listened, before it came."""
    told_ns: int = 0
    """Greatest time of its customer's feed before it came: nothing that ends later had ended."""
    requested_ns: int | None = None
    decided_ns: int | None = None
    reason: str | None = None
    stake: str | None = None
    odds: str | None = None

    def may_be_by(self, at_ns: int) -> bool:
        """Return whether the vendor may have said it by then, however late it was read."""
        return self.received_ns <= at_ns or (self.after_ns is not None and self.after_ns <= at_ns)


class Told(Fact, frozen=True, kw_only=True):
    """A record of ``rms.decisions``."""

    position: str
    source: str
    """The place in ``rms.pending`` that its ``ce_id`` names, without index."""
    kind: str
    value: bytes


class Arrival(Fact, frozen=True, kw_only=True):
    """When, by its customer's time, a record of ``rms.bets`` reached the join; nothing while it had no time."""

    partition: int
    offset: int
    seen_ns: int | None


class Truth(Fact, frozen=True, kw_only=True):
    """What the simulator's trader said about a bet; ``ignore`` is in nobody's ears."""

    outcome: str
    at_ns: int
    sent_ns: int | None = None
    """When a socket was first handed it; ``None``: none was."""


class Replayed(Fact, frozen=True, kw_only=True):
    """Something about the bet came by a replay, long after its time; ``request`` asked for it."""

    request: str


AnyFact = Placed | Answered | Word | Told | Arrival | Truth | Replayed

_ENCODER = msgspec.msgpack.Encoder()
_DECODER: msgspec.msgpack.Decoder[AnyFact] = msgspec.msgpack.Decoder(AnyFact)


def pack(fact: AnyFact) -> bytes:
    """Return ``fact`` as bytes."""
    return _ENCODER.encode(fact)


def unpack(text: bytes) -> AnyFact:
    """Return the fact in ``text``."""
    return _DECODER.decode(text)
