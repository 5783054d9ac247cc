"""What the state store holds: one entry a bet slip, a bet code, and two a customer. Compact: there are many.

Store keys are a letter, the customer, and the name: ``s<customer>/<slip>``, ``c<customer>/<code>``, ``t<customer>``
(time and gaps), ``p<customer>`` (approvals by code that have passed).
"""

from typing import Final

import msgspec

from schemas.rms.fields import Disposition, Evidence, Outcome, Said
from schemas.rms.pending import Evident

SLIP: Final = b"s"
CODE: Final = b"c"
CLOCK: Final = b"t"
PASSAGE: Final = b"p"

Raw = tuple[int, int, int]
"""Partition, offset and index in ``rms.raw``."""


class Item(msgspec.Struct, array_like=True, gc=False):
    """One thing the vendor said about a bet: an approval, or what a look-up brought.

    Attributes:
        raw: The order that counts.
        evidence: What it is.
        said: Accept or reject.
        received_ns: When it reached us.
        before: Approvals by code alone that the customer had before it.
        code: Bet code that it names.
        decided_ns: By the vendor's clock.
        reason: The trader's.
        stake: That it names.
        odds: That it names.
        ordinal: Of an approval by code alone.
        is_orphan: It was told that its bet had not come.
        after_ns: It was sent after this; ``None``: when it was received.
    """

    raw: Raw
    evidence: Evidence
    said: Said
    received_ns: int
    before: int = 0
    code: str | None = None
    decided_ns: int | None = None
    reason: str | None = None
    stake: str | None = None
    odds: str | None = None
    ordinal: int = 0
    is_orphan: bool = False
    after_ns: int | None = None


class Placement(msgspec.Struct, array_like=True, gc=False):
    """What was placed."""

    context: str
    stake: str
    odds: tuple[str, ...]
    platform: str | None
    placed_ns: int
    content: str
    position: str


class Answer(msgspec.Struct, array_like=True, gc=False):
    """What place-bet answered. ``is_known``: the code's task has the slip, too."""

    disposition: Disposition
    code: str | None
    short_code: str | None
    answered_ns: int
    position: str
    is_known: bool = False


class Ended(msgspec.Struct, array_like=True, gc=False):
    """The outcome, and the evidence that later evidence is compared with: the winner, or the first late one."""

    outcome: Outcome
    said: Said | None = None
    raw: Raw | None = None


class Bet(msgspec.Struct, array_like=True):
    """A bet and how far it is.

    Attributes:
        start_ns: Kafka's time of its first record.
        window_ns: Fixed by that record, too.
        opened_ns: The customer's time when that record came here; 0: none yet.
        placement: ``None``: not seen.
        answer: ``None``: not seen.
        need: Approvals by code that had come when its window was first seen to have ended, then when that was proven.
        cleared_ns: Nobody had decided until then: a look-up said so.
        cleared_raw: That look-up.
        cleared_before: Approvals by code alone that the customer had before it.
        is_missing: A look-up after the window's end knew no such bet.
        has_errors: A look-up failed.
        asked_ns: When the window's end in doubt was asked about.
        contradicts: Told that approval and answer contradict each other.
        disagrees: Told that its ids disagree.
        final: ``None``: not decided.
        is_need_proven: No approval that was sent within the window can come behind ``need``.
    """

    start_ns: int
    window_ns: int
    opened_ns: int
    placement: Placement | None = None
    answer: Answer | None = None
    need: int | None = None
    cleared_ns: int | None = None
    cleared_raw: Raw | None = None
    cleared_before: int = 0
    is_missing: bool = False
    has_errors: bool = False
    asked_ns: int | None = None
    contradicts: bool = False
    disagrees: bool = False
    final: Ended | None = None
    is_need_proven: bool = False

    @property
    def deadline_ns(self) -> int:
        """End of its window."""
        return self.start_ns + self.window_ns

    @property
    def patience_ns(self) -> int:
        """Until then what belongs to it may be on its way: its window, counted from when it was first seen here."""
        return max(self.start_ns, self.opened_ns) + self.window_ns


class SlipEntry(msgspec.Struct, array_like=True):
    """A bet slip: its bet, if that has come, and the evidence for it by raw position.

    ``last_ns``: time of the newest record about it.
    """

    last_ns: int = 0
    items: list[Item] = []
    bet: Bet | None = None


class CodeEntry(msgspec.Struct, array_like=True):
    """A bet code: its slip, once that is known; until then the evidence that waits.

    Attributes:
        last_ns: Time of the newest record about it; 0: before the customer's time began.
        slip: The first that was named; it stands.
        position: Of the record that named it.
        others: Further slips that were told as conflicts.
        items: Parked evidence by raw position.
    """

    last_ns: int = 0
    slip: str | None = None
    position: str = ""
    others: list[str] = []
    items: list[Item] = []


class Clock(msgspec.Struct, array_like=True):
    """A customer's time, and where something may have been missed.

    Attributes:
        now_ns: Greatest time told; 0: none yet.
        since_ns: Begin of the present coverage; ``None``: no socket is joined.
        proven_ns: How far the newest coverage was proven.
        by_code: Approvals by code alone so far.
        down_ns: Begin of the gap that is open; 0 before the first coverage, ``None`` while covered.
        gaps: Closed gaps, oldest first.
    """

    now_ns: int = 0
    since_ns: int | None = None
    proven_ns: int = 0
    by_code: int = 0
    down_ns: int | None = 0
    gaps: list[tuple[int, int]] = []


class Passage(msgspec.Struct, array_like=True):
    """Approvals by code that went through their tasks.

    Attributes:
        mark: All up to this one.
        ahead: Further ones, as ranges in order.
        stuck_ns: Since when the first of ``ahead`` waits for what is missing before it.
        given_up_ns: When something was last given up that never came; 0: never.
    """

    mark: int = 0
    ahead: list[tuple[int, int]] = []
    stuck_ns: int = 0
    given_up_ns: int = 0


encode = msgspec.msgpack.Encoder().encode
decode_slip = msgspec.msgpack.Decoder(SlipEntry).decode
decode_code = msgspec.msgpack.Decoder(CodeEntry).decode
decode_clock = msgspec.msgpack.Decoder(Clock).decode
decode_passage = msgspec.msgpack.Decoder(Passage).decode


def key_of(kind: bytes, customer: str, name: str | None = None) -> bytes:
    """Return the store key of an entry."""
    return kind + (customer if name is None else f"{customer}/{name}").encode()


def item_of(message: Evident, said: Said) -> Item:
    """Return a message's evidence as it is kept."""
    return Item(
        message.raw,
        message.evidence,
        said,
        message.received_ns,
        message.by_code_before,
        message.code,
        message.decided_ns,
        message.reason,
        message.stake,
        message.odds,
        message.ordinal,
        message.was_orphan,
        message.after_ns,
    )


def message_of(item: Item, customer: str, slip: str, code: str) -> Evident:
    """Return kept evidence as the message that goes to the slip's task."""
    return Evident(
        customer=customer,
        slip=slip,
        code=code,
        evidence=item.evidence,
        said=item.said,
        raw=item.raw,
        received_ns=item.received_ns,
        decided_ns=item.decided_ns,
        reason=item.reason,
        stake=item.stake,
        odds=item.odds,
        ordinal=item.ordinal,
        by_code_before=item.before,
        was_orphan=item.is_orphan,
        after_ns=item.after_ns,
    )
