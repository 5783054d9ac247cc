"""Football bet offers, all priced from one matrix of final scores."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from simulators.kambi.book import Market, Quote, Selection, pair, spread, two_way

_MORE_GOALS = 8
"""Further goals per side that are looked at; beyond it the probability is below what odds can show."""
_OPEN = (0.03, 0.97)
"""A two-way bet offer outside these probabilities is as good as decided and leaves the offering."""
_OVER_UNDER = (("Over", "Under"), ("OT_OVER", "OT_UNDER"))

# Criterion ids up to the empty line are the vendor's own (sheet, section 8); the others are made up.
RESULT = Market(
    criterion_id=1001159858, label="Full Time", type_id=2, type_name="Match", reach="listed", main=True,
    lifetime="FULL_TIME", occurrence="GOALS",
)  # fmt: skip
TOTAL = Market(
    criterion_id=1001159926, label="Total Goals", type_id=6, type_name="Over/Under", reach="listed",
    lifetime="FULL_TIME", occurrence="GOALS",
)  # fmt: skip
DOUBLE_CHANCE = Market(criterion_id=1001159922, label="Double Chance", type_id=12, type_name="Double Chance")
DRAW_NO_BET = Market(
    criterion_id=1001159666, label="Draw No Bet", type_id=2, type_name="Match", reach="extended"
)  # fmt: skip
HALF_RESULT = Market(criterion_id=1000316018, label="Half Time", type_id=2, type_name="Match", decided_when_gone=True)

HANDICAP = Market(
    criterion_id=1009000001, label="Asian Handicap", type_id=7, type_name="Asian Handicap", reach="extended"
)  # fmt: skip
THREE_WAY_HANDICAP = Market(
    criterion_id=1009000009, label="Three Way Handicap", type_id=11, type_name="Three-way handicap"
)  # fmt: skip
ASIAN_TOTAL = Market(criterion_id=1009000002, label="Asian Total", type_id=21, type_name="Asian Over/Under")
BOTH_SCORE = Market(criterion_id=1009000003, label="Both Teams To Score", type_id=18, type_name="Yes/No")
NEXT_GOAL = Market(
    criterion_id=1009000004, label="Next Goal", type_id=2, type_name="Match", occurrence="GOALS", decided_when_gone=True
)
CORRECT_SCORE = Market(criterion_id=1009000005, label="Correct Score", type_id=3, type_name="Correct Score")
ODD_EVEN = Market(criterion_id=1009000006, label="Total Goals Odd/Even", type_id=10, type_name="Odd/Even")
HOME_TOTAL = Market(criterion_id=1009000007, label="Total Goals by Home", type_id=6, type_name="Over/Under")
AWAY_TOTAL = Market(criterion_id=1009000008, label="Total Goals by Away", type_id=6, type_name="Over/Under")
SCORECAST = Market(
    criterion_id=1009000010, label="First Goal Scorer & Correct Score", type_id=16, type_name="Scorecast", combined=True
)  # fmt: skip

Scores = dict[tuple[int, int], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What football is priced from.

    Attributes:
        goals: Of home and away so far.
        rates: Goals of each side in ninety minutes.
        remaining: Share of the ninety minutes that is left.
        scorers: Players on offer in the scorecast; none when it is not offered.
    """

    goals: tuple[int, int]
    rates: tuple[float, float]
    remaining: float
    scorers: Sequence[str]


def quote(standing: Standing) -> Iterator[Quote]:
    """Yield every bet offer that should be open; the main one first."""
    final = _scores(standing.goals, [rate * standing.remaining for rate in standing.rates])
    home, draw, away = _result(final)
    yield _three_way(RESULT, 0, home, draw, away)
    yield from _totals(standing.goals, final)
    yield Quote(
        market=DOUBLE_CHANCE,
        part=0,
        selections=(
            Selection(label="1X", type="OT_ONE_OR_CROSS", probability=home + draw),
            Selection(label="12", type="OT_ONE_OR_TWO", probability=home + away),
            Selection(label="X2", type="OT_CROSS_OR_TWO", probability=draw + away),
        ),
    )
    yield two_way(DRAW_NO_BET, 0, home / max(home + away, 1e-9))
    if standing.remaining > 0.5:
        half = _scores(standing.goals, [rate * (standing.remaining - 0.5) for rate in standing.rates])
        yield _three_way(HALF_RESULT, 0, *_result(half))
    yield from _handicaps(final)
    no_goal = math.exp(-sum(standing.rates) * standing.remaining)
    share = standing.rates[0] / sum(standing.rates)
    yield _three_way(NEXT_GOAL, sum(standing.goals) + 1, (1 - no_goal) * share, no_goal, (1 - no_goal) * (1 - share))
    if not all(standing.goals):
        both = _share(final, lambda h, a: h > 0 and a > 0)
        if _OPEN[0] < both < _OPEN[1]:
            yield two_way(BOTH_SCORE, 0, both, ("Yes", "No"), ("OT_YES", "OT_NO"))
    odd = _share(final, lambda h, a: (h + a) % 2 == 1)
    yield two_way(ODD_EVEN, 0, odd, ("Odd", "Even"), ("OT_ODD", "OT_EVEN"))
    likely = sorted((item for item in final.items() if item[1] > 0.015), key=lambda item: -item[1])[:12]
    scores = tuple(Selection(label=f"{h}-{a}", type="OT_UNTYPED", probability=share) for (h, a), share in likely)
    yield Quote(market=CORRECT_SCORE, part=0, selections=scores)
    if standing.scorers and not any(standing.goals):
        players = tuple(
            Selection(label=name, type="OT_PLAYER_PARTICIPANT", probability=0.25) for name in standing.scorers
        )
        yield Quote(market=SCORECAST, part=0, selections=players + scores[:4])


