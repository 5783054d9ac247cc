"""Which events a shard wants: the offering API's lists and what push says about the life of events. Pure.

The two disagree now and then, so neither is believed at once where it would cost coverage: a list is cached somewhere,
and push is lost while a line is down. A list without any event at all is doubted most: it is what a cache or a server
without its data says, and believed it would end the coverage of everything at once.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

END_OUTRANKS_LISTS_S: Final = 30.0
"""For so long an event that push ended stays out although lists still have it; after that the list is right, not push:
what brought it back was said while nobody listened."""
_MISSING_IN_A_ROW: Final = 2  # one list may be short or old
_EMPTY_IN_A_ROW: Final = 3
EMPTY_FOR_S: Final = 60.0
"""For so long lists have to be empty, and an event silent, until they end what is followed."""
_MOST_SAID: Final = 10_000  # events that push alone may name; no offering has a tenth of that live


@dataclass(slots=True)
class _Wanted:
    since_s: float
    missing: int = 0
    heard_s: float = -math.inf


class LiveRoster:
    """The live events of an offering, as far as can be known. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._wanted: dict[int, _Wanted] = {}
        self._ended: dict[int, float] = {}
        self._empty = 0
        self._empty_since_s = math.inf
        self._empty_until_s = -math.inf

    @property
    def events(self) -> tuple[int, ...]:
        """Events to follow."""
        return tuple(self._wanted)

    @property
    def in_doubt(self) -> bool:
        """Whether events were missing in the last list: the next one decides."""
        return self._doubts_emptiness or any(wanted.missing for wanted in self._wanted.values())

    @property
    def listens(self) -> bool:
        """Whether :meth:`heard` is to be told: the last list was empty, and who delivers messages stays."""
        return self._empty > 0 and bool(self._wanted)

    def listed(self, events: Iterable[int], *, asked_s: float, is_empty: bool = False) -> None:
        """The offering API was asked at ``asked_s`` and listed exactly ``events`` as live.

        Args:
            events: Those of this roster's shard.
            asked_s: See above.
            is_empty: The list has no event at all, of any shard.
        """
        if is_empty:
            self._nothing_listed(asked_s)
            return
        self._empty = 0
        listed = dict.fromkeys(events)
        for event in listed:
            if asked_s - self._ended.get(event, float("-inf")) >= END_OUTRANKS_LISTS_S:
                self._wanted.setdefault(event, _Wanted(asked_s)).missing = 0
        for event, wanted in list(self._wanted.items()):
            if event not in listed and wanted.since_s <= asked_s:
                wanted.missing += 1
                if wanted.missing >= _MISSING_IN_A_ROW:
                    del self._wanted[event]
        self._forget_ends(asked_s)

    def heard(self, event: int, *, now_s: float) -> None:
        """A message about ``event`` came at ``now_s``."""
        if event in self._wanted:
            self._wanted[event].heard_s = now_s

    def started(self, event: int, *, now_s: float) -> None:
        """Push said at ``now_s`` that ``event`` is live: no list asked for before that counts against it."""
        self._ended.pop(event, None)
        if event in self._wanted or len(self._wanted) < _MOST_SAID:
            self._wanted[event] = _Wanted(now_s)

    def ended(self, event: int, *, now_s: float) -> None:
        """Push said at ``now_s`` that ``event`` left the offering or is live no more."""
        self._wanted.pop(event, None)
        self._ended.pop(event, None)
        self._ended[event] = now_s
        self._forget_ends(now_s)

    @property
    def _doubts_emptiness(self) -> bool:
        return self.listens and not self._is_empty_for_long

    @property
    def _is_empty_for_long(self) -> bool:
        return self._empty >= _EMPTY_IN_A_ROW and self._empty_until_s - self._empty_since_s >= EMPTY_FOR_S

    def _nothing_listed(self, asked_s: float) -> None:
        if not self._empty:
            self._empty_since_s = asked_s
        self._empty += 1
        self._empty_until_s = asked_s
        if self._is_empty_for_long:
            for event, wanted in list(self._wanted.items()):
                if asked_s - max(wanted.since_s, wanted.heard_s) >= EMPTY_FOR_S:
                    del self._wanted[event]
        self._forget_ends(asked_s)

    def _forget_ends(self, now_s: float) -> None:
        while self._ended:
            event = next(iter(self._ended))  # the oldest
            if now_s - self._ended[event] < END_OUTRANKS_LISTS_S and len(self._ended) <= _MOST_SAID:
                return
            del self._ended[event]


class FixedRoster:
    """A list of events that a person chose, whether live yet or not; only push takes one out and in again."""

    def __init__(self, events: Iterable[int]) -> None:
        self._chosen = dict.fromkeys(events)
        self._ended: set[int] = set()

    @property
    def events(self) -> tuple[int, ...]:
        """Events to follow."""
        return tuple(event for event in self._chosen if event not in self._ended)

    @property
    def in_doubt(self) -> bool:
        """Never: there is no list to ask for."""
        return False

    @property
    def listens(self) -> bool:
        """Never: silence does not end what a person chose."""
        return False

    def listed(self, events: Iterable[int], *, asked_s: float, is_empty: bool = False) -> None:
        """What the offering lists does not change a person's choice."""

    def heard(self, event: int, *, now_s: float) -> None:
        """A message about ``event`` came."""

    def started(self, event: int, *, now_s: float) -> None:
        """Push said that ``event`` is live."""
        self._ended.discard(event)

    def ended(self, event: int, *, now_s: float) -> None:
        """Push said that ``event`` left the offering or is live no more."""
        if event in self._chosen:
            self._ended.add(event)
