"""Tennis, best of three: points one by one, bet offers priced from strength and score."""

import math
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

from simulators.kambi.book import (
    Counted,
    Happening,
    Incident,
    Market,
    Quote,
    Reported,
    Selection,
    Told,
    pair,
    spread,
    two_way,
)

_POINTS_PER_MATCH = 110
"""Points of an ordinary match; spreads them over the duration that is wished for."""
_OPEN = (0.03, 0.97)
_POINT_PAUSE_MS = 900
_GAME_PAUSE_MS = 3_000
_SERVER_EDGE = 0.13
_LADDER = ("0", "15", "30", "40", "A")
_ACE_SHARE = 0.07
_DOUBLE_FAULT_SHARE = 0.03

# Criterion ids of tennis are made up.
RESULT = Market(
    criterion_id=1009100001, label="Match Odds", type_id=2, type_name="Match", reach="listed", main=True
)  # fmt: skip
SET_WINNER = Market(
    criterion_id=1009100002, label="Set Winner", type_id=2, type_name="Match", reach="listed", decided_when_gone=True
)
GAME_WINNER = Market(criterion_id=1009100003, label="Game Winner", type_id=2, type_name="Match", decided_when_gone=True)
TOTAL_GAMES = Market(
    criterion_id=1009100004, label="Total Games", type_id=6, type_name="Over/Under", reach="extended"
)  # fmt: skip
GAME_HANDICAP = Market(criterion_id=1009100005, label="Game Handicap", type_id=1, type_name="Handicap")
SET_BETTING = Market(criterion_id=1009100006, label="Set Betting", type_id=3, type_name="Correct Score")
TIE_BREAK = Market(criterion_id=1009100007, label="Tie Break in Set", type_id=18, type_name="Yes/No")
GAME_SCORE = Market(
    criterion_id=1009100008, label="Correct Score of Game", type_id=3, type_name="Correct Score", decided_when_gone=True
)

_AFTER_POINT = frozenset({GAME_WINNER.criterion_id, GAME_SCORE.criterion_id, SET_WINNER.criterion_id})
"""Suspended after every point; the rest only when a game ends."""


