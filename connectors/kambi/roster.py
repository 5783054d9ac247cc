"""Which events a shard wants: the offering API's lists and what push says about the life of events. Pure.

The two disagree now and then, so neither is believed at once where it would cost coverage: a list is cached somewhere,
and push is lost while a line is down.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

END_OUTRANKS_LISTS_S: Final = 30.0
"""For so long an event that push ended stays out although lists still have it; after that the list is right, not push:
what brought it back was said while nobody listened."""
_MISSING_IN_A_ROW: Final = 2  # one list may be short or old
_MOST_SAID: Final = 10_000  # events that push alone may name; no offering has a tenth of that live


@dataclass(slots=True)
class _Wanted:
    since_s: float
    missing: int = 0


class LiveRoster:
    """The live events of an offering, as far as can be known. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._wanted: dict[int, _Wanted] = {}
        self._ended: dict[int, float] = {}

    @property
    def events(self) -> tuple[int, ...]:
        """Events to follow."""
        return tuple(self._wanted)

    @property
    def in_doubt(self) -> bool:
        """Whether events were missing in the last list: the next one decides."""
        return any(wanted.missing for wanted in self._wanted.values())

    def listed(self, events: Iterable[int], *, asked_s: float) -> None:
        """The offering API was asked at ``asked_s`` and listed exactly ``events`` as live."""
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

    def listed(self, events: Iterable[int], *, asked_s: float) -> None:
        """What the offering lists does not change a person's choice."""

    def started(self, event: int, *, now_s: float) -> None:
        """Push said that ``event`` is live."""
        self._ended.discard(event)

    def ended(self, event: int, *, now_s: float) -> None:
        """Push said that ``event`` left the offering or is live no more."""
        if event in self._chosen:
            self._ended.add(event)
