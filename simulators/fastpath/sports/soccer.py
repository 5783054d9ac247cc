"""Soccer: penalties, video checks, cards, disallowed goals, shoot-outs."""

from collections.abc import Callable, Iterator
from typing import Final

from simulators.fastpath.family_a import PeriodRule
from simulators.fastpath.match import Note
from simulators.fastpath.sports.fixture_match import Course, FixtureMatch

_PENALTY: Final = ("Penalty Awarded", 106)
_FOUL: Final = ("Foul", 10_601)
_GOAL: Final = ("Goal", 50)
_POSSIBLE_CHECK: Final = ("Possible Video Check", 64)
_CHECK: Final = ("Video Check Underway", 51)
_CHECK_OVER: Final = ("Video Check Finished", 52)
_DISALLOWED: Final = ("Goal Disallowed", 60)
_YELLOW: Final = ("Yellow Card", 61)
_RED: Final = ("Red Card", 62)
_KICKS: Final = 5


class SoccerMatch(FixtureMatch):
    """One match of soccer."""

    def incidents(self, passed: float) -> Iterator[Course]:
        """Yield courses that begin now."""
        yield from super().incidents(passed)
        expected: tuple[tuple[Callable[[], Course], float], ...] = (
            (self._penalty, 2.0),
            (self._disallowed_goal, 1.5),
            (self._check, 2.0),
            (self._card, 5.0),
        )
        for begin, times in expected:
            if self._chance.random() < passed * times:
                yield begin()

    def after(self) -> Iterator[PeriodRule]:
        """Yield a shoot-out, should it stand level in every third match."""
        home, away = self.sheet.score
        if home == away and self._fixture.number % 3 == 0:
            yield PeriodRule(label="Penalty shootout", seconds=0, type="Shootout")

    def shootout(self) -> Iterator[Note]:
        """Yield kicks by turns; they are told, and the score of the match stays."""
        for _ in range(_KICKS):
            for team in self._fixture.teams:
                scored = self._chance.random() < 0.75
                kind = ("Shootout Penalty Scored", 108) if scored else ("Shootout Penalty Missed", 109)
                yield from self.live(self.kind(kind, team=team), ("Pending", "Confirmed"))

    def _penalty(self) -> Course:
        penalty = self.kind(_PENALTY)
        yield self.sheet.send(penalty, "Pending")
        if self._chance.random() < 0.3:
            yield self.sheet.send(penalty, "Deleted")
            return
        penalty.sub_type = _FOUL  # known only when it is confirmed
        yield self.sheet.send(penalty, "Confirmed")
        if self._chance.random() < 0.75:
            goal = self.kind(_GOAL, team=penalty.team, points=1, related=(penalty.id,))
            goal.sub_type = ("Penalty", 5_002)
            yield from self.live(goal, ("Pending", "Confirmed"))
        else:
            yield from self.live(self.kind(("Penalty Missed", 107), related=(penalty.id,)), ("Confirmed",))

    def _disallowed_goal(self) -> Course:
        goal = self.kind(_GOAL, points=1)
        yield self.sheet.send(goal, "Pending")
        yield self.sheet.send(goal, "Confirmed")
        yield from self.live(self.of_nobody(_POSSIBLE_CHECK, (goal.id,)), ("Confirmed",))
        yield from self.live(self.of_nobody(_CHECK, (goal.id,)), ("Confirmed",))
        yield self.sheet.send(goal, "Deleted")
        yield from self.live(self.kind(_DISALLOWED, team=goal.team, related=(goal.id,)), ("Confirmed",))
        if self._chance.random() < 0.2:  # the check is overturned
            yield self.sheet.send(goal, "Restored")

    def _check(self) -> Course:
        possible = self.of_nobody(_POSSIBLE_CHECK)
        yield self.sheet.send(possible, "Pending")
        if self._chance.random() < 0.5:
            yield self.sheet.send(possible, "Cancelled")
            return
        yield self.sheet.send(possible, "Confirmed")
        yield from self.live(self.of_nobody(_CHECK, (possible.id,)), ("Confirmed",))
        yield from self.live(self.of_nobody(_CHECK_OVER, (possible.id,)), ("Confirmed",))

    def _card(self) -> Course:
        card = self.kind(_YELLOW if self._chance.random() < 0.9 else _RED)
        yield self.sheet.send(card, "Pending")
        yield self.sheet.send(card, "Confirmed")
        if self._chance.random() < 0.2:
            card.metadata = {"reason": "Foul"}
            yield self.sheet.send(card, "Updated")
