"""What is kept of a connector line: what it said of itself, when it was heard, what is odd about it."""

from dataclasses import dataclass
from typing import Final, get_args

import msgspec

from processors.core.kambi.channels import Side
from processors.core.kambi.shards import Share
from schemas.kambi.health import Doubt

DOUBTS: Final[tuple[Doubt, ...]] = get_args(Doubt)
"""Of several the first is told."""
SIDE_DOUBTS: Final[dict[Side, Doubt]] = {"language": "language-silent", "neutral": "neutral-silent"}
GENERAL: Final = -1
"""Stands for the general pair where else an event id stands."""


class Entry(msgspec.Struct, array_like=True, gc=False):
    """What a line said of itself, and what is odd about it.

    Attributes:
        connection: UUID of its newest connection.
        is_open: That connection is open, and heard of.
        is_lost: Not heard of for so long that it counts as down, although it never closed.
        delivered: A message came on that connection.
        keyed_s: Since when it holds keys, seconds of stream time; 0 = it holds none.
        pairs: Pairs of keys it holds → since when without a break; ``GENERAL`` among them.
        leaving: Pairs it gave up → when; see ``MOVE_OVERLAP_S``.
        doubts: What is odd → the pairs concerned; none = the whole line.
    """

    connection: str
    is_open: bool = True
    is_lost: bool = False
    delivered: bool = False
    keyed_s: int = 0
    pairs: dict[int, int] = {}
    leaving: dict[int, int] = {}
    doubts: dict[Doubt, list[int]] = {}


class Pulse(msgspec.Struct, array_like=True, gc=False):
    """When a line was heard.

    Attributes:
        heard_s: Its last record of any kind, seconds of stream time.
        beat: ``TaskPulse.beats`` at that time.
        message_s: Its last message, seconds of stream time; 0 = none yet.
    """

    heard_s: int = 0
    beat: int = 0
    message_s: int = 0


class Counts(msgspec.Struct, array_like=True, gc=False):
    """What is counted of a line until it is decided.

    Attributes:
        sides: Pair → start of its window (seconds), messages on the language side, on the neutral side.
        copies_s: Start of the window of copies, seconds; 0 = none.
        copies_met: Facts of the general keys whose copy came on the event keys.
        copies_unmet: Likewise, whose copy did not come.
    """

    sides: dict[int, tuple[int, int, int]] = {}
    copies_s: int = 0
    copies_met: int = 0
    copies_unmet: int = 0


class TaskPulse(msgspec.Struct, array_like=True, gc=False):
    """How the task's time went on.

    Attributes:
        beats: Seconds of stream time in which a tick came; unlike seconds, a jump of the time counts once.
        beat_s: The last of them.
        life_s: When a snapshot last showed a change that push should have brought.
    """

    beats: int = 0
    beat_s: int = 0
    life_s: int = 0


@dataclass(slots=True)
class Line:
    """One line as the store has it.

    ``settled`` are the pairs and events of which a message can change nothing, as long as ``settled_in`` and ``share``
    hold.
    """

    name: str
    entry: Entry
    pulse: Pulse
    counts: Counts
    settled: set[int]
    settled_in: tuple[int, int] = (-1, -1)
    share: Share | None = None

    @property
    def doubt(self) -> Doubt | None:
        """What is odd about the line; of several, what weighs most."""
        doubts = self.entry.doubts
        return next((doubt for doubt in DOUBTS if doubt in doubts), None) if doubts else None

    def doubt_of(self, pair: int) -> Doubt | None:
        """Return what is odd about the line as far as ``pair`` goes."""
        doubts = self.entry.doubts
        if doubts:
            for doubt in DOUBTS:
                pairs = doubts.get(doubt)
                if pairs is not None and (not pairs or pair in pairs):
                    return doubt
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """What open lines carry of an event.

    Attributes:
        general: One holds the general pair.
        own: One holds the event's own pair.
        doubt: What is odd about every line that holds one of these; ``None`` if each has a sound one.
    """

    general: bool
    own: bool
    doubt: Doubt | None
