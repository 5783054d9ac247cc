"""Events asked for in rounds, in groups that stay as they are: only an unchanged request can be conditional. Pure."""

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from random import Random

from connectors.kambi.asks import What


@dataclass(slots=True, kw_only=True)
class Group:
    """Events of one shard that are asked for together, in the order they came."""

    shard: int
    events: dict[int, None] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Round:
    """One request that comes round again.

    Attributes:
        what: What is asked for.
        interval_s: How often, seconds.
        due_s: When next, monotonic seconds.
        group: Events it is about, if any.
        term: Path below ``listView``, if it is one.
        conditional: Whether "not modified" will do next time.
        asked: Whether it is under way.
        asked_s: When it was last asked.
        failures: In a row.
        failed_s: When the last of them was; infinite before the first.
    """

    what: What
    interval_s: float
    due_s: float
    group: Group | None = None
    term: str = ""
    conditional: bool = True
    asked: bool = False
    asked_s: float = -math.inf
    failures: int = 0
    failed_s: float = math.inf


class Rounds:
    """Keeps events in groups of ``size``, each with one round for each of ``kinds``.

    Args:
        kinds: What is asked about an event.
        size: Most events of a group.
        interval_s: How often each round comes, seconds.
        random: Spreads the rounds over the interval.
    """

    def __init__(self, *, kinds: Sequence[What], size: int, interval_s: float, random: Random) -> None:
        self._kinds = kinds
        self._size = size
        self._interval_s = interval_s
        self._random = random
        self._groups: list[tuple[Group, list[Round]]] = []
        self.events: dict[int, None] = {}

    @property
    def all(self) -> Iterable[Round]:
        """All rounds, in no order that matters."""
        return itertools.chain.from_iterable(rounds for _, rounds in self._groups)

    def follow(self, events: dict[int, None], *, shards: int, now_s: float) -> None:
        """Have exactly ``events`` in groups; those that stay keep their place as long as groups are well filled."""
        ended = self.events.keys() - events.keys()
        began = [event for event in events if event not in self.events]
        self.events = dict(events)
        if ended:
            for group, _ in self._groups:
                for event in ended & group.events.keys():
                    del group.events[event]
        for event in began:
            self._place(event, event % shards, now_s)
        if ended:
            self._close_up()

    def _place(self, event: int, shard: int, now_s: float) -> None:
        for group, _ in self._groups:
            if group.shard == shard and len(group.events) < self._size:
                group.events[event] = None
                return
        group = Group(shard=shard, events={event: None})
        # A new event is asked for when it is subscribed; its rounds begin later, and each group's at its own time.
        rounds = [
            Round(
                what=what,
                interval_s=self._interval_s,
                due_s=now_s + self._interval_s * self._random.uniform(0.5, 1),
                group=group,
            )
            for what in self._kinds
        ]
        self._groups.append((group, rounds))

    def _close_up(self) -> None:
        """Fill groups that events have left with those of others, the emptiest first: fewer requests for as many."""
        for shard in {group.shard for group, _ in self._groups}:
            mine = [each for each in self._groups if each[0].shard == shard]
            while len(mine) > 1:
                mine.sort(key=lambda each: len(each[0].events))
                (emptiest, its_rounds), (next_one, rounds) = mine[:2]
                if len(emptiest.events) + len(next_one.events) > self._size:
                    break
                if emptiest.events:  # nobody waits longer than before
                    for stays, goes in zip(rounds, its_rounds, strict=True):
                        stays.due_s = min(stays.due_s, goes.due_s)
                next_one.events.update(emptiest.events)
                emptiest.events.clear()
                del mine[0]
        self._groups = [(group, rounds) for group, rounds in self._groups if group.events]
