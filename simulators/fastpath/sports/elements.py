"""Family B: flat packets that say what they are in ``eventElementType``; most do not name their match."""

from collections.abc import Iterator
from random import Random
from typing import Any

from simulators.fastpath.channel import NUMBER
from simulators.fastpath.fixture import Fixture
from simulators.fastpath.match import Json, Moment, Note, Role, stamp


class ElementMatch:
    """What the sports of family B have in common.

    Args:
        fixture: Which.
        moment: Now.
        chance: Draws what happens.
    """

    def __init__(self, fixture: Fixture, moment: Moment, chance: Random) -> None:
        self._fixture = fixture
        self._moment = moment
        self._chance = chance

    def play(self) -> Iterator[tuple[Note, ...]]:
        """Yield what is noted, beat by beat."""
        raise NotImplementedError

    def suspend(self) -> Note | None:
        """Return nothing: family B has no such packet."""
        return None

    def resume(self, *, dropped: bool) -> Note | None:
        """Return nothing: family B has no such packet."""
        return None

    def element(self, name: str, **fields: Any) -> Note:
        """Return an event element of now."""
        body: Json = {"seqNum": NUMBER, "eventElementType": name, "timestamp": stamp(self._moment.now_ns)}
        return Note(role="actions", body=body | fields)

    def document(self, role: Role, **fields: Any) -> Note:
        """Return a packet that says no ``eventElementType``: an aggregate or a whole document."""
        return Note(role=role, body={"seqNum": NUMBER, "timestamp": stamp(self._moment.now_ns)} | fields)
