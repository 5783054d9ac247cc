"""Which routing keys go on which line: desired events in, subscribe and unsubscribe actions out. Pure.

Rules (vendor sheet §4): a connection holds at most ``max_keys`` keys; general keys have a line of their own; the two
keys of an event stay together; new events go where most room is and freed places are used again rather than
rebalanced; what moves is subscribed at its new place before its old place drops it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from connectors.kambi import keys, names
from connectors.kambi.places import Places

_KEYS_PER_EVENT: Final = 2


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

    The caller says :meth:`connected` when a line is up with all of :meth:`keys_of` emitted, :meth:`subscribed` when a
    ``Subscribe`` was emitted on a line that is up, and :meth:`refused` for each 429.
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
        places: Places,
    ) -> None:
        self._offering = offering
        self._language = language
        self._general_keys = keys.general_pair(offering, language, extended=extended)
        self._shard = shard
        self._replica = replica
        self._pairs_per_line = max_keys // _KEYS_PER_EVENT
        self._places = places
        self._lines: dict[str, _EventLine] = {}
        self._desired: dict[int, None] = {}
        self._ended: set[int] = set()
        self.general_line: Final = names.general(shard, replica)

    # -- what is planned ---------------------------------------------------------------------------------------------

    def keys_of(self, line: str) -> tuple[str, ...]:
        """Return every key that ``line`` holds, in the order to emit them after a connect."""
        if line == self.general_line:
            return self._general_keys
        state = self._lines[line]
        return tuple(key for event in (*state.events, *state.leaving) for key in self._pair(event))

    @property
    def unplaced(self) -> tuple[int, ...]:
        """Desired events that found no room; they are placed as soon as there is some."""
        placed = {event for line in self._lines.values() for event in line.events}
        return tuple(event for event in self._desired if event not in placed and event not in self._ended)

    # -- what is wanted ----------------------------------------------------------------------------------------------

    def want(self, events: Iterable[int]) -> list[Action]:
        """Follow exactly ``events``. One that ended is not taken up again while the offering still lists it."""
        self._desired = dict.fromkeys(events)
        self._ended &= self._desired.keys()
        return self._settle()

    def ended(self, event: int) -> list[Action]:
        """Drop ``event``: it left the offering or is live no more."""
        if event in self._desired:
            self._ended.add(event)
        return self._settle()

    def started(self, event: int) -> list[Action]:
        """Take ``event`` up again when it is desired and had ended."""
        self._ended.discard(event)
        return self._settle()

    # -- what happened -----------------------------------------------------------------------------------------------

    def connected(self, line: str) -> list[Action]:
        """All keys of ``line`` were emitted on a new connection, whose limit is not known yet."""
        if line in self._lines:
            self._lines[line].capacity = self._pairs_per_line
        return [*self.subscribed(line), *self._settle()]

    def subscribed(self, line: str) -> list[Action]:
        """The new keys of ``line`` were emitted: drop its events from the places they came from."""
        actions: list[Action] = []
        for event in self._lines[line].events if line in self._lines else ():
            for name, old in self._lines.items():
                if event in old.leaving:
                    del old.leaving[event]
                    actions.append(Unsubscribe(line=name, keys=self._pair(event)))
        return actions

    def refused(self, line: str, key: str) -> list[Action]:
        """The server refused ``key`` on ``line`` (429): its event moves, and ``line`` takes no more than it holds."""
        parsed = keys.parse(key)
        state = self._lines.get(line)
        if state is None or parsed is None or parsed.event is None or parsed.event not in state.events:
            return []  # a general key has no other place; the second key of a pair that is moving already needs none
        event = parsed.event
        del state.events[event]
        state.capacity = len(state.events) + len(state.leaving)
        actions = self._place(event)
        if actions:
            state.leaving[event] = None  # the other key of the pair may be held: it goes when the new place has both
            return actions
        return [Unsubscribe(line=line, keys=self._pair(event))]

    # -- private -----------------------------------------------------------------------------------------------------

    def _settle(self) -> list[Action]:
        subscribe = [action for event in self.unplaced for action in self._place(event)]
        unsubscribe: list[Action] = []
        for name, line in self._lines.items():
            for held in (line.events, line.leaving):
                for event in [e for e in held if e not in self._desired or e in self._ended]:
                    del held[event]
                    unsubscribe.append(Unsubscribe(line=name, keys=self._pair(event)))
        # Only what found no room before the drops has to come after them.
        late = [action for event in self.unplaced for action in self._place(event)] if unsubscribe else []
        return [*subscribe, *unsubscribe, *late]

    def _place(self, event: int) -> list[Action]:
        name = max(self._lines, key=lambda line: self._lines[line].room, default=None)
        if name is None or self._lines[name].room < 1:
            if not self._places.take():
                return []
            name = names.events(self._shard, len(self._lines), self._replica)
            self._lines[name] = _EventLine(capacity=self._pairs_per_line)
        self._lines[name].events[event] = None
        return [Subscribe(line=name, keys=self._pair(event))]

    def _pair(self, event: int) -> tuple[str, str]:
        return keys.event_pair(self._offering, self._language, event)
