"""Basketball: four quarters of baskets, with the clock that counts down; bet offers priced from the margin to come."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from simulators.kambi.book import (
    Happening,
    Incident,
    Market,
    Quote,
    Reported,
    Told,
    pair,
    spread,
    two_way,
)

_QUARTER_S = 600
_QUARTERS = 4
_REST_S = 60
"""How long the clock stands between two quarters."""
_BASKETS_PER_SIDE = 40.0
_POINTS = (1, 2, 2, 2, 2, 3, 3)
_MEAN_POINTS = sum(_POINTS) / len(_POINTS)
_SPREAD_PER_S = math.sqrt(2 * _BASKETS_PER_SIDE * 5.0 / (_QUARTERS * _QUARTER_S))
"""Standard deviation of the margin grows with the root of the seconds left: 5 is the mean square of a basket."""
_OPEN = (0.04, 0.96)
_CLOCK_EVERY_S = 120
_QUARTER_PAUSE_MS = 3_000
_TIMEOUT_SHARE = 0.04
_TIMEOUT_PAUSE_MS = 1_500
_ORDINALS = ("1st", "2nd", "3rd", "4th")
_OVER_UNDER = (("Over", "Under"), ("OT_OVER", "OT_UNDER"))

# Criterion ids of basketball are made up.
RESULT = Market(
    criterion_id=1009200001, label="Including Overtime", type_id=2, type_name="Match", reach="listed", main=True,
    lifetime="FULL_TIME_OVERTIME", occurrence="POINTS",
)  # fmt: skip
HANDICAP = Market(
    criterion_id=1009200002, label="Handicap", type_id=1, type_name="Handicap", reach="listed", occurrence="POINTS"
)  # fmt: skip
TOTAL = Market(
    criterion_id=1009200003, label="Total Points", type_id=6, type_name="Over/Under", reach="listed",
    occurrence="POINTS",
)  # fmt: skip
QUARTER_RESULT = Market(
    decided_when_gone=True,
    criterion_id=1009200004,
    label="Quarter Winner",
    type_id=2,
    type_name="Match",
    reach="extended",
)
QUARTER_TOTAL = Market(
    criterion_id=1009200005, label="Total Points in Quarter", type_id=6, type_name="Over/Under", decided_when_gone=True
)
ODD_EVEN = Market(criterion_id=1009200006, label="Total Points Odd/Even", type_id=10, type_name="Odd/Even")


class BasketballMatch:
    """One match squeezed into ``duration_ms``; a tie is broken by the next basket."""

    def __init__(self, *, duration_ms: float, chance: Random) -> None:
        self._ms_per_s = duration_ms / (_QUARTERS * _QUARTER_S + (_QUARTERS - 1) * _REST_S)
        self._quarter = 0
        self._second = 0.0
        self._rest_s = 0.0
        self._strength = chance.gauss(0.0, 4.0)
        self._points = [0, 0]
        self._quarter_points = [0, 0]
        self._last_scorer = "UNKNOWN"
        self._basket_s = _QUARTERS * _QUARTER_S / (2 * _BASKETS_PER_SIDE)
        self._until_basket_s = self._basket_s
        self._until_clock_s = float(_CLOCK_EVERY_S)

    @property
    def finished(self) -> bool:
        return self._quarter >= _QUARTERS and self._points[0] != self._points[1]

    def advance(self, elapsed_ms: float, chance: Random) -> Sequence[Happening]:
        elapsed_s = elapsed_ms / self._ms_per_s
        if self._rest_s > 0:
            self._rest_s -= elapsed_s
            return (Told(part="clock"),) if self._rest_s <= 0 else ()
        self._second += elapsed_s
        self._until_basket_s -= elapsed_s
        self._until_clock_s -= elapsed_s
        if self._until_basket_s > 0 and self._until_clock_s > 0 and self._second < _QUARTER_S:
            return ()
        return list(self._happenings(chance))

    def clock(self) -> dict[str, Any]:
        played = min(int(self._second), _QUARTER_S)
        left = _QUARTER_S - played
        overtime = self._quarter >= _QUARTERS
        return {
            "minute": played // 60,
            "second": played % 60,
            "minutesLeftInPeriod": left // 60,
            "secondsLeftInMinute": left % 60,
            "period": "Overtime" if overtime else f"{_ORDINALS[self._quarter]} quarter",
            "running": self._rest_s <= 0 and not self.finished,
            "periodId": "OVERTIME" if overtime else f"QUARTER_{self._quarter + 1}",
        }

    def score(self) -> dict[str, Any]:
        home, away = self._points
        return {"home": str(home), "away": str(away), "who": self._last_scorer}

    def statistics(self) -> None:
        return None

    def quotes(self) -> tuple[Quote, ...]:
        return tuple(self._quotes())

    def _happenings(self, chance: Random) -> Iterator[Happening]:
        if self._until_basket_s <= 0:
            self._until_basket_s += self._basket_s * chance.uniform(0.4, 1.6)
            share = 0.5 + self._strength / (2 * _BASKETS_PER_SIDE * _MEAN_POINTS)
            side = 0 if chance.random() < share else 1
            if chance.random() < _TIMEOUT_SHARE:
                yield Incident(criteria=None, pause_ms=_TIMEOUT_PAUSE_MS)
            points = chance.choice(_POINTS)
            self._points[side] += points
            self._quarter_points[side] += points
            self._last_scorer = ("HOME", "AWAY")[side]
            yield Told(part="score")
        if self._second >= _QUARTER_S and self._quarter < _QUARTERS:
            yield Incident(criteria=None, pause_ms=_QUARTER_PAUSE_MS)
            self._quarter += 1
            self._second, self._quarter_points = 0.0, [0, 0]
            self._rest_s = 0.0 if self.finished else _REST_S
            self._until_clock_s = _CLOCK_EVERY_S
            yield Told(part="clock")
            minute = self._quarter * _QUARTER_S // 60
            yield Reported(type="INFO", minute=minute, message=f"Quarter {self._quarter} is over")
        elif self._until_clock_s <= 0:
            self._until_clock_s += _CLOCK_EVERY_S
            yield Told(part="clock")

    def _quotes(self) -> Iterator[Quote]:
        left = max(5.0, (_QUARTERS - self._quarter) * _QUARTER_S - self._second)
        deviation = _SPREAD_PER_S * math.sqrt(left)
        played = _QUARTERS * _QUARTER_S
        margin = self._points[0] - self._points[1] + self._strength * left / played
        yield two_way(RESULT, 0, _normal(margin / deviation))
        nearest = -math.floor(margin) * 1000 - 500
        for line in (nearest - 2_000, nearest, nearest + 2_000):
            yield from _if_open(spread(HANDICAP, line, _normal((margin + line / 1000) / deviation)))
        scored = sum(self._points)
        yield from _lines(TOTAL, scored, scored + _expected(left), deviation, (-4, 0, 4))
        if self._quarter < _QUARTERS:
            left = max(5.0, _QUARTER_S - self._second)
            deviation = _SPREAD_PER_S * math.sqrt(left)
            ahead = self._quarter_points[0] - self._quarter_points[1]
            part = self._quarter + 1
            share = _normal((ahead + self._strength * left / played) / deviation)
            yield from _if_open(two_way(QUARTER_RESULT, part, share))
            scored = sum(self._quarter_points)
            yield from _lines(QUARTER_TOTAL, scored, scored + _expected(left), deviation, (0,), part=part)
        yield two_way(ODD_EVEN, 0, 0.5, ("Odd", "Even"), ("OT_ODD", "OT_EVEN"))


def _expected(seconds: float) -> float:
    return 2 * _BASKETS_PER_SIDE * _MEAN_POINTS * seconds / (_QUARTERS * _QUARTER_S)


def _lines(
    market: Market, scored: int, mean: float, deviation: float, steps: Sequence[int], *, part: int = 0
) -> Iterator[Quote]:
    for step in steps:
        line = (math.floor(mean) + step) * 1000 + 500
        if line > scored * 1000:
            over = _normal((mean - line / 1000) / deviation)
            quote = pair(market, line, over, *_OVER_UNDER)
            yield from _if_open(replace(quote, part=line + part))


def _if_open(quote: Quote) -> Iterator[Quote]:
    if _OPEN[0] < quote.selections[0].probability < _OPEN[1]:
        yield quote


def _normal(x: float) -> float:
    return 0.5 * (1 + math.erf(x / math.sqrt(2)))
