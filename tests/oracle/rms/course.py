"""What a world comes to on its way through the join: records in their order, and what each made a task write."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Protocol

from schemas.rms.pending import Time
from tests.oracle.rms.customer import Choice
from tests.oracle.rms.said import Told
from tests.oracle.rms.world import World


@dataclass(frozen=True, slots=True)
class Request:
    """A look-up that the join asked for."""

    customer: str
    slip: str
    code: str
    why: str
    asked_ns: int
    until_ns: int


@dataclass(frozen=True, slots=True)
class Step:
    """What one record made a task write: for people, for the join itself, and for the connector."""

    told: list[Told]
    messages: list[tuple[str, bytes]]
    requests: list[Request]


class Task(Protocol):
    """One task of the join."""

    def process(self, offset: int, key: str, value: bytes) -> Step:
        """Take one record of ``rms.pending``."""
        ...

    def restart(self) -> None:
        """Lose all but the state in the changelog."""
        ...


@dataclass(frozen=True, slots=True)
class Raw:
    """A record of ``rms.raw`` that said something of a bet."""

    customer: str
    offset: int
    at_ns: int
    choice: Choice | None
    request: Request | None = None
    said: str | None = None
    status: int = 200
    requested_ns: int = 0
    now_ns: int = 0
    """Greatest time that was told before it."""
    proven_ns: int = 0
    """So far coverage was proven before it."""


@dataclass(slots=True)
class Course:
    """What came of it.

    Attributes:
        logs: Partition → records in order.
        steps: Partition → what each made its task write.
        raw: All that was said of bets, in order.
        times: Customer → all that was told of time and coverage, in order.
    """

    world: World
    logs: dict[int, list[tuple[str, bytes]]] = field(default_factory=dict)
    steps: dict[int, list[Step]] = field(default_factory=dict)
    raw: list[Raw] = field(default_factory=list)
    times: dict[str, list[Time]] = field(default_factory=dict)
    now_when: dict[tuple[str, str], int] = field(default_factory=dict)
    """Customer, slip → customer's time in the slip's task when the first answer came there."""
    is_lossy: bool = False
    """The state of a task was lost, and with it a message: what waited for it must end, unverified if need be."""
    contents: Counter[str] = field(default_factory=Counter)
    offsets: Iterator[int] = field(default_factory=count)
    """Of ``rms.raw``."""

    def heard(self, raw: Raw) -> Raw:
        """Return a record that comes now, with what was told before it."""
        times = self.times.get(raw.customer, [])
        now_ns = max((time.now_ns for time in times), default=0)
        return replace(raw, now_ns=now_ns, proven_ns=max((time.proven_ns or 0 for time in times), default=0))

    def told(self) -> list[Told]:
        """Return all that was written, each task in its order."""
        return [one for steps in self.steps.values() for step in steps for one in step.told]
