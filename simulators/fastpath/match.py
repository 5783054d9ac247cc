"""What a match is to the rest: a plot that turns beats into packets in the making."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

Role = Literal["actions", "statistics", "leaderboard"]
Json = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Moment:
    """Now, as the match sees it; whoever drives the match changes it before each beat.

    Attributes:
        now_ns: Real time, UTC ns: what is stamped.
        share: How much of the match's time has passed; 1 and more: it has to end.
    """

    now_ns: int
    share: float = 0.0


@dataclass(slots=True, kw_only=True, eq=False)
class Note:
    """One packet in the making.

    Attributes:
        role: Which of the fixture's feeds it goes to.
        body: The packet; ``NUMBER`` stands where the sequence number belongs.
        sort_key: Family A: period and seconds elapsed in it, of which ``timelineSequence`` is made with the number.
        refers: An earlier note whose number the packet names, under ``refers_as``.
        number: Given when it comes into the feed's list.
    """

    role: Role
    body: Json
    sort_key: tuple[int, int] | None = None
    refers: "Note | None" = None
    refers_as: str = ""
    number: int | None = None


class Match(Protocol):
    """One match of any sport."""

    def play(self) -> Iterator[tuple[Note, ...]]:
        """Yield for each beat what is noted in it, one of the role ``actions`` first; end with the match."""
        ...

    def suspend(self) -> Note | None:
        """Return what tells that the scorer went offline; ``None`` where the sport has no such packet."""
        ...

    def resume(self, *, dropped: bool) -> Note | None:
        """Return what tells that the scorer is back, or that the collection was dropped for good."""
        ...


def stamp(ns: int, decimals: int = 3) -> str:
    """Return UTC ns as the vendor writes time: ISO 8601 with ``decimals`` and ``Z``."""
    seconds, rest = divmod(ns, 1_000_000_000)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{rest:09}"[: len(text) + 1 + decimals] + "Z" if decimals else f"{text}Z"
