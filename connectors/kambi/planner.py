"""Which routing keys go on which line: desired events in, subscribe and unsubscribe actions out. Pure.

Rules (fact sheet §4): a connection holds at most ``max_keys`` keys; general keys have a line of their own; the two
keys of an event stay together; new events go where most room is and freed places are used again rather than
rebalanced; what moves is subscribed at its new place before its old place drops it. All keys are of one offering and
one language: messages name neither.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from connectors.kambi import keys, names

_KEYS_PER_EVENT: Final = 2

Coverage = Literal["full", "main"]
"""``full``: both keys of the event are asked for; ``main``: only what the general channels carry of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribe:
    """Emit ``subscribe`` for ``keys`` on ``line``; a line not seen before is to be opened."""

    line: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsubscribe:
    """Emit ``unsubscribe`` for ``keys`` on ``line``."""

    line: str
    keys: tuple[str, ...]


Action = Subscribe | Unsubscribe


@dataclass(slots=True)
class _EventLine:
    """One event line; ``leaving`` events have moved but their keys are still held here."""

    capacity: int
    events: dict[int, None] = field(default_factory=dict)
    leaving: dict[int, None] = field(default_factory=dict)

    @property
    def room(self) -> int:
        return self.capacity - len(self.events) - len(self.leaving)


