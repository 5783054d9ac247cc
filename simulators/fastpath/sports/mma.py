"""Mixed martial arts: what fighters do by rounds; a scorer takes things back and puts others in between."""

from collections.abc import Iterator
from random import Random
from typing import Final

from simulators.fastpath.fixture import Fixture
from simulators.fastpath.match import Json, Moment, Note
from simulators.fastpath.sports.elements import ElementMatch

_COUNTS: Final = {
    "TakedownAttempt": "takedownAttempt",
    "TakedownLanded": "takedownLanded",
    "SubmissionAttempt": "submissionAttempt",
    "Reversal": "reversal",
    "Knockdown": "knockdown",
}
_FIGHTERS: Final = ("Red", "Blue")
_ROUNDS: Final = 3
_ROUND_S: Final = 300
_UNDO_SHARE: Final = 0.06
_INSERTION_SHARE: Final = 0.05
_STATISTICS_EVERY: Final = 5

Tally = dict[str, dict[str, int]]


def _none() -> Tally:
    return {fighter.lower(): dict.fromkeys(_COUNTS.values(), 0) for fighter in _FIGHTERS}


class MmaFight(ElementMatch):
    """One fight."""

    def __init__(self, fixture: Fixture, moment: Moment, chance: Random) -> None:
        super().__init__(fixture, moment, chance)
        self._round = 1
        self._rounds: dict[str, Tally] = {}
        self._told = 0

    def play(self) -> Iterator[tuple[Note, ...]]:
        """Yield what is noted, beat by beat."""
        fighters = [
            {"fighter": fighter, "name": team.name, "nickName": None}
            for fighter, team in zip(_FIGHTERS, self._fixture.teams, strict=True)
        ]
        yield (self.element("FightStatusUpdate", status="Started", fighters=fighters),)
        for number in range(1, _ROUNDS + 1):
            self._round = number
            self._rounds[str(number)] = _none()  # keyed by a string, as the vendor does
            yield (self.element("RoundStarted", roundNum=number, stats=self._stats()),)
            while self._moment.share < number / _ROUNDS:
                yield from self._exchange()
            yield (self.element("RoundEnded", roundNum=number, stats=self._stats()),)
        winner = {"fighter": self._chance.choice(_FIGHTERS), "method": "Decision"}
        yield (self.element("FightResult", **winner, stats=self._stats()),)

    def _exchange(self) -> Iterator[tuple[Note, ...]]:
        name, fighter = self._chance.choice(list(_COUNTS)), self._chance.choice(_FIGHTERS)
        self._count(name, fighter, 1)
        done = self._deed(name, fighter)
        self._told += 1
        livestats = (self.document("statistics", stats=self._stats()),)
        yield (done, *livestats) if self._told % _STATISTICS_EVERY == 0 else (done,)
        luck = self._chance.random()
        if luck < _UNDO_SHARE:
            self._count(name, fighter, -1)
            undo = self.element("Undo", eventUndoneIdentifier=None, stats=self._stats())
            undo.refers, undo.refers_as = done, "eventUndoneIdentifier"
            yield (undo,)
        elif luck < _UNDO_SHARE + _INSERTION_SHARE:
            missed, by = self._chance.choice(list(_COUNTS)), self._chance.choice(_FIGHTERS)
            self._count(missed, by, 1)
            inserted = {
                "eventElementType": missed,
                "fighter": by,
                "roundNum": self._round,
                "roundTime": self._round_time(),
            }
            yield (self.element("Insertion", eventInserted=inserted, stats=self._stats()),)

    def _deed(self, name: str, fighter: str) -> Note:
        return self.element(
            name, fighter=fighter, roundNum=self._round, roundTime=self._round_time(), stats=self._stats()
        )

    def _count(self, name: str, fighter: str, by: int) -> None:
        self._rounds[str(self._round)][fighter.lower()][_COUNTS[name]] += by

    def _stats(self) -> Json:
        fight = _none()
        for tally in self._rounds.values():
            for fighter, counts in tally.items():
                for what, count in counts.items():
                    fight[fighter][what] += count
        rounds = {
            number: {fighter: dict(counts) for fighter, counts in tally.items()}
            for number, tally in self._rounds.items()
        }
        return {"fight": fight, "round": rounds}

    def _round_time(self) -> str:
        left = _ROUND_S - int((self._moment.share * _ROUNDS - (self._round - 1)) * _ROUND_S)
        left = min(max(left, 0), _ROUND_S)
        return f"{left // 60}:{left % 60:02}"
