"""What goes into an account: one numbered packet, and the bounds it is judged by."""

from collections.abc import Callable
from typing import Final, Literal

import msgspec

Kind = Literal["actions", "statistics"]

REMEMBERED: Final = 10_000
"""Numbers of one account whose content is known, newest first; what is older is forgotten. No match comes near it."""
HELD_BYTES: Final = 8 * 1024 * 1024
"""Payload one account may hold back; more counts as overfull."""


class Arrival(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One numbered packet as it came over one connection.

    Attributes:
        kind: What the packet is. Statistics have a series of their own, also where they come on an actions URL.
        line: ``tc-line``.
        connection: ``tc-connection``.
        frame: ``tc-frame``.
        position: The ``startPosition`` the connection asked for; ``None`` = none was sent.
        number: As sent, 0 to 2^63 - 1.
        key: Hash of what names the packet, 8 bytes: equal for the same packet on every connection.
        body: Hash of what it says, 8 bytes.
        received_ns: ``tc-received-ns``.
        payload: Makes what comes back in ``Release``, perhaps after a restart; opaque to the account, which wants it
            once, and only of a packet that goes out, now or later.
        finished: The packet says that the fixture is over.
        is_named: ``key`` says which packet it is. Without an action id or a timestamp packets of equal content may be
            different ones (golf ``ModeChange``), so they are taken by their numbers alone.
    """

    kind: Kind
    line: str
    connection: str
    frame: int
    position: int | None
    number: int
    key: bytes
    body: bytes
    received_ns: int
    payload: Callable[[], bytes]
    finished: bool = False
    is_named: bool = True


class AccountSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of hold-back, repair and memory.

    Attributes:
        hold_ms: How long a missing number may hold back what is behind it, ms of stream time.
        hold_count: How many packets of one account may be held back.
        repairs_per_fixture: Repair commands of one account in ``repair_window_s``.
        repair_window_s: See there, seconds of stream time.
        repair_timeout_s: How long one repair may take, seconds of stream time.
        remembered: See ``REMEMBERED``.
        held_bytes: See ``HELD_BYTES``.
    """

    hold_ms: int = 2_000
    hold_count: int = 64
    repairs_per_fixture: int = 4
    repair_window_s: int = 600
    repair_timeout_s: int = 30
    remembered: int = REMEMBERED
    held_bytes: int = HELD_BYTES
