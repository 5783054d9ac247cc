"""The way of a world's records through ``rms.pending``: who writes next and which task reads next is chance.

A hop appends all that one record makes to all partitions before anybody can read any of it, for it is one transaction;
what a task of the join writes to itself is appended some time after, in order. Tasks read as slowly as they like.
Look-ups that the join asks for are answered, or not, by what the vendor knows.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Final

from schemas.rms.pending import Alias, Answered, AnyMessage, Evident, Placed, Time, encode
from tests.oracle.rms.course import Course, Raw, Request, Task
from tests.oracle.rms.keys import partition_of
from tests.oracle.rms.said import SECOND_NS
from tests.oracle.rms.source import Source
from tests.oracle.rms.world import BetRecord, World

BETS_TOPIC: Final = "tricast.rms.bets"
_SPEEDS: Final = (0.05, 0.3, 1, 1, 4)
_STATUSES: Final = (200, 200, 200, 200, 200, 200, 200, 404, 500, 0)
"""Of look-ups; 0 is no answer."""


class Flow:
    """One course of a world.

    Args:
        world: What happens.
        random: Chance.
        make: Makes the task of a partition.
    """

    def __init__(self, world: World, random: Random, make: Callable[[int], Task]) -> None:
        self._world, self._random = world, random
        self._used = world.partitions
        self._tasks = {partition: make(partition) for partition in self._used}
        self.course = Course(world, {p: [] for p in self._used}, {p: [] for p in self._used})
        dedupes, tells_end = random.random() < 0.9, random.random() < 0.5
        self._sources = {
            customer.name: Source(customer, random, dedupes=dedupes, tells_end=tells_end)
            for customer in world.customers
        }
        self._bets: dict[tuple[str, str], deque[BetRecord]] = {}
        number = 0
        for customer in world.customers:
            for bet in sorted(customer.bets, key=lambda bet: bet.logged_ns):
                position = f"{BETS_TOPIC}/0/{number}"
                self._bets.setdefault((bet.customer, bet.slip), deque()).append(replace(bet, position=position))
                number += 1
        self._unread: dict[int, deque[AnyMessage | tuple[str, bytes]]] = {p: deque() for p in self._used}
        """Partition → records that its task has still to read."""
        self._unwritten: dict[int, deque[list[tuple[str, bytes]]]] = {p: deque() for p in self._used}
        """Partition → what its task wrote to the join itself, record by record, and is not committed."""
        self._offset = 0
        self._now: dict[tuple[int, str], int] = {}
        self._speeds: dict[object, float] = {}
        self._restarts = random.choice((0, 0, 0.05, 0.3))
        self._stopped: object = None
        """What does nothing for hours."""
        if random.random() < 0.15:
            names = [*(("read", partition) for partition in self._used), *(("bets", name) for name in self._bets)]
            self._stopped = random.choice(names)
            self.course.contents[f"stopped for hours: {self._stopped[0]}"] += 1

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
                at_ns = max(source.now_ns, source.customer.end_ns) + step_s * SECOND_NS
                source.at(at_ns + self._random.randrange(1000), None)
            self._until_still()

    def _again(self) -> None:
        """After everything was forgotten, let some of it come again."""
        for source in self._sources.values():
            now_ns = source.now_ns
            for bet in source.customer.bets:
                if self._random.random() < 0.5:
                    again = replace(bet, position=f"{BETS_TOPIC}/0/{1000 + self._offset}")
                    self._bets.setdefault((bet.customer, bet.slip), deque()).append(again)
            for number, choice in enumerate(source.customer.choices):
                if self._random.random() < 0.5:
                    source.at(
                        now_ns + (number + 1) * SECOND_NS, replace(choice, at_ns=now_ns + (number + 1) * SECOND_NS)
                    )
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
        source = self._sources[name]
        offset, self._offset = self._offset, self._offset + 1
        for message in source.next(offset, self.course):
            if isinstance(message, Time):
                for partition in self._used:
                    self._unread[partition].append(message)
            elif isinstance(message, Evident):
                key = f"{name}/{message.slip}" if message.slip is not None else f"{name}/code:{message.code}"
                self._unread[partition_of(key)].append(message)

    def _emit_bet(self, name: tuple[str, str]) -> None:
        bet = self._bets[name].popleft()
        partition = partition_of(f"{bet.customer}/{bet.slip}")
        if bet.disposition is None:
            placed = Placed(
                customer=bet.customer,
                slip=bet.slip,
                context=bet.context or "",
                stake=bet.stake,
                odds=bet.odds,
                placed_ns=bet.at_ns,
                logged_ns=bet.logged_ns,
                content=bet.content,
                position=bet.position,
            )
            self._unread[partition].append(placed)
            return
        answered = Answered(
            customer=bet.customer,
            slip=bet.slip,
            disposition=bet.disposition,  # type: ignore[arg-type]  # one of four
            code=bet.code,
            answered_ns=bet.at_ns,
            logged_ns=bet.logged_ns,
            position=bet.position,
        )
        self._unread[partition].append(answered)
        if bet.code is not None:
            alias = Alias(customer=bet.customer, code=bet.code, slip=bet.slip, position=bet.position)
            self._unread[partition_of(f"{bet.customer}/code:{bet.code}")].append(alias)

    def _commit(self, partition: int) -> None:
        for key, value in self._unwritten[partition].popleft():
            to = partition_of(key)
            if to in self._used:
                self._unread[to].append((key, value))

    def _read(self, partition: int) -> None:
        task, log = self._tasks[partition], self.course.logs[partition]
        if self._restarts and self._random.random() < self._restarts:
            task.restart()
            self.course.contents["restarts"] += 1
        message = self._unread[partition].popleft()
        key, value = message if isinstance(message, tuple) else (_key(message, partition), encode(message))
        self._note(partition, message)
        step = task.process(len(log), key, value)
        log.append((key, value))
        self.course.steps[partition].append(step)
        self.course.contents["records"] += 1
        if step.messages:
            self._unwritten[partition].append(step.messages)
        for request in step.requests:
            self._look_up(request)

    def _note(self, partition: int, message: AnyMessage | tuple[str, bytes]) -> None:
        match message:
            case Time(customer=customer, now_ns=now_ns):
                self._now[partition, customer] = max(now_ns, self._now.get((partition, customer), 0))
            case Placed(customer=customer, slip=slip):
                self.course.now_when.setdefault((customer, slip, "placed"), self._now.get((partition, customer), 0))
            case Answered(customer=customer, slip=slip):
                self.course.now_when.setdefault((customer, slip, "answered"), self._now.get((partition, customer), 0))
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
            said = next((choice.said for choice in meant if choice.at_ns <= requested_ns), None)
        self.course.contents[f"look-ups answered: {status} {said or ''}".rstrip()] += 1
        received_ns = requested_ns + random.choice((3, 40, 900)) * 1_000_000
        raw = Raw(request.customer, 0, received_ns, None, request, said, status, requested_ns)
        source.at(received_ns, raw)


def _key(message: AnyMessage, partition: int) -> str:
    match message:
        case Placed() | Answered():
            return f"{message.customer}/{message.slip}"
        case Evident(slip=str()):
            return f"{message.customer}/{message.slip}"
        case Evident() | Alias():
            return f"{message.customer}/code:{message.code}"
        case _:
            return f"all/{partition}"
