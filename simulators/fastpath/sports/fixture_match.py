"""A match of family A: one action after the other, each with a life of its own."""

from collections.abc import Iterator
from random import Random
from typing import Final
from uuid import UUID

from simulators.fastpath.family_a import Action, PeriodRule, SendType, Sheet
from simulators.fastpath.fixture import Fixture, Team
from simulators.fastpath.match import Json, Moment, Note
from simulators.fastpath.sports.rules import Kind, SportRules

Course = Iterator[Note]
"""How one thing goes on, packet by packet; others happen between them."""

LIVES: Final[tuple[tuple[tuple[SendType, ...], float], ...]] = (
    (("Confirmed",), 70),
    (("Pending", "Confirmed"), 10),
    (("Pending", "Updated", "Confirmed"), 3),
    (("Confirmed", "Updated"), 6),
    (("Pending", "Deleted"), 4),
    (("Pending", "Cancelled"), 3),
    (("Confirmed", "Deleted"), 2),
    (("Confirmed", "Deleted", "Restored"), 2),
)
"""What becomes of an action, and how often."""
_SCORE_LIVES: Final[tuple[tuple[tuple[SendType, ...], float], ...]] = (
    (("Confirmed",), 5),
    (("Pending", "Confirmed"), 10),
    (("Pending", "Confirmed", "Updated"), 2),
    (("Pending", "Confirmed", "Deleted"), 1),
    (("Pending", "Confirmed", "Deleted", "Restored"), 1),
    (("Pending", "Cancelled"), 1),
)
_SHOW_MOST: Final = 3
"""Courses that run beside each other."""
_STATISTICS_EVERY: Final = 8


