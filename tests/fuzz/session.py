"""A session: inputs one after the other into one thing, made from a seed; and what is left of them when one fails."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from typing import TypeVar

from tests.fuzz.mutate import mutated, mutated_header
from tests.fuzz.target import Header, Input, Target
from tests.fuzz.watch import Failure, failure_of

T = TypeVar("T")

_HEADERS = 0.12
"""Share of the changes to a record that are to its headers."""
_OUT_OF_TURN = 0.06
"""Chance that a record is left out, comes twice, or is exchanged for another sample's."""
_RESTART = 0.02
_SHRINKS = 400
"""Attempts at making a failure smaller."""


@dataclass(frozen=True, slots=True)
class Found:
    """A failure with the inputs that lead to it, as few and as small as could be had."""

    target: str
    seed: str
    failure: Failure
    inputs: tuple[Input, ...]


def inputs_of(target: Target, seed: str) -> tuple[list[Input], int]:
    """Return the inputs of session ``seed``, and how many of them are changed."""
    random = Random(seed)
    samples = target.samples()
    sample = random.choice(samples)
    begin = random.randrange(max(1, len(sample) - target.session // 2))
    donors = [given.value for given in random.choices(sample, k=6)]
    inputs, changed = [], 0
    for number in range(target.session):
        given = sample[(begin + number) % len(sample)] if len(samples) == 1 else _next(sample, begin + number, random)
        if random.random() < _OUT_OF_TURN:
            given = random.choice(random.choice(samples))
        if random.random() < target.changed:
            given = _changed(given, donors, random)
            changed += 1
        inputs.append(given)
    return inputs, changed


def play(target: Target, inputs: Sequence[Input]) -> tuple[int, Failure] | None:
    """Return the first failure and which input it came with."""
    take = target.begin()
    for number, given in enumerate(inputs):
        if (failure := failure_of(take, given)) is not None:
            return number, failure
    return None


def shrunk(target: Target, seed: str, inputs: Sequence[Input], failure: Failure) -> Found:
    """Return the failure with less: first fewer inputs, then fewer bytes in each."""
    attempts = 0

    def fails(candidate: Sequence[Input]) -> bool:
        nonlocal attempts
        attempts += 1
        seen = play(target, candidate)
        return seen is not None and (seen[1].kind, seen[1].place) == (failure.kind, failure.place)

    kept = list(inputs)
    if not fails(kept):
        return Found(target.name, seed, failure, tuple(kept))  # not for what was given alone; kept as it was
    kept = _fewer(kept, fails, lambda: attempts < _SHRINKS)
    for number in reversed(range(len(kept))):
        fails_with = partial(_fails_with, fails, kept, number)
        value = _fewer(list(kept[number].value), fails_with, lambda: attempts < 2 * _SHRINKS)
        kept = _with(kept, number, value)
    return Found(target.name, seed, failure, tuple(kept))


def _with(inputs: Sequence[Input], number: int, value: Sequence[int]) -> list[Input]:
    return [*inputs[:number], replace(inputs[number], value=bytes(value)), *inputs[number + 1 :]]


def _fails_with(
    fails: Callable[[list[Input]], bool], inputs: Sequence[Input], number: int, value: Sequence[int]
) -> bool:
    return fails(_with(inputs, number, value))


def _fewer(whole: list[T], fails: Callable[[list[T]], bool], goes_on: Callable[[], bool]) -> list[T]:
    size = len(whole)
    while size := size // 2:
        at = 0
        while at < len(whole) and goes_on():
            without = whole[:at] + whole[at + size :]
            if without and fails(without):
                whole = without
            else:
                at += size
    return whole


def _next(sample: Sequence[Input], number: int, random: Random) -> Input:
    return sample[number] if number < len(sample) else random.choice(sample)


def _changed(given: Input, donors: Sequence[bytes], random: Random) -> Input:
    restart = random.random() < _RESTART
    if given.headers and random.random() < _HEADERS:
        return replace(given, headers=_headers(given.headers, random), restart=restart)
    if given.key is not None and random.random() < 0.02:
        return replace(given, key=mutated_header(given.key, random), restart=restart)
    return replace(given, value=mutated(given.value, donors, random), restart=restart)


def _headers(headers: tuple[Header, ...], random: Random) -> tuple[Header, ...]:
    at = random.randrange(len(headers))
    name, content = headers[at]
    way = random.random()
    if way < 0.12:
        return headers[:at] + headers[at + 1 :]
    if way < 0.2:
        return (*headers, (name, mutated_header(content, random)))
    return (*headers[:at], (name, mutated_header(content, random)), *headers[at + 1 :])
