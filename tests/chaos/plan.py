"""When what strikes whom: from a seed, and from nothing else."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice
from random import Random
from typing import Final, TypeVar

from tests.chaos.fault import Kind, Lane

SEED_S: Final = 750.0
"""Length of run that ``Kind.per_seed`` is meant for."""
CALM_S: Final = 5.0
"""At the end without a fault, and at least so long between two of a lane; brokers take longer to be in sync again."""
_COMING_BACK_S: Final[dict[Lane, float]] = {"workers": 2.0, "connectors": 2.0, "brokers": 9.0, "world": 2.0}
"""What a fault of a lane costs beyond ``lasts_s``, at least."""
_BROKERS: Final = frozenset({"broker", "brokers", "controller"})
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """One fault to come.

    Attributes:
        number: Place in the plan, from 1, in order of time.
        at_s: Since the beginning; later when the fault before it in its lane is not over.
        kind: What.
        target: Whom.
        lasts_s: From struck to healed.
    """

    number: int
    at_s: float
    kind: Kind
    target: str
    lasts_s: float


def plan(kinds: Sequence[Kind], seed: int, seconds: float) -> tuple[Strike, ...]:
    """Return all strikes of a run in order of time.

    Each kind strikes ``per_seed`` times in 750 s and proportionally in fewer, at least once; when a lane has no room
    for all of that, kinds that strike often lose strikes first.
    """
    placed: list[tuple[float, Kind, str, float]] = []
    for lane, back_s in _COMING_BACK_S.items():
        random = Random(f"{seed}/{lane}")
        drawn = [_strikes(kind, seconds, random) for kind in kinds if kind.lane == lane]
        fitting = list(_fitting(_fair(drawn, random), back_s + CALM_S, seconds - CALM_S))
        random.shuffle(fitting)
        placed += _placed(fitting, back_s, seconds - CALM_S, random)
    placed.sort(key=lambda strike: strike[0])
    return tuple(
        Strike(number=number, at_s=at_s, kind=kind, target=target, lasts_s=lasts_s)
        for number, (at_s, kind, target, lasts_s) in enumerate(placed, 1)
    )


def of_feeds(kinds: Iterable[Kind], feeds: Collection[str]) -> list[Kind]:
    """Return ``kinds`` with those targets alone that a product of some feeds has, each struck as often as before."""

    def is_there(target: str) -> bool:
        role, _, name = target.partition(":")
        return role in _BROKERS or re.split("[.:]", name)[0] in feeds

    left = ((kind, tuple(filter(is_there, kind.targets))) for kind in kinds)
    return [
        replace(kind, targets=targets, per_seed=max(1, round(kind.per_seed * len(targets) / len(kind.targets))))
        for kind, targets in left
        if targets
    ]


def _strikes(kind: Kind, seconds: float, random: Random) -> list[tuple[Kind, str, float]]:
    count = max(1, round(kind.per_seed * seconds / SEED_S))
    targets, lasting = _turns(kind.targets, random), _turns(kind.lasts_s, random)
    return [(kind, *both) for both in islice(zip(targets, lasting, strict=False), count)]


def _turns(choices: Sequence[T], random: Random) -> Iterator[T]:
    return cycle(random.sample(choices, len(choices)))


def _fair(drawn: Sequence[list[T]], random: Random) -> Iterator[T]:
    """Yield the first of each list, then the second of each …, in an order drawn anew each time."""
    for turn in range(max(map(len, drawn), default=0)):
        yield from random.sample(of_turn := [each[turn] for each in drawn if turn < len(each)], len(of_turn))


def _fitting(
    strikes: Iterator[tuple[Kind, str, float]], apart_s: float, room_s: float
) -> Iterator[tuple[Kind, str, float]]:
    for strike in strikes:
        room_s -= strike[2] + apart_s
        if room_s >= 0:
            yield strike


def _placed(
    strikes: Sequence[tuple[Kind, str, float]], back_s: float, room_s: float, random: Random
) -> Iterator[tuple[float, Kind, str, float]]:
    """Spread the room that is left over evenly, and each strike within its own part of it."""
    taken_s = sum(lasts_s + back_s for _, _, lasts_s in strikes)
    spare_s = (room_s - taken_s) / len(strikes) if strikes else 0.0
    at_s = 0.0
    for kind, target, lasts_s in strikes:
        yield at_s + random.uniform(0, spare_s * 0.8), kind, target, lasts_s
        at_s += lasts_s + back_s + spare_s
