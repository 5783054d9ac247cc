"""Messages of ``rms.pending``, from routers to join and from the join to itself. Internal: no consumer reads them.

Each is one JSON object with a ``type``. The key says which task of the join gets it: ``slip_key`` or ``code_key``, or
one of the keys that reach each partition once (``processors/core/rms/everywhere.py``).
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from schemas.rms.fields import BetCode, BetSlipId, Context, Disposition, Evidence, PlatformId, Said, ShortCode

# What is read here is written into records with the same bounds, and into a store that holds 64-bit integers.
_Time = Annotated[int, Meta(ge=0, le=2**63 - 1)]
_Int64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]


class Message(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """One message; ``customer`` is on each."""

    customer: str


class Placed(Message, tag="placed", frozen=True, kw_only=True):
    """A bet was placed. To the slip's task."""

    slip: BetSlipId
    context: Context
    stake: str
    odds: tuple[str, ...] = ()
    """Of its selections, in order."""
    platform: PlatformId | None = None
    placed_ns: _Time
    logged_ns: _Time
    """Kafka timestamp of the record in ``rms.bets``."""
    content: str
    """Hash of what was placed: equal repeats are no conflict."""
    position: str
    replay: str | None = None
    """Of one that is replayed: position of the request. The slip's task takes it only if it adds something."""


class Answered(Message, tag="answered", frozen=True, kw_only=True):
    """place-bet answered. To the slip's task."""

    slip: BetSlipId
    disposition: Disposition
    code: BetCode | None = None
    short_code: ShortCode | None = None
    answered_ns: _Time
    logged_ns: _Time
    position: str
    replay: str | None = None
    """See ``Placed``."""


class Alias(Message, tag="alias", frozen=True, kw_only=True):
    """A bet code and the slip it belongs to. To the code's task."""

    code: BetCode
    slip: BetSlipId
    position: str


class Evident(Message, tag="evident", frozen=True, kw_only=True):
    """The vendor said something about a bet. To the slip's task; without ``slip`` to the code's, which sends it on."""

    slip: BetSlipId | None = None
    code: BetCode | None = None
    evidence: Evidence
    said: Said | None = None
    """``None``: looked up, and nobody has decided; or not found (``status``)."""
    status: _Int64 = 200
    """HTTP status of a look-up."""
    raw: tuple[_Int64, _Int64, _Int64]
    """Partition, offset and index in ``rms.raw``: the order that counts."""
    received_ns: _Time
    requested_ns: _Time | None = None
    """Of a look-up: the answer says nothing about what came after this."""
    decided_ns: _Time | None = None
    reason: str | None = None
    stake: str | None = None
    odds: str | None = None
    ordinal: _Int64 = 0
    """Of an approval by code alone: its number among those of the customer, from 1; else 0."""
    by_code_before: _Int64 = 0
    """How many approvals by code alone the customer had before this one in ``rms.raw``."""
    was_orphan: bool = False
    after_ns: _Time | None = None
    """Of an approval: the vendor sent it after this; ``None``: not known to be earlier than ``received_ns``."""


class Known(Message, tag="known", frozen=True, kw_only=True):
    """The code's task knows the slip now; what it had for it came before this. To the slip's task."""

    slip: BetSlipId
    code: BetCode


class Passed(Message, tag="passed", frozen=True, kw_only=True):
    """An approval by code alone went through its code's task. To every task, after what that task sent on for it."""

    ordinal: _Int64


class Time(Message, tag="time", frozen=True, kw_only=True):
    """Time of the customer's feed, and how far nothing can have been missed. To every task.

    ``since_ns`` to ``proven_ns`` was covered by a joined socket without a hole; both ``None`` when none is joined.
    """

    now_ns: _Time
    since_ns: _Time | None = None
    proven_ns: _Time | None = None
    by_code: _Int64 = 0
    """How many approvals by code alone the customer had so far."""


AnyMessage = Placed | Answered | Alias | Evident | Known | Passed | Time

_ENCODER = msgspec.json.Encoder()
_DECODER: msgspec.json.Decoder[Any] = msgspec.json.Decoder(AnyMessage)


def encode(message: AnyMessage) -> bytes:
    """Return ``message`` as JSON."""
    return _ENCODER.encode(message)


def decode(value: bytes) -> AnyMessage:
    """Return the message in ``value``.

    Raises:
        msgspec.DecodeError: It is none.
    """
    try:
        message: AnyMessage = _DECODER.decode(value)
    except (UnicodeDecodeError, RecursionError) as error:  # msgspec lets these two through
        raise msgspec.DecodeError(str(error)) from error
    return message


def slip_key(customer: str, slip: str) -> bytes:
    """Return the key of a bet slip: in ``rms.bets``, ``rms.decisions``, and of the slip's task."""
    return f"{customer}/{slip}".encode()


def code_key(customer: str, code: str) -> bytes:
    """Return the key of a bet code, for approvals that know no slip, and of the code's task."""
    return f"{customer}/code:{code}".encode()
