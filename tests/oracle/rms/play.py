"""Run the core over a course, and compare what each of its tasks wrote with the oracle's account of its records."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random

from tests.oracle.rms.chain import Shipped
from tests.oracle.rms.core import CoreTask
from tests.oracle.rms.course import Course, Step, Task
from tests.oracle.rms.flow import ByContract, Flow
from tests.oracle.rms.oracle import Oracle
from tests.oracle.rms.said import Rules, Told
from tests.oracle.rms.truth import lies
from tests.oracle.rms.world import random_world


@dataclass(frozen=True, slots=True)
class Difference:
    """What is said by one and not by the other over one record; ``lies`` is what the second judge found."""

    partition: int
    offset: int
    missing: tuple[Told, ...]
    unexpected: tuple[Told, ...]


def random_course(seed: int, make: Callable[[Rules], Task]) -> Course:
    """Return the course of ``seed`` through tasks that ``make`` makes; the same each time for the same tasks."""
    random = Random(f"rms history {seed}")
    world = random_world(random)
    return Flow(world, random, ByContract(make)).run()


def random_chain(seed: int) -> Course:
    """Return the course of ``seed`` through the shipped hops, from the connector's frames on."""
    random = Random(f"rms chain {seed}")
    world = random_world(random)
    return Flow(world, random, Shipped()).run()


def account(log: Iterable[tuple[str, bytes]], rules: Rules) -> list[Step]:
    """Return what a task has to write for its records."""
    oracle = Oracle(rules)
    return [oracle.process(offset, key, value) for offset, (key, value) in enumerate(log)]


def differences(course: Course, limit: int = 5) -> list[Difference]:
    """Return where what was written over a course is not what the rules say, the first few of each task."""
    found: list[Difference] = []
    if course.is_lossy:
        return found  # how order is given up is not in the rules
    for partition, log in course.logs.items():
        steps = zip(account(log, course.world.rules), course.steps[partition], strict=True)
        wrong = [
            Difference(partition, offset, _without(right.told, written.told), _without(written.told, right.told))
            for offset, (right, written) in enumerate(steps)
            if _in_order(right.told) != _in_order(written.told)
        ]
        found += wrong[:limit]
    return found


def _in_order(told: list[Told]) -> dict[str, list[Told]]:
    """Return what was told of each bet, and to each task, in its order; that of counts says nothing."""
    found: dict[str, list[Told]] = {}
    for one in sorted(told, key=lambda one: repr(one) if one.kind in {"count", "dead"} else ""):
        is_internal = one.kind == "pending"
        topic = one.kind if one.kind in {"pending", "lookup"} else "decisions"
        found.setdefault(f"{topic} {one.key.rpartition(' ')[2] if is_internal else one.key}", []).append(one)
    return found


def _without(some: list[Told], others: list[Told]) -> tuple[Told, ...]:
    left = list(others)
    found = []
    for one in some:
        if one in left:
            left.remove(one)
        else:
            found.append(one)
    return tuple(found)


def course_of(seed: int) -> Course:
    """Return the course of a seed through the shipped join; each fourth begins with the connector's frames."""
    return random_chain(seed) if seed % 4 == 3 else random_course(seed, CoreTask)


def compare(seed: int) -> tuple[bool, Counter[str]]:
    """Return whether anything is wrong over the history of ``seed``, and what it held."""
    course = course_of(seed)
    contents = contents_of(course)
    contents["histories from frames on"] += seed % 4 == 3
    return bool(differences(course) or lies(course)), contents


def contents_of(course: Course) -> Counter[str]:
    """Return what a course held and what came of it."""
    contents = Counter(course.world.contents) + Counter(course.contents)
    for one in course.told():
        match one.kind:
            case "decision":
                why = f", {one.fact('why')}" if one.fact("why") else ""
                contents[f"told: {one.fact('outcome')} by {one.fact('evidence')}{why}"] += 1
            case "conflict":
                contents[f"told: conflict, {one.fact('why')}"] += 1
            case "count":
                contents[f"counted: {one.fact('what')}"] += 1
            case "dead":
                contents[f"dead letters: {one.fact('code')}"] += 1
            case _:
                contents[f"told: {one.kind}"] += 1
    return contents