class Planner:
    """Keep desired events and lines in agreement; carry out the actions in the order they are returned.

    The caller says :meth:`connected` when a line is up with all of :meth:`keys_of` emitted, :meth:`subscribed` when
    emitted keys have to be in force, :meth:`refused` for each 429, :meth:`denied` for each refusal of another code,
    and :meth:`retry` now and then.
    """

    def __init__(
        self,
        *,
        offering: str,
        language: str,
        extended: bool,
        shard: int,
        replica: str,
        max_keys: int,
        max_lines: int,
    ) -> None:
        self._offering = offering
        self._language = language
        self._general_keys = keys.general_pair(offering, language, extended=extended)
        self._shard = shard
        self._replica = replica
        self._pairs_per_line = max_keys // _KEYS_PER_EVENT
        self._max_lines = max_lines
        self._lines: dict[str, _EventLine] = {}
        self._desired: dict[int, None] = {}
        self._place_of: dict[int, str] = {}
        self._denied: set[str] = set()
        self._refused_general: dict[str, None] = {}
        self.general_line: Final = names.general(shard, replica)

    # -- what is planned ---------------------------------------------------------------------------------------------

    @property
    def lines(self) -> tuple[str, ...]:
        """Every line, the general one first."""
        return (self.general_line, *self._lines)

    def keys_of(self, line: str) -> tuple[str, ...]:
        """Return every key that ``line`` holds, in the order to emit them after a connect."""
        if line == self.general_line:
            return self._general_keys
        state = self._lines[line]
        return tuple(key for event in (*state.events, *state.leaving) for key in self._pair(event))

    @property
    def unplaced(self) -> tuple[int, ...]:
        """Desired events that found no room; they are placed as soon as there is some."""
        return tuple(event for event in self._desired if event not in self._place_of)

    @property
    def coverage(self) -> Mapping[int, Coverage]:
        """How much of each desired event is asked for, refusals minded."""
        return {event: self._coverage(event) for event in self._desired}

    # -- what is wanted ----------------------------------------------------------------------------------------------

    def want(self, events: Iterable[int]) -> list[Action]:
        """Follow exactly ``events``."""
        self._desired = dict.fromkeys(events)
        return self._settle()

    # -- what happened -----------------------------------------------------------------------------------------------

    def connected(self, line: str) -> list[Action]:
        """All keys of ``line`` were emitted on a new connection, whose limits are not known yet."""
        self._denied.difference_update(self.keys_of(line))
        if line == self.general_line:
            self._refused_general.clear()
        else:
            self._lines[line].capacity = self._pairs_per_line
        return self._settle()

    def subscribed(self, line: str, topics: Iterable[str]) -> list[Action]:
        """``topics`` have to be in force on ``line`` by now: drop their events from the places they came from."""
        actions: list[Action] = []
        for event in dict.fromkeys(key.event for topic in topics if (key := keys.parse(topic)) is not None):
            if event is None or self._place_of.get(event) != line:
                continue  # a general key, or the event has ended or moved on meanwhile
            for name, old in self._lines.items():
                if event in old.leaving:
                    del old.leaving[event]
                    actions.append(Unsubscribe(line=name, keys=self._pair(event)))
        return actions

    def refused(self, line: str, topic: str) -> list[Action]:
        """The server refused ``topic`` on ``line`` (429): its event moves, and ``line`` takes no more than it holds."""
        if line == self.general_line and topic in self._general_keys:
            self._refused_general[topic] = None  # there is no other place for it: see retry
            return []
        event = self._event_of(topic)
        if event is None or self._place_of.get(event) != line:
            return []  # no key of ours; or the second key of a pair that is moving already
        state = self._lines[line]
        del state.events[event], self._place_of[event]
        state.capacity = len(state.events) + len(state.leaving)
        actions = self._place(event)
        if actions:
            state.leaving[event] = None  # the other key of the pair may be held: it goes when the new place has both
            return actions
        return [Unsubscribe(line=line, keys=self._pair(event))]

    def denied(self, topic: str) -> None:
        """The server refused ``topic`` for a reason that another connection does not mend."""
        if self._event_of(topic) in self._place_of:
            self._denied.add(topic)

    def retry(self) -> list[Action]:
        """Try a little more than lines were granted: a limit that was lifted is seen only by trying.

        Nothing is tried while every key has its place.
        """
        actions: list[Action] = []
        if self._refused_general:
            actions.append(Subscribe(line=self.general_line, keys=tuple(self._refused_general)))
            self._refused_general.clear()
        if self.unplaced:
            for line in self._lines.values():
                line.capacity = min(max(line.capacity, len(line.events) + len(line.leaving)) + 1, self._pairs_per_line)
        return [*actions, *self._settle()]

    # -- private -----------------------------------------------------------------------------------------------------

    def _settle(self) -> list[Action]:
        subscribe = [action for event in self.unplaced for action in self._place(event)]
        unsubscribe: list[Action] = []
        for name, line in self._lines.items():
            for event in [event for event in (*line.events, *line.leaving) if event not in self._desired]:
                if event in line.events:
                    del line.events[event], self._place_of[event]
                line.leaving.pop(event, None)
                self._denied.difference_update(self._pair(event))
                unsubscribe.append(Unsubscribe(line=name, keys=self._pair(event)))
        # Only what found no room before the drops has to come after them.
        late = [action for event in self.unplaced for action in self._place(event)] if unsubscribe else []
        return [*subscribe, *unsubscribe, *late]

    def _place(self, event: int) -> list[Action]:
        name = max(self._lines, key=lambda line: self._lines[line].room, default=None)
        if name is None or self._lines[name].room < 1:
            if len(self._lines) >= self._max_lines:
                return []
            name = names.events(self._shard, len(self._lines), self._replica)
            self._lines[name] = _EventLine(capacity=self._pairs_per_line)
        self._lines[name].events[event] = None
        self._lines[name].leaving.pop(event, None)  # it comes back to where it was: nothing is to be dropped there
        self._place_of[event] = name
        return [Subscribe(line=name, keys=self._pair(event))]

    def _coverage(self, event: int) -> Coverage:
        whole = event in self._place_of and self._denied.isdisjoint(self._pair(event))
        return "full" if whole else "main"

    def _event_of(self, topic: str) -> int | None:
        """Return the event that ``topic`` is a key of, if it is one that this plan would make."""
        key = keys.parse(topic)
        if key is None or key.event is None or topic not in self._pair(key.event):
            return None
        return key.event

    def _pair(self, event: int) -> tuple[str, str]:
        return keys.event_pair(self._offering, self._language, event)
