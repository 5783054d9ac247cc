"""What is fuzzed: something that takes inputs one after the other, and samples that inputs are made of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

Header = tuple[str, bytes | None]
Take = Callable[["Input"], None]
"""Takes one input; whatever it raises is a failure."""


@dataclass(frozen=True, slots=True)
class Input:
    """One input: a record of a topic for processors, for parsers its value alone.

    Attributes:
        value: The bytes.
        headers: Of a record.
        key: Of a record.
        timestamp_ms: Of a record.
        restart: Whether the task before which it comes loses its memory first, as in a rebalance.
    """

    value: bytes
    headers: tuple[Header, ...] = ()
    key: bytes | None = None
    timestamp_ms: int = 0
    restart: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Something that reads bytes it cannot trust.

    Attributes:
        name: In reports and on the command line.
        samples: Sequences of inputs; a session takes a piece of one of them and changes what is in it.
        begin: Makes what takes the inputs of a session, in order.
        share: Of all inputs, in parts.
        session: Inputs of a session.
        changed: Share of a session's inputs that are changed; the others keep it going.
    """

    name: str
    samples: Callable[[], Sequence[Sequence[Input]]]
    begin: Callable[[], Take]
    share: int = 1
    session: int = 50
    changed: float = 1.0
