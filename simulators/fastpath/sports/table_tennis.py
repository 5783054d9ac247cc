"""Table tennis, first version of its feed: points under a number of their own beside the sequence number."""

from collections.abc import Iterator
from random import Random
from typing import Any, Final

from simulators.fastpath.fixture import Fixture
from simulators.fastpath.match import Moment, Note
from simulators.fastpath.sports.elements import ElementMatch

_POINTS: Final = 11
_TEAMS: Final = ("TeamA", "TeamB")


class TableTennisMatch(ElementMatch):
    """One match; it has as many games as its time needs."""

    def __init__(self, fixture: Fixture, moment: Moment, chance: Random) -> None:
        super().__init__(fixture, moment, chance)
        self._id = 5_000_000 + fixture.number * 10_000
        self._points = [0, 0]
        self._games = [0, 0]

    def play(self) -> Iterator[tuple[Note, ...]]:
        """Yield what is noted, beat by beat."""
        yield (self._told("MatchStatusUpdate", matchStatus={"matchState": {"state": "InProgress"}}),)
        while self._moment.share < 1:
            yield (self._told("PointStarted"),)
            winner = self._chance.randrange(2)
            self._points[winner] += 1
            yield (self._told("PointScored", details={"scoredBy": _TEAMS[winner]}, score=self._score()),)
            if max(self._points) >= _POINTS and abs(self._points[0] - self._points[1]) > 1:
                self._games[winner] += 1
                self._points = [0, 0]
                yield (self._told("GameFinished", score=self._score()),)
        yield (self._told("MatchStatusUpdate", matchStatus={"matchState": {"state": "Complete"}}),)

    def _told(self, name: str, **fields: Any) -> Note:
        self._id += 1
        return self.element(name, id=self._id, **fields)

    def _score(self) -> dict[str, int]:
        return {
            "pointsA": self._points[0],
            "pointsB": self._points[1],
            "gamesA": self._games[0],
            "gamesB": self._games[1],
        }
