"""Tennis: points, games, sets; a packet number 0 long before the first."""

from collections.abc import Iterator
from random import Random
from typing import Final

from simulators.fastpath.channel import NUMBER
from simulators.fastpath.fixture import Fixture
from simulators.fastpath.match import Json, Moment, Note
from simulators.fastpath.sports.elements import ElementMatch

_LADDER: Final = ("0", "15", "30", "40")
_TEAMS: Final = ("TeamA", "TeamB")
_FAULT_SHARE: Final = 0.2
_STATISTICS_EVERY: Final = 4
_GAMES: Final = 6


def placeholder() -> Note:
    """Return what stands in the list before a match: its number is 0 (fact sheet §5.1)."""
    body: Json = {
        "seqNum": NUMBER,
        "eventElementType": "MatchStatusUpdate",
        "timestamp": "1970-01-01T00:00:00.000Z",
        "matchTime": "00:00:00",
        "courtNum": -1,  # documented as a string
        "matchStatus": {"matchState": {"state": "NotStarted"}, "numSets": -1},
    }
    return Note(role="actions", body=body)


class TennisMatch(ElementMatch):
    """One match; it has as many sets as its time needs, so that any pace fills it."""

    def __init__(self, fixture: Fixture, moment: Moment, chance: Random) -> None:
        super().__init__(fixture, moment, chance)
        self._started_ns = moment.now_ns
        self._points = [0, 0]
        self._games = [0, 0]
        self._sets: list[tuple[int, int]] = []
        self._server = 0
        self._served = [[0, 0], [0, 0]]
        self._told = 0

    def play(self) -> Iterator[tuple[Note, ...]]:
        """Yield what is noted, beat by beat."""
        for state in ("PlayersArriveOnCourt", "PlayersWarmUp", "PlayIn"):
            yield (self._status(state),)
        while self._moment.share < 1:
            yield from self._point()
        yield (self._status("Complete"),)

    def _point(self) -> Iterator[tuple[Note, ...]]:
        yield (self.element("PointStarted", **self._servers()),)
        served = self._served[self._server]
        served[0] += 1
        if self._chance.random() < _FAULT_SHARE:
            yield (self.element("PointFault", **self._servers(), details={"faultNumber": 1}),)
        else:
            served[1] += 1
        winner = self._chance.randrange(2)
        self._points[winner] += 1
        server = _TEAMS[self._server]
        self._count()
        scored = self.element(
            "PointScored",
            matchTime=self._match_time(),
            server={"team": server},
            nextServer={"team": _TEAMS[self._server]},
            details={"scoredBy": _TEAMS[winner], "pointType": self._chance.choice(("Standard", "Ace", "Winner"))},
            score=self._score(),
        )
        self._told += 1
        yield (scored, self._statistics()) if self._told % _STATISTICS_EVERY == 0 else (scored,)

    def _count(self) -> None:
        """Let a game, and a set, end where the last point ended it."""
        if max(self._points) < 4 or abs(self._points[0] - self._points[1]) < 2:
            return
        self._games[self._points.index(max(self._points))] += 1
        self._points = [0, 0]
        self._server = 1 - self._server
        if max(self._games) > _GAMES or (max(self._games) == _GAMES and abs(self._games[0] - self._games[1]) > 1):
            self._sets.append((self._games[0], self._games[1]))
            self._games = [0, 0]

    def _score(self) -> Json:
        a, b = self._points
        if min(a, b) >= 3:
            shown = ("40", "40") if a == b else ("Adv", "40") if a > b else ("40", "Adv")
        else:
            shown = (_LADDER[a], _LADDER[b])
        sets_a = sum(games_a > games_b for games_a, games_b in self._sets)
        return {
            "currentGameScore": {"gameType": "StandardGame", "pointsA": shown[0], "pointsB": shown[1]},
            "currentSetScore": {"gamesA": self._games[0], "gamesB": self._games[1]},
            "overallSetScore": {"setsA": sets_a, "setsB": len(self._sets) - sets_a},
            "previousSetsScore": [{"gamesA": games_a, "gamesB": games_b} for games_a, games_b in self._sets[-5:]],
        }

    def _servers(self) -> Json:
        team = {"team": _TEAMS[self._server]}
        return {"matchTime": self._match_time(), "server": team, "nextServer": team}

    def _status(self, state: str) -> Note:
        status = {"matchState": {"state": state}, "numSets": 3, "locationTimestamp": "2026-06-01T12:00:00.000"}
        return self.element(
            "MatchStatusUpdate", matchTime=self._match_time(), courtNum="7", matchStatus=status
        )  # the local time has no zone (§15)

    def _statistics(self) -> Note:
        teams = {
            f"team{side}": {"1stServe%": round(100 * good / total) if total else 0, "pointsServed": total}
            for side, (total, good) in zip("AB", self._served, strict=True)
        }
        return self.document("statistics", **teams)

    def _match_time(self) -> str:
        seconds = max(0, self._moment.now_ns - self._started_ns) // 1_000_000_000
        return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
