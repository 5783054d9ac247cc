"""A run of some hundred bets with everything in it, as the tasks of the join saw it: in short spans, to forget, too."""

from random import Random
from typing import Any

from processors.core.rms.join.processor import RmsJoin
from schemas.rms.pending import AnyMessage
from tests.core.driver import Driver, Record
from tests.core.rms.join.tasks import PARTITIONS, Tasks, alias, answered, approval, looked_up, ns, placed, time

SECONDS = 900


def join() -> RmsJoin:
    """Return the join with spans of this run."""
    return RmsJoin(window_prematch_s=60, window_live_s=20, orphan_s=30, verify_s=40, unanswered_s=90, remember_s=200)


class Run:
    """Bets, approvals and look-ups of one customer, second by second."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self.tasks = Tasks(at_once=False, tasks=[Driver(join()) for _ in range(PARTITIONS)])
        self._by_code = self._raw = self._bets = self._asked = 0
        self._since: int | None = None
        self._later: list[tuple[int, list[AnyMessage]]] = []

    def play(self) -> "Run":
        chance = self._random
        for at in range(SECONDS):
            if at < SECONDS - 300 and chance.random() < 0.25:
                self._place(at)
            if chance.random() < 0.02:
                self._since = None
            elif self._since is None and chance.random() < 0.2:
                self._since = at
            due = [messages for when, messages in self._later if when == at]
            for messages in due:
                self.tasks.send(*messages)
            self._answer_lookups(at)
            # Between two looks of a trader time may be told twice; and tasks lag behind each other.
            self.tasks.send(
                time(at, self._since, self._by_code, proven=max(at - chance.choice((0, 0, 3)), self._since or 0))
            )
            for partition in range(PARTITIONS):
                for _ in range(chance.choice((0, 1, 2, 5, 40))):
                    self.tasks.step(partition)
        self.tasks.drain()
        for partition in range(PARTITIONS):
            self.tasks.give(partition, b"rubbish")
        self.tasks.drain()
        return self

    def _place(self, at: int) -> None:
        chance, number = self._random, self._bets
        self._bets += 1
        slip, code = f"slip-{number}", f"code-{number - chance.choice((0, 0, 0, 0, 0, 0, 1))}"
        disposition: Any = chance.choice(("referred",) * 5 + ("accepted", "rejected", "unknown"))
        named = chance.choice((code, code, code, None))
        bet: list[AnyMessage] = [placed(slip, at, context=chance.choice(("prematch", "live")))]
        if chance.random() < 0.9:
            answer = answered(slip, at + 1, disposition, named)
            bet.append(answer)
            if chance.random() < 0.1:
                bet.append(answered(slip, at + 1, chance.choice(("referred", "accepted")), code))
        if named is not None:
            bet.append(alias(slip, code))
        if chance.random() < 0.1:
            bet += [placed(slip, at, content=chance.choice(("c1", "c2"))), bet[0]]
        self._at(at + chance.choice((0, 0, 0, 1, 25, 45)), *bet)
        if chance.random() < 0.05:
            self._at(at + 260, placed(slip, at, logged_ns=ns(at + 260)))
        for _ in range(chance.choice((0, 0, 1, 1, 1, 2, 3))):
            self._at(at + chance.choice((1, 2, 5, 15, 30, 70)), ("approve", slip, code))
        if chance.random() < 0.03:
            for _ in range(18):
                self._at(at + 3, ("approve", slip, code))
        if chance.random() < 0.05:
            self._at(at + 2, ("approve", f"nobody-{number}", f"nothing-{number}"))

    def _at(self, at: int, *messages: Any) -> None:
        self._later.append((at, _Lazily(self, at, messages)))

    def made(self, at: int, what: Any) -> AnyMessage:
        """Return a message, an approval with its place in raw."""
        if not isinstance(what, tuple):
            message: AnyMessage = what
            return message
        _, slip, code = what
        chance = self._random
        self._raw += 1
        said, before = chance.choice(("accept", "accept", "reject")), self._by_code
        ids = chance.choice(((slip, None), (slip, code), (slip, "another"), (None, code), (None, code)))
        self._by_code += ids[0] is None
        changes = chance.choice(({}, {}, {"stake": "5"}, {"odds": "2.5", "decided_ns": ns(at - 0.2)}))
        return approval(said, at, self._raw, slip=ids[0], code=ids[1], before=before, **changes)

    def _answer_lookups(self, at: int) -> None:
        asked = self.tasks.lookups()
        new, self._asked = asked[self._asked :], len(asked)
        for one in new:
            self._raw += 1
            chance = self._random
            said: Any = chance.choice((None, None, None, "accept", "reject"))
            status = chance.choice((200, 200, 200, 404, 500)) if said is None else 200
            message = looked_up(
                said, at, self._raw, slip=one["bet_slip_id"], status=status, by_code_before=self._by_code
            )
            if chance.random() < 0.7:
                self.tasks.send(message)

    def records(self, partition: int) -> list[Record]:
        """Return what one task got, in order."""
        return [record for record in self.tasks.records if record.partition == partition]


class _Lazily(list[AnyMessage]):
    """Messages that are made when their time comes: only then is their place in raw known."""

    def __init__(self, run: Run, at: int, messages: tuple[Any, ...]) -> None:
        super().__init__()
        self._make = lambda: [run.made(at, message) for message in messages]

    def __iter__(self) -> Any:
        return iter(self._make())