class FixtureMatch:
    """One match.

    Args:
        fixture: Which.
        moment: Now.
        chance: Draws what happens.
        rules: The sport's.
    """

    def __init__(self, fixture: Fixture, moment: Moment, chance: Random, rules: SportRules) -> None:
        self.sheet = Sheet(fixture, moment, chance)
        self._fixture = fixture
        self._moment = moment
        self._chance = chance
        self._rules = rules
        self._players = {team.id: list(_players(team, chance)) for team in fixture.teams}
        self._running: list[Course] = []
        self._tallies: dict[str, tuple[int, int]] = {}
        self._beats = 0
        self._seen_share = 0.0

    def play(self) -> Iterator[tuple[Note, ...]]:
        """Yield what is noted, beat by beat."""
        for note in self._play():
            self._beats += 1
            if self._beats % _STATISTICS_EVERY == 0:
                yield note, self.sheet.statistics(self._tallies)
            else:
                yield (note,)

    def suspend(self) -> Note | None:
        """Return the supervisor's word that the scorer is offline."""
        return self.sheet.suspend()

    def resume(self, *, dropped: bool) -> Note | None:
        """Return the word that the scorer is back, or given up."""
        return self.sheet.resume(dropped=dropped)

    def incidents(self, passed: float) -> Iterator[Course]:
        """Yield courses that begin in a ``passed`` share of the match: what is rare has to be as rare at any pace."""
        if self._chance.random() < passed * self._rules.scores:
            yield self._score()

    def after(self) -> Iterator[PeriodRule]:
        """Yield periods that are added because of how it stands."""
        return iter(())

    def kind(
        self,
        kind: Kind,
        *,
        team: Team | None = None,
        sub_type: Kind | None = None,
        points: int = 0,
        related: tuple[str, ...] = (),
    ) -> Action:
        """Return a new action of ``team``, by chance of either, and mostly of one of its players."""
        team = team or self._chance.choice(self._fixture.teams)
        self.sheet.home_in_possession = team.home
        action = self.sheet.action(*kind)
        action.team, action.player = team, self.player(team)
        action.sub_type, action.points, action.related = sub_type, points, related
        return action

    def of_nobody(self, kind: Kind, related: tuple[str, ...] = ()) -> Action:
        """Return a new action that names no team."""
        action = self.sheet.action(*kind)
        action.related = related
        return action

    def player(self, team: Team) -> Json | None:
        """Return a player of ``team``, or, as often, none."""
        return self._chance.choice(self._players[team.id]) if self._chance.random() < 0.5 else None

    def live(self, action: Action, life: tuple[SendType, ...]) -> Course:
        """Let ``action`` live through ``life``."""
        for send_type in life:
            note = self.sheet.send(action, send_type)
            if action.team is not None and send_type == "Confirmed":
                self._tally(action.name, action.team)
            yield note

    def drawn(self, lives: tuple[tuple[tuple[SendType, ...], float], ...]) -> tuple[SendType, ...]:
        """Return one of ``lives`` by weight."""
        return self._chance.choices([life for life, _ in lives], [weight for _, weight in lives])[0]

    def _play(self) -> Iterator[Note]:
        sheet = self.sheet
        yield sheet.told(1, 1)
        yield sheet.send(sheet.action("Start Fixture", 4), "Confirmed")
        periods = self._rules.periods
        for number, rule in enumerate(periods):
            yield from self._period(rule, number / len(periods), (number + 1) / len(periods))
        for rule in self.after():
            yield from self._period(rule, 1.0, 1.0)
        yield sheet.send(sheet.action("End Fixture", 5), "Confirmed")
        sheet.finished = True
        yield sheet.told(2, 5)

    def _period(self, rule: PeriodRule, begins: float, ends: float) -> Iterator[Note]:
        sheet = self.sheet
        sheet.start_period(rule)
        yield sheet.send(sheet.action("Start Period", 6), "Confirmed")
        if rule.seconds:
            sheet.clock_runs = True
            yield sheet.send(sheet.action("Start Clock", 8), "Confirmed")
        if rule.type == "Shootout":
            yield from self.shootout()
        while self._moment.share < ends:
            passed = self._moment.share - self._seen_share
            self._seen_share = self._moment.share
            sheet.elapsed_s = max(0, int((self._moment.share - begins) / (ends - begins) * rule.seconds))
            self._running.extend(self.incidents(passed))
            note = self._next()
            if note is not None:
                yield note
        for course in self._running:
            yield from course
        self._running.clear()
        sheet.end_period()
        yield sheet.send(sheet.action("End Period", 7), "Confirmed")

    def shootout(self) -> Iterator[Note]:
        """Yield what happens in a shoot-out."""
        return iter(())

    def _next(self) -> Note | None:
        """Return the next packet of a course that runs or begins now; ``None`` from one that had come to its end."""
        if not self._running or (len(self._running) < _SHOW_MOST and self._chance.random() < 0.5):
            self._running.append(self._routine())
        course = self._chance.choice(self._running)
        note = next(course, None)
        if note is None:
            self._running.remove(course)
        return note

    def _routine(self) -> Course:
        action = self.kind(self._chance.choice(self._rules.routine))
        if self._fixture.sport == "snooker" and action.name == "Foul":
            action.extra = {"reason": "Cue ball in pocket", "reasonId": 3}
        return self.live(action, self.drawn(LIVES))

    def _score(self) -> Course:
        scorings = self._rules.scorings
        scoring = self._chance.choices(scorings, [scoring.weight for scoring in scorings])[0]
        action = self.kind(scoring.kind, sub_type=scoring.sub_type, points=scoring.points)
        return self.live(action, self.drawn(_SCORE_LIVES))

    def _tally(self, name: str, team: Team) -> None:
        home, away = self._tallies.get(name, (0, 0))
        self._tallies[name] = (home + 1, away) if team.home else (home, away + 1)


def _players(team: Team, chance: Random) -> Iterator[Json]:
    for shirt in range(1, 24):
        yield {
            "id": str(UUID(int=chance.getrandbits(128), version=4)),
            "name": f"Player {shirt}",
            "shirtNumber": shirt,
            "teamId": team.id,
        }
