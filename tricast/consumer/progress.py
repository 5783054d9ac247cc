"""Which records a reader has done: what to commit, and what to pass over after a resume. Pure."""

from collections.abc import Iterable, Mapping

from tricast.consumer.event import Event, Place


class Progress:
    """What was handed out, and how far that is done; at most one record is in hand.

    A record is done when the next one is asked for, or when its reader says so. What is in hand when a reader dies is
    handed out again: at least once, unless positions are stored with the results (``Done``).
    """

    def __init__(self) -> None:
        self._done: dict[Place, int] = {}
        self._in_hand: Event | None = None

    def hand_out(self, event: Event) -> None:
        """``event`` goes to the reader now; what it had is done."""
        self.settle()
        self._in_hand = event

    def settle(self) -> None:
        """The record in hand is done."""
        if self._in_hand is not None:
            self._done[self._in_hand.place] = self._in_hand.offset + 1
            self._in_hand = None

    def take(self) -> dict[Place, int]:
        """Return the next offsets since the last call: what is to be committed."""
        done, self._done = self._done, {}
        return done

    def put_back(self, offsets: Mapping[Place, int]) -> None:
        """What was taken could not be committed."""
        self._done = {**offsets, **self._done}

    def lose(self, places: Iterable[Place]) -> None:
        """Somebody else reads ``places`` now, from what was committed; nothing of them is ours any more."""
        lost = set(places)
        self._done = {place: offset for place, offset in self._done.items() if place not in lost}
        if self._in_hand is not None and self._in_hand.place in lost:
            self._in_hand = None


class Done:
    """Positions kept with the results: tells records that were done before from new ones.

    Store ``next_offsets`` in the transaction that stores what came of the records; after a restart begin with what is
    stored there. Then each record counts once, whatever Kafka hands out again.

    Args:
        next_offsets: As stored; nothing at first.
    """

    def __init__(self, next_offsets: Mapping[Place, int] | None = None) -> None:
        self._next = dict(next_offsets or {})

    @property
    def next_offsets(self) -> dict[Place, int]:
        """To be stored, and to be given to a reader as ``positions``."""
        return dict(self._next)

    def is_new(self, event: Event) -> bool:
        """Return whether ``event`` was not done before, and count it as done."""
        if event.offset < self._next.get(event.place, 0):
            return False
        self._next[event.place] = event.offset + 1
        return True


class Seen:
    """The newest identities, for who stores no positions: doubles further apart than ``most`` records go unnoticed.

    Args:
        most: Identities remembered; the oldest go first.
    """

    def __init__(self, most: int = 100_000) -> None:
        self._most = most
        self._ids: dict[tuple[str, str], None] = {}

    def is_new(self, event: Event) -> bool:
        """Return whether no record of this source and id was seen, and remember it."""
        identity = (event.source, event.id)
        if identity in self._ids:
            return False
        self._ids[identity] = None
        if len(self._ids) > self._most:
            del self._ids[next(iter(self._ids))]
        return True
