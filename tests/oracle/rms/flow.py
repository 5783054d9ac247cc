"""The way of a world's records through ``rms.pending``: who writes next and which task reads next is chance.

A hop appends all that one record makes to all partitions before anybody can read any of it, for it is one transaction;
what a task of the join writes to itself is appended some time after, in order. Tasks read as slowly as they like.
Look-ups that the join asks for are answered, or not, by what the vendor knows.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Final, Protocol

from schemas.rms.pending import Alias, Answered, AnyMessage, Known, Passed, Placed, Time, decode, encode
from tests.oracle.rms.course import Course, Raw, Request, Task
from tests.oracle.rms.customer import BetRecord, Customer
from tests.oracle.rms.keys import keys_of, partition_of
from tests.oracle.rms.said import SECOND_NS, Rules
from tests.oracle.rms.source import Source
from tests.oracle.rms.world import MS_NS, World

BETS_TOPIC: Final = "tricast.rms.bets"
_SPEEDS: Final = (0.05, 0.3, 1, 1, 4)
_STATUSES: Final = (200, 200, 200, 200, 200, 200, 200, 404, 500, 0)
"""Of look-ups; 0 is no answer."""


class Hops(Protocol):
    """What the records of a world go through."""

    def source(self, customer: Customer, random: Random) -> Source:
        """Return the approvals hop of a customer."""
        ...

    def route(self, bet: BetRecord) -> list[tuple[str, bytes]]:
        """Return what the router of bets makes of a record."""
        ...

    def task(self, rules: Rules, /) -> Task:
        """Return a task of the join."""
        ...


class ByContract:
    """Approvals hop and router as their contracts say; a hop may pass repeats, and say where coverage ended or not.

    Args:
        make: Makes a task of the join.
    """

    def __init__(self, make: Callable[[Rules], Task]) -> None:
        self._make = make
        self._says: tuple[bool, bool] | None = None

    def source(self, customer: Customer, random: Random) -> Source:
        """Return the approvals hop of a customer."""
        self._says = self._says or (random.random() < 0.9, random.random() < 0.5)
        return Source(customer, random, dedupes=self._says[0], tells_end=self._says[1])

    def task(self, rules: Rules, /) -> Task:
        """Return a task of the join."""
        return self._make(rules)

    def route(self, bet: BetRecord) -> list[tuple[str, bytes]]:
        """Return what the router of bets makes of a record."""
        named = {"customer": bet.customer, "slip": bet.slip, "logged_ns": bet.logged_ns, "position": bet.position}
        messages: list[AnyMessage] = []
        if bet.disposition is None:
            what = {"context": bet.context or "", "stake": bet.stake, "odds": bet.odds, "content": bet.content}
            messages.append(Placed(**named, **what, placed_ns=bet.at_ns))  # type: ignore[arg-type]  # by name
        else:
            what = {"disposition": bet.disposition, "code": bet.code, "answered_ns": bet.at_ns}
            messages.append(Answered(**named, **what))  # type: ignore[arg-type]  # by name
            if bet.code is not None:
                messages.append(Alias(customer=bet.customer, code=bet.code, slip=bet.slip, position=bet.position))
        return [(key, encode(message)) for message in messages for key in keys_of(message)]


class Flow:
    """One course of a world.

    Args:
        world: What happens.
        random: Chance.
        hops: What the records go through.
    """

    def __init__(self, world: World, random: Random, hops: Hops) -> None:
        self._world, self._random = world, random
        self._used = world.partitions
        self._tasks = {partition: hops.task(world.rules) for partition in self._used}
        self._route = hops.route
        self.course = Course(world, {p: [] for p in self._used}, {p: [] for p in self._used})
        self._sources = {customer.name: hops.source(customer, random) for customer in world.customers}
        self._bets: dict[tuple[str, str], deque[BetRecord]] = {}
        number = 0
        for customer in world.customers:
            for bet in sorted(customer.bets, key=lambda bet: bet.logged_ns):
                position = f"{BETS_TOPIC}/0/{number}"
                self._bets.setdefault((bet.customer, bet.slip), deque()).append(replace(bet, position=position))
                number += 1
        self._unread: dict[int, deque[tuple[str, bytes]]] = {p: deque() for p in self._used}
        """Partition → records that its task has still to read."""
        self._unwritten: dict[int, deque[list[tuple[str, bytes]]]] = {p: deque() for p in self._used}
        """Partition → what its task wrote to the join itself, record by record, and is not committed."""
        self._now: dict[tuple[int, str], int] = {}
        self._speeds: dict[object, float] = {}
        self._restarts = random.choice((0, 0, 0.05, 0.3))
        self._clock: dict[str, int] = {}
        """Customer → the last time that was let pass."""
        self._loses = world.is_long and random.random() < 0.5
        self._stopped: object = None
        """What does nothing for hours."""
        if random.random() < 0.15:
            names: list[tuple[str, object]] = [("raw", name) for name in self._sources]
            names += [("read", partition) for partition in self._used]
            names += [("bets", name) for name in self._bets]
            self._stopped = random.choice(names)
            self.course.contents["stopped for hours"] += 1

    def run(self) -> Course:
        """Let all of it happen, to where every deadline has passed."""
        rules = self._world.rules
        self._until_still()
        self._pass([10, 700, rules.orphan_s + 10, rules.verify_s + 10, rules.unanswered_s])
        self._stopped = None
        self._until_still()
        self._pass([700, rules.verify_s + 10])
        if self._world.is_long:
            self._pass([rules.remember_s // 2 + 700, rules.remember_s // 2])
            self._again()
        return self.course

    def _pass(self, steps_s: list[int]) -> None:
        """Let that much time pass, and all happen that comes of it."""
        for step_s in steps_s:
            for source in self._sources.values():
                name = source.customer.name
                at_ns = max(source.now_ns, source.customer.end_ns, self._clock.get(name, 0))
                self._clock[name] = at_ns + step_s * SECOND_NS + self._random.randrange(1000)
                source.at(self._clock[name], None)
            self._until_still()

    def _again(self) -> None:
        """After everything was forgotten, let some of it come again."""
        for source in self._sources.values():
            now_ns = source.now_ns
            for number, bet in enumerate(source.customer.bets, 1000 * (1 + len(self._bets))):
                if self._random.random() < 0.5:
                    # Some are the platform's own repetition: new in Kafka, and long placed.
                    logged_ns = self._random.choice((bet.logged_ns, now_ns // MS_NS * MS_NS))
                    again = replace(bet, position=f"{BETS_TOPIC}/0/{number}", logged_ns=logged_ns)
                    self._bets.setdefault((bet.customer, bet.slip), deque()).append(again)
            for number, choice in enumerate(source.customer.choices):
                if self._random.random() < 0.5:
                    at_ns = now_ns + (number + 1) * SECOND_NS
                    source.at(at_ns, replace(choice, at_ns=at_ns, sent_ns=None, after_ns=None))
            source.at(now_ns + 60 * SECOND_NS, None)
            source.at(now_ns + (60 + self._world.rules.orphan_s) * SECOND_NS, None)
        self.course.contents["histories that go on after everything was forgotten"] += 1
        self._until_still()

    def _until_still(self) -> None:
        random = self._random
        while True:
            ways: list[tuple[object, Callable[[], None]]] = [
                (("raw", name), lambda name=name: self._emit_raw(name))  # type: ignore[misc]  # bound now
                for name, source in self._sources.items()
                if source.agenda
            ]
            ways += [
                (("bets", name), lambda name=name: self._emit_bet(name))  # type: ignore[misc]  # bound now
                for name, waiting in self._bets.items()
                if waiting
            ]
            for partition in self._used:
                if self._unread[partition]:
                    ways.append((("read", partition), lambda at=partition: self._read(at)))  # type: ignore[misc]
                if self._unwritten[partition]:
                    ways.append((("commit", partition), lambda at=partition: self._commit(at)))  # type: ignore[misc]
            ways = [way for way in ways if way[0] != self._stopped]
            if not ways:
                return
            weights = [self._speed(name) for name, _ in ways]
            random.choices(ways, weights)[0][1]()

    def _speed(self, name: object) -> float:
        speed = self._speeds.get(name)
        if speed is None:
            speed = self._speeds[name] = self._random.choice(_SPEEDS)
        return speed

    # What moves.

    def _emit_raw(self, name: str) -> None:
        self._write(self._sources[name].next(self.course))

    def _emit_bet(self, name: tuple[str, str]) -> None:
        self._write(self._route(self._bets[name].popleft()))

    def _commit(self, partition: int) -> None:
        self._write(self._unwritten[partition].popleft())

    def _write(self, records: list[tuple[str, bytes]]) -> None:
        for key, value in records:
            to = partition_of(key)
            if to not in self._unread:
                continue
            if self._loses and self._random.random() < 0.2 and isinstance(decode(value), Known | Passed):
                self._loses, self.course.is_lossy = False, True
                self.course.contents["messages lost in a reset"] += 1
                continue
            self._unread[to].append((key, value))

    def _read(self, partition: int) -> None:
        task, log = self._tasks[partition], self.course.logs[partition]
        if self._restarts and self._random.random() < self._restarts:
            task.restart()
            self.course.contents["restarts"] += 1
        key, value = self._unread[partition].popleft()
        self._note(partition, decode(value))
        step = task.process(len(log), key, value)
        log.append((key, value))
        self.course.steps[partition].append(step)
        self.course.contents["records"] += 1
        if step.messages:
            self._unwritten[partition].append(step.messages)
        for request in step.requests:
            self._look_up(request)

    def _note(self, partition: int, message: AnyMessage) -> None:
        match message:
            case Time(customer=customer, now_ns=now_ns):
                self._now[partition, customer] = max(now_ns, self._now.get((partition, customer), 0))
            case Answered(customer=customer, slip=slip):
                self.course.now_when.setdefault((customer, slip), self._now.get((partition, customer), 0))
            case _:
                pass

    # Look-ups.

    def _look_up(self, request: Request) -> None:
        random, source = self._random, self._sources[request.customer]
        self.course.contents[f"look-ups: {request.why}"] += 1
        status = random.choice(_STATUSES)
        requested_ns = max(request.asked_ns, source.now_ns) + random.choice((1, 2_000, 25_000)) * 1_000_003
        if status == 0 or requested_ns > request.until_ns:
            return
        said = None
        if status == 200:
            meant = [choice for choice in source.customer.choices if choice.meant == request.slip]
            said = next((choice.said for choice in meant if choice.said_ns <= requested_ns), None)
        self.course.contents[f"look-ups answered: {status} {said or ''}".rstrip()] += 1
        received_ns = requested_ns + random.choice((3, 40, 900)) * 1_000_000
        raw = Raw(request.customer, 0, received_ns, None, request, said, status, requested_ns)
        source.at(received_ns, raw)