class TennisMatch:
    """One match of about ``duration_ms``; how long exactly is up to the points."""

    def __init__(self, *, duration_ms: float, chance: Random) -> None:
        self._point_ms = duration_ms / _POINTS_PER_MATCH
        self._until_point_ms = self._point_ms
        self._strength = chance.gauss(0.0, 0.05)
        self._home_serves = chance.random() < 0.5
        self._sets: list[list[int]] = [[0, 0]]
        self._points = [0, 0]
        self._tallies: dict[str, int] = {}

    @property
    def finished(self) -> bool:
        return 2 in self._sets_won()

    def advance(self, elapsed_ms: float, chance: Random) -> Sequence[Happening]:
        self._until_point_ms -= elapsed_ms
        if self._until_point_ms > 0 or self.finished:
            return ()
        self._until_point_ms += self._point_ms * chance.uniform(0.6, 1.4)
        home_served = self._home_serves
        winner = 0 if chance.random() < self._home_wins_point() else 1
        self._points[winner] += 1
        return [*self._point_told(), *self._counted(home_served, winner, chance)]

    def clock(self) -> None:
        return None

    def score(self) -> dict[str, Any]:
        home, away = self._points
        if min(home, away) >= 3:  # deuce and advantage
            home, away = 3 + (home > away), 3 + (away > home)
        return {"home": _LADDER[home], "away": _LADDER[away], "who": "UNKNOWN"}

    def statistics(self) -> dict[str, Any]:
        scores = [*self._sets[:3], *([-1, -1] for _ in range(3 - len(self._sets)))]
        return {
            "sets": {
                "home": [games[0] for games in scores],
                "away": [games[1] for games in scores],
                "homeServe": self._home_serves,
            }
        }

    def quotes(self) -> tuple[Quote, ...]:
        return tuple(self._quotes())

    def _point_told(self) -> Iterator[Happening]:
        if not self._game_over():
            yield Incident(criteria=_AFTER_POINT, pause_ms=_POINT_PAUSE_MS)
            yield Told(part="score")
            return
        yield Incident(criteria=None, pause_ms=_GAME_PAUSE_MS)
        yield Told(part="score")
        yield Told(part="statistics")
        games = sum(sum(score) for score in self._sets)
        yield Reported(type="INFO", minute=games * 4, message=f"Game {games} is over")

    def _counted(self, home_served: bool, winner: int, chance: Random) -> Iterator[Happening]:
        side = "HOME" if home_served else "AWAY"
        served_well = (winner == 0) == home_served
        luck = chance.random()
        share, name = (_ACE_SHARE, "ACES_WON") if served_well else (_DOUBLE_FAULT_SHARE, "DOUBLE_FAULTS")
        if luck < share:
            type_id = f"{name}_{side}"
            self._tallies[type_id] = self._tallies.get(type_id, 0) + 1
            yield Counted(type_id=type_id, value=self._tallies[type_id])
        elif luck > 1 - _ACE_SHARE:  # a percentage, so it goes up and down
            yield Counted(type_id=f"FIRST_SERVE_WINNING_{side}", value=chance.randint(40, 80))

    def _home_wins_point(self) -> float:
        return 0.5 + self._strength + (_SERVER_EDGE if self._home_serves else -_SERVER_EDGE)

    def _sets_won(self) -> tuple[int, int]:
        ended = self._sets[:-1]
        return sum(h > a for h, a in ended), sum(h < a for h, a in ended)

    def _game_over(self) -> bool:
        """Count the game, and the set, if the last point ended it."""
        if max(self._points) < 4 or abs(self._points[0] - self._points[1]) < 2:
            return False
        games = self._sets[-1]
        games[0 if self._points[0] > self._points[1] else 1] += 1
        self._points = [0, 0]
        self._home_serves = not self._home_serves
        if (max(games) >= 6 and abs(games[0] - games[1]) >= 2) or max(games) == 7:
            self._sets.append([0, 0])
        return True

    def _quotes(self) -> Iterator[Quote]:
        games = self._sets[-1]
        ahead = games[0] - games[1]
        points = self._points[0] - self._points[1]
        in_set = _logistic(8 * self._strength + 0.45 * ahead + 0.08 * points)
        fresh_set = _logistic(8 * self._strength)
        won = self._sets_won()
        two_nil, two_one, one_two, nil_two = _set_scores(won, in_set, fresh_set)
        home = two_nil + two_one
        yield two_way(RESULT, 0, home)
        if self.finished:
            return
        yield two_way(SET_WINNER, len(self._sets), in_set)
        played = sum(sum(score) for score in self._sets)
        in_game = _logistic(4 * self._strength + (1.4 if self._home_serves else -1.4) + 0.6 * points)
        yield two_way(GAME_WINNER, played + 1, in_game)
        yield _score_quote(GAME_SCORE, played + 1, self._game_scores(in_game))
        yield _score_quote(SET_BETTING, 0, {"2-0": two_nil, "2-1": two_one, "1-2": one_two, "0-2": nil_two})
        tie_break = 0.17 * math.exp(-0.5 * abs(ahead)) if max(games) < 6 else 0.5
        if max(games) < 7 and tie_break > _OPEN[0]:
            yield two_way(TIE_BREAK, len(self._sets), tie_break, ("Yes", "No"), ("OT_YES", "OT_NO"))
        yield from self._game_lines(played, two_one + one_two, home)

    def _game_scores(self, in_game: float) -> dict[str, float]:
        """Return the ways to win this game that are left, by how many points the loser gets."""
        home, away = (min(points, 3) for points in self._points)
        shares = {f"Home to {n}": in_game / 4 for n in (0, 15, 30, 40) if away <= (0, 15, 30, 40).index(n)}
        shares |= {f"Away to {n}": (1 - in_game) / 4 for n in (0, 15, 30, 40) if home <= (0, 15, 30, 40).index(n)}
        total = sum(shares.values())
        return {label: share / total for label, share in shares.items()} if total > 0 else {}

    def _game_lines(self, played: int, third_set: float, home: float) -> Iterator[Quote]:
        open_sets = 2 + third_set - (len(self._sets) - 1)
        expected = max(played + 1.0, sum(sum(score) for score in self._sets[:-1]) + 9.8 * open_sets)
        middle = math.floor(expected) * 1000 + 500
        for line in (middle - 1000, middle, middle + 1000):
            over = _logistic((expected - line / 1000) / 1.6)
            if line > played * 1000:
                yield pair(TOTAL_GAMES, line, over, ("Over", "Under"), ("OT_OVER", "OT_UNDER"))
        margin = sum(h - a for h, a in self._sets) + 9 * (home - 0.5)
        nearest = -math.floor(margin) * 1000 - 500
        for line in (nearest, nearest + 1000):
            share = _logistic((margin + line / 1000) / 1.8)
            yield spread(GAME_HANDICAP, line, share)


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def _set_scores(won: tuple[int, int], in_set: float, fresh: float) -> tuple[float, float, float, float]:
    """Return the probabilities of 2-0, 2-1, 1-2 and 0-2 from the sets won so far and who is ahead in this one."""
    match won:
        case (0, 0):
            home_first, away_first = in_set, 1 - in_set
            return (
                home_first * fresh,
                home_first * (1 - fresh) * fresh + away_first * fresh * fresh,
                home_first * (1 - fresh) * (1 - fresh) + away_first * fresh * (1 - fresh),
                away_first * (1 - fresh),
            )
        case (1, 0):
            return in_set, (1 - in_set) * fresh, (1 - in_set) * (1 - fresh), 0.0
        case (0, 1):
            return 0.0, in_set * fresh, in_set * (1 - fresh), 1 - in_set
        case (1, 1):
            return 0.0, in_set, 1 - in_set, 0.0
        case _:
            return (1.0, 0.0, 0.0, 0.0) if won[0] == 2 else (0.0, 0.0, 0.0, 1.0)


def _score_quote(market: Market, part: int, shares: dict[str, float]) -> Quote:
    return Quote(
        market=market,
        part=part,
        selections=tuple(
            Selection(label=label, type="OT_UNTYPED", probability=share)
            for label, share in shares.items()
            if share > 0.005
        ),
    )
