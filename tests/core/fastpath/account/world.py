"""A vendor, two lines and what goes wrong between them, driven by a list of small steps."""

from dataclasses import dataclass, field
from typing import Literal

from tests.core.fastpath.account.lines import SOCCER, Task

Numbering = Literal["fixture", "connection"]
Step = tuple[str, str, int]
"""What, on which line, how much."""

STEPS = ("emit", "emit", "deliver", "deliver", "drop", "swap", "again", "reconnect", "tick", "tick", "lose")
ODD_STEPS = ("reset", "garble", "jump")
"""After these the account may be right and yet differ from the vendor's truth."""


@dataclass
class Line:
    connection: str
    queue: list[tuple[int, int]] = field(default_factory=list)
    """Number and item to come."""
    came: list[tuple[int, int]] = field(default_factory=list)
    following: int = 1
    events: int = 0


@dataclass
class World:
    """Items are numbered from 1 in the order in which the vendor made them; that is their content, too."""

    numbering: Numbering = "fixture"
    path: str = SOCCER
    forgetful: bool = False
    items: list[tuple[int, int]] = field(default_factory=list)
    counter: int = 0
    connections: int = 0
    arrivals: int = 0

    def __post_init__(self) -> None:
        self.task = Task(self.path, forgetful=self.forgetful)
        self.lines = {name: self._connect(name, 0) for name in "ab"}

    def run(self, steps: list[Step]) -> "World":
        for what, line, amount in steps:
            getattr(self, what)(self.lines[line], amount)
        return self

    def settle(self) -> "World":
        """Let everything come that is on its way, and all time pass that anything waits for."""
        for line in self.lines.values():
            while line.queue:
                self.deliver(line, 0)
        for _ in range(8):
            self.task.pass_time(31_000)
        return self

    # Steps.

    def emit(self, _line: Line, amount: int) -> None:
        for _ in range(amount % 3 + 1):
            self.counter += 1
            item = (self.counter, len(self.items) + 1)
            self.items.append(item)
            for line in self.lines.values():
                self._queue(line, item)

    def deliver(self, line: Line, amount: int) -> None:
        for _ in range(amount % 3 + 1):
            self._say(line, 0)

    def swap(self, line: Line, amount: int) -> None:
        self._say(line, amount)

    def drop(self, line: Line, amount: int) -> None:
        del line.queue[: amount % 3 + 1]

    def again(self, line: Line, amount: int) -> None:
        if line.came:
            line.queue.insert(0, line.came[-1 - amount % len(line.came)])
            self._say(line, 0)

    def reconnect(self, line: Line, amount: int) -> None:
        self.task.close(line.connection)
        position = 0 if amount > 4 else max(0, line.events - amount)
        self.lines[line.connection[0]] = self._connect(line.connection[0], position)

    def tick(self, _: Line, amount: int) -> None:
        self.task.pass_time(amount * 400)

    def lose(self, line: Line, amount: int) -> None:
        self.task.lose(line.connection, amount % 2 + 1)
        del line.queue[: amount % 2 + 1]

    def reset(self, _: Line, amount: int) -> None:
        self.counter = amount % 4
        for line in self.lines.values():
            line.following = amount % 4 + 1

    def garble(self, line: Line, amount: int) -> None:
        if line.queue:
            number, item = line.queue.pop(0)
            self.arrivals += 1
            self.task.say(line.connection, number, item if amount % 2 else -item, body=amount)

    def jump(self, line: Line, amount: int) -> None:
        for step in range(amount % 4 + 1):
            self.arrivals += 1
            self.task.say(line.connection, 12_000 + 100 * (amount % 3) + step, 10**6 + amount + step)

    # Private.

    def _connect(self, name: str, position: int) -> Line:
        self.connections += 1
        line = Line(f"{name}{self.connections}", events=position)
        self.task.open(line.connection, position)
        for item in self.items[position:]:
            self._queue(line, item)
        return line

    def _queue(self, line: Line, item: tuple[int, int]) -> None:
        if self.numbering == "connection":
            item = (line.following, item[1])
            line.following += 1
        line.queue.append(item)

    def _say(self, line: Line, ahead: int) -> None:
        if line.queue:
            number, item = line.queue.pop(min(ahead, len(line.queue) - 1))
            if (number, item) not in line.came:
                line.came.append((number, item))
                line.events += 1
            self.arrivals += 1
            self.task.say(line.connection, number, item, ms=1)
