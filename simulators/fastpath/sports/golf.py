"""Golf: one team's round, shot by shot, and the tournament's leaderboard as a whole document."""

from collections.abc import Iterator
from random import Random
from typing import Any, Final

from simulators.fastpath.channel import NUMBER
from simulators.fastpath.fixture import Fixture
from simulators.fastpath.match import Json, Moment, Note
from simulators.fastpath.sports.elements import ElementMatch

_HOLES: Final = 18
_PAR: Final = 4
_LIES: Final = ("Fairway", "Rough", "Bunker", "Green")
_MODE_SHARE: Final = 0.02
_CORRECTION_SHARE: Final = 0.03
_PENALTY_SHARE: Final = 0.03


class GolfRound(ElementMatch):
    """One team's round; it hits as often as its time needs."""

    def __init__(self, fixture: Fixture, moment: Moment, chance: Random) -> None:
        super().__init__(fixture, moment, chance)
        tournament, number, team = fixture.id.split("-")
        self._tournament = tournament
        self._round, self._team = int(number), int(team)
        self._hole = 1
        self._strokes = 0
        self._to_par = 0
        older = fixture.number % 2 == 1  # older packets name neither group nor round (fact sheet §15)
        self._place: Json = {} if older else {"groupId": 700_000 + fixture.number, "roundNo": self._round}

    def play(self) -> Iterator[tuple[Note, ...]]:
        """Yield what is noted, beat by beat."""
        yield (self._status("RoundStarted"),)
        for hole in range(1, _HOLES + 1):
            self._hole, self._strokes = hole, 0
            yield (self._status("HoleStarted"),)
            while self._moment.share < hole / _HOLES:
                yield from self._shot()
            yield (self._told("BallHoled", strokes=self._strokes),)
            self._to_par += min(self._strokes, 2 * _PAR) - _PAR
            yield (
                self._told("HoleScoreUpdate", strokes=self._strokes, toPar=self._shown()),
                self._leaderboard(),
            )
            yield (self._status("HoleFinished"),)
        yield (self._status("RoundFinished"),)

    def _shot(self) -> Iterator[tuple[Note, ...]]:
        yield (self._told("AddressingBall"),)
        self._strokes += 1
        yield (self._told("HitBall", strokeNo=self._strokes),)
        lie = self._chance.choice(_LIES)
        yield (self._told("ApproximateLie", lie=lie),)
        position = {"x": round(self._chance.uniform(0, 500), 3), "y": round(self._chance.uniform(0, 80), 3), "z": 0.0}
        yield (self._told("DetailedLie", lie=lie, coordinates=position),)
        luck = self._chance.random()
        if luck < _MODE_SHARE:  # no timestamp, no ids
            mode = {"eventElementType": "ModeChange", "mode": self._chance.choice(("Live", "Basic")), "seqNum": NUMBER}
            yield (Note(role="actions", body=mode),)
        elif luck < _MODE_SHARE + _CORRECTION_SHARE:
            yield (self._told("Correction", strokeNo=self._strokes, lie=self._chance.choice(_LIES)),)
        elif luck < _MODE_SHARE + _CORRECTION_SHARE + _PENALTY_SHARE:
            self._strokes += 1
            yield (self._told("Penalty", strokes=1),)
            yield (self._told("BallDrop"),)

    def _status(self, state: str) -> Note:
        return self._told("RoundStatusUpdate", state=state)

    def _told(self, name: str, **fields: Any) -> Note:
        note = self.element(name)
        player: int | str = 70 if self._fixture.number % 2 == 0 else "123"  # both forms are seen
        note.body = {
            **note.body,
            "timestampReceived": None,  # said when it is published
            "courseId": "311",
            **self._place,
            "groupNo": 4,
            "teamNo": self._team,
            "playerId": player,
            "holeNo": (self._hole + 8) % _HOLES + 1,
            "holeOrder": self._hole,
            **fields,
        }
        return note

    def _leaderboard(self) -> Note:
        others = [
            {"position": str(place), "teamNo": 100 + place, "toPar": f"{place - 4:+}" if place != 4 else "E"}
            for place in range(1, 8)
        ]
        own = {"position": "T4", "teamNo": self._team, "toPar": self._shown(), "thru": self._hole}
        return self.document("leaderboard", tournamentId=self._tournament, roundNo=self._round, teams=[own, *others])

    def _shown(self) -> str:
        return f"{self._to_par:+}" if self._to_par else "E"