def _totals(goals_so_far: tuple[int, int], final: Scores) -> Iterator[Quote]:
    def lines(market: Market, start: int, goals: Callable[[int, int], int], count: int) -> Iterator[Quote]:
        for line in range(start * 1000 + 500, (start + count) * 1000, 1000):
            over = sum(share for (h, a), share in final.items() if goals(h, a) * 1000 > line)
            if _OPEN[0] < over < _OPEN[1]:
                yield pair(market, line, over, *_OVER_UNDER)

    yield from lines(TOTAL, sum(goals_so_far), lambda h, a: h + a, 5)
    yield from lines(HOME_TOTAL, goals_so_far[0], lambda h, _: h, 2)
    yield from lines(AWAY_TOTAL, goals_so_far[1], lambda _, a: a, 2)
    mean = sum((h + a) * share for (h, a), share in final.items())
    nearest = math.floor(mean) * 1000 + (250 if mean % 1 < 0.5 else 750)
    for line in (nearest - 500, nearest, nearest + 500):
        over = _asian(final, lambda h, a: h + a, -line)
        if _OPEN[0] < over < _OPEN[1]:
            yield pair(ASIAN_TOTAL, line, over, *_OVER_UNDER)


def _handicaps(final: Scores) -> Iterator[Quote]:
    mean = sum((h - a) * share for (h, a), share in final.items())
    nearest = -round(mean * 2) * 500 + 250  # quarter lines end in 250 or 750
    for line in (nearest - 500, nearest, nearest + 500):
        home = _asian(final, lambda h, a: h - a, line)
        if _OPEN[0] < home < _OPEN[1]:
            yield spread(HANDICAP, line, home)
    for start in (-2, -1, 1, 2):
        home, draw, away = _result({(h + start, a): share for (h, a), share in final.items()})
        if _OPEN[0] < home < _OPEN[1]:
            yield _three_way(THREE_WAY_HANDICAP, start * 1000, home, draw, away, line=start * 1000)


def _scores(goals: tuple[int, int], rates: Sequence[float]) -> Scores:
    """Return the probability of each final score when each side scores on at its rate."""
    home, away = ([_poisson(rate, k) for k in range(_MORE_GOALS + 1)] for rate in rates)
    return {(goals[0] + i, goals[1] + j): p * q for i, p in enumerate(home) for j, q in enumerate(away) if p * q > 1e-7}


def _poisson(rate: float, k: int) -> float:
    return float(math.exp(-rate) * rate**k / math.factorial(k))


def _share(final: Scores, holds: Callable[[int, int], bool]) -> float:
    return sum(share for (h, a), share in final.items() if holds(h, a))


def _result(final: Scores) -> tuple[float, float, float]:
    return _share(final, lambda h, a: h > a), _share(final, lambda h, a: h == a), _share(final, lambda h, a: h < a)


def _asian(final: Scores, goals: Callable[[int, int], int], line: int) -> float:
    """Return the winning share of a quarter line: half the stake on each neighbouring line, pushes left out."""
    won = lost = 1e-9
    for (h, a), share in final.items():
        for half in (-250, 250):
            distance = goals(h, a) * 1000 + line + half
            won += share if distance > 0 else 0.0
            lost += share if distance < 0 else 0.0
    return won / (won + lost)


def _three_way(market: Market, part: int, home: float, draw: float, away: float, *, line: int | None = None) -> Quote:
    return Quote(
        market=market,
        part=part,
        selections=(
            Selection(label="1", type="OT_ONE", probability=home, line=line),
            Selection(label="X", type="OT_CROSS", probability=draw, line=line),
            Selection(label="2", type="OT_TWO", probability=away, line=line),
        ),
    )
