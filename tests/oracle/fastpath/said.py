"""What a task is to write, by topic; nothing of how it is encoded."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Out:
    """A packet that goes out on ``fastpath.actions`` or ``fastpath.statistics``.

    Attributes:
        at: Offset of the raw record that made it go out.
        offset: Offset of the packet's own raw record.
        sequence: Account number, ``None`` for a packet without number.
        vendor_sequence: Number as sent.
        what: What tells the packet from others: action id and send type, or element type and time.
        why: Why it was released.
        after_ms: How long it was held.
        marks: Of ``late``, ``repaired``, ``conflict`` those that are set.
        delivery: ``live``, ``replayed``, ``late_burst``.
        state: State of the upstream collector in force when it arrived.
    """

    at: int
    offset: int
    feed: str
    fixture: str
    sequence: int | None
    vendor_sequence: int | None
    what: tuple[str | None, ...]
    line: str
    connection: str
    why: str
    after_ms: int
    marks: frozenset[str]
    delivery: str
    state: str


@dataclass(frozen=True, slots=True)
class Finding:
    """A record of ``fastpath.sequence``.

    Attributes:
        at: Offset of the raw record that made it.
        kind: ``baseline``, ``gap_suspected`` …
        facts: What it says by name, with numbers as ranges.
    """

    at: int
    feed: str
    fixture: str
    kind: str
    facts: tuple[tuple[str, object], ...]

    def fact(self, name: str) -> object:
        """Return one of the facts, ``None`` if it is not there."""
        return dict(self.facts).get(name)


@dataclass(frozen=True, slots=True)
class Upstream:
    """A record of ``fastpath.connections``."""

    at: int
    feed: str
    state: str
    previous: str
    line: str
    connection: str
    implied: bool


@dataclass(frozen=True, slots=True)
class Command:
    """A record of ``fastpath.commands``."""

    at: int
    feed: str
    fixture: str
    line: str
    first: int
    last: int
    position: int
    attempt: int


@dataclass(slots=True)
class Said:
    """All that a task writes, each topic in its order."""

    actions: list[Out] = field(default_factory=list)
    statistics: list[Out] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    upstream: list[Upstream] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    copies: int = 0
    dead_letters: list[str] = field(default_factory=list)
    """Offset and code."""


def ranges(numbers: set[int]) -> tuple[tuple[int, int], ...]:
    """Return the numbers as ranges, first and last."""
    found: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if found and found[-1][1] == number - 1:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return tuple(found)
