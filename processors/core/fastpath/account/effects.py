"""What comes out of an account: packets released, findings, repairs asked for, what health must know, counts.

Effects are told in the order in which they are to be written.
"""

from typing import Literal

import msgspec

from processors.core.fastpath.account.arrival import Kind
from processors.core.fastpath.account.ranges import Range
from schemas.fastpath.fields import Why
from schemas.fastpath.sequence import FindingKind

Scope = Literal["unknown", "fixture", "connection"]
ConflictReason = Literal["other-action", "body-differs", "implausible-jump"]
UnrepairedReason = Literal["not-in-replay", "timeout", "budget", "no-replay", "forgotten"]
Repair = Literal["asked", "none"]


class Release(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A packet goes out now.

    Attributes:
        feed: Path of the feed.
        fixture_id: Its fixture.
        payload: As handed in with its arrival, perhaps some records ago.
        sequence: Account number.
        vendor_sequence: As sent on its connection.
        why: What let it go.
        after_ms: Stream time between its arrival and now.
        late: A number that was given up, by the connection that skipped it.
        repaired: A number that was given up or never awaited, by another connection.
        conflict: The number is known with other content, or cannot be.
    """

    feed: str
    fixture_id: str
    payload: bytes
    sequence: int
    vendor_sequence: int
    why: Why
    after_ms: int = 0
    late: bool = False
    repaired: bool = False
    conflict: bool = False


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """Something about the sequence that is to be on record. Fields that say nothing for a kind are ``None``.

    Attributes:
        kind: What was found.
        feed: Path of the feed.
        fixture_id: Fixture of the account.
        series: Of which packets.
        line: Line of the packet that showed it; of a gap, the line that showed the gap.
        connection: Likewise.
        first: Lowest account number concerned; baseline: the packet's own.
        last: Highest.
        scope: What the vendor's numbers were found to count by, as known now.
        missing: gap_suspected, not_repairable: what is missing still; gap_closed, gap_repaired, reordered: what
            came after all.
        vendor_sequence: As sent: baseline, duplicate, conflict, restarted.
        position: Position the connection asked for: baseline, restarted.
        ours: gap_suspected: our own frames were lost there.
        repair: gap_suspected: whether a repair is asked for.
        reason: Of conflict and not_repairable.
        by: gap_closed, gap_repaired: line that brought (the last of) what was missing.
        attempts: not_repairable: how many repairs were asked for.
        aligned: restarted: the new numbers were aligned with the old by content.
        old_last: restarted: greatest account number before.
        after_ms: Stream time since the gap was seen: gaps and reordered.
    """

    kind: FindingKind
    feed: str
    fixture_id: str
    series: Kind
    line: str
    connection: str
    first: int
    last: int
    scope: Scope
    missing: tuple[Range, ...] | None = None
    vendor_sequence: int | None = None
    position: int | None = None
    ours: bool | None = None
    repair: Repair | None = None
    reason: ConflictReason | UnrepairedReason | None = None
    by: str | None = None
    attempts: int | None = None
    aligned: bool | None = None
    old_last: int | None = None
    after_ms: int | None = None


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """Ask a line of the connector to read again from an earlier position.

    Attributes:
        feed: Path of the feed.
        fixture_id: Fixture of the account.
        line: Who shall reconnect.
        first: Lowest account number wanted.
        last: Highest.
        position: ``startPosition`` to reconnect with.
        attempt: 1 or 2.
    """

    feed: str
    fixture_id: str
    line: str
    first: int
    last: int
    position: int
    attempt: int


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How a feed stands, all its accounts together; told when it changes.

    Attributes:
        feed: Path of the feed.
        repairing: Gaps with a repair asked for.
    """

    feed: str
    repairing: int


class Counted(msgspec.Struct, frozen=True):
    """A packet that goes nowhere, by design: a copy, or one so old that only a copy of it is plausible."""

    what: Literal["copy", "forgotten"]


Effect = Release | Found | Ask | Standing | Counted
