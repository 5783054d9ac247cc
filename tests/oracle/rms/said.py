"""What a task of the join is to write, record by record; nothing of how it is encoded."""

from dataclasses import dataclass
from typing import Final, NamedTuple

SECOND_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Rules:
    """Settings of the join, seconds; and how many look-ups there are at the end of a gap."""

    prematch_s: int = 600
    live_s: int = 120
    orphan_s: int = 600
    verify_s: int = 900
    unanswered_s: int = 3600
    remember_s: int = 21_600
    look_ups: int = 50


class Told(NamedTuple):
    """A record that goes out, or something that is counted or dead-lettered (no key then).

    Attributes:
        kind: ``decision``, ``late``, ``conflict``, ``orphan``, ``lookup``, ``pending``, ``count``, ``dead``.
        facts: What it says by name, sorted.
    """

    kind: str
    key: str
    facts: tuple[tuple[str, object], ...]

    def fact(self, name: str) -> object:
        """Return one of the facts, ``None`` if it is not there."""
        return dict(self.facts).get(name)


def told(kind: str, key: str, **facts: object) -> Told:
    """Return what is told; facts that are ``None`` are left out."""
    return Told(kind, key, tuple(sorted((name, value) for name, value in facts.items() if value is not None)))
