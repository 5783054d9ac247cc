"""What is known of lines and customers, as the store has it."""

from typing import Final

import msgspec

from processors.core.rms.approvals.coverage import Run

OLDER_CONNECTIONS: Final = 8
"""Connections of a line whose late records are known for what they are."""


class Line(msgspec.Struct, array_like=True, gc=False):
    """A line of a socket.

    Attributes:
        customer: Customer id.
        connection: UUID of its newest connection.
        is_open: That connection is open.
        joined: And it is in the room.
        since_ns: Since when it covers without a hole, UTC ns; ``None``: it does not.
        until_ns: Until when it does, or did; then the next joining ends a gap. ``None``: it never did.
        cause: Why it is not open, if it is not.
        is_lost: It is not open for nothing came of it any more; it goes on where it stood when something does.
        is_unheard: Nothing came over its connection for long, not even a ping.
        record_s: Stream time of its last record, seconds.
        beat: ``Task.beats`` at that time.
        told: State, reason and joined as told last.
        state_ns: Since when, UTC ns.
        told_s: Stream time when its health was told last, seconds; 0: its numbers are wanted at once.
        older: Connections before, oldest first.
    """

    customer: str
    connection: str
    is_open: bool = False
    joined: bool = False
    since_ns: int | None = None
    until_ns: int | None = None
    cause: str = ""
    is_lost: bool = False
    is_unheard: bool = False
    record_s: int = 0
    beat: int = 0
    told: tuple[str, str, bool] = ("", "", False)
    state_ns: int = 0
    told_s: int = 0
    older: list[str] = []


class Customer(msgspec.Struct, array_like=True, gc=False):
    """A customer.

    Attributes:
        now_ns: Greatest time of receipt of its records, UTC ns.
        by_code: How many of its approvals named a code alone.
        run: What was told of its coverage last; ``None``: no socket covers it.
    """

    now_ns: int = 0
    by_code: int = 0
    run: Run | None = None


class Task(msgspec.Struct, array_like=True, gc=False):
    """How the task's time went on.

    Attributes:
        beats: Seconds of stream time in which a record came; unlike seconds, a jump of the time counts once.
        beat_s: The last of them.
    """

    beats: int = 0
    beat_s: int = 0
