"""Probabilities to odds on the vendor's scale (decimal x 1000) and to the two display formats."""

import math
from bisect import bisect_left
from fractions import Fraction
from functools import lru_cache

OVERROUND = 1.06
"""Sum of the implied probabilities of one bet offer; what the bookmaker keeps."""

LADDER: tuple[int, ...] = (
    *range(1010, 2000, 10),
    *range(2000, 3000, 20),
    *range(3000, 5000, 50),
    *range(5000, 10_000, 250),
    *range(10_000, 20_000, 500),
    *range(20_000, 100_000, 1_000),
    *range(100_000, 501_000, 10_000),
)
"""Odds on offer, thousandths: finer steps where odds are short. Never 1000 or less: that would not be bettable."""


def to_odds(probability: float) -> int:
    """Return the ladder's odds, thousandths, for a probability of 0..1, margin included."""
    fair = 1000 / max(probability * OVERROUND, 1e-9)
    return LADDER[min(bisect_left(LADDER, fair), len(LADDER) - 1)]


def stepped(odds: int, ticks: int) -> int:
    """Return the odds ``ticks`` rungs above (below when negative), kept inside the ladder."""
    return LADDER[max(0, min(bisect_left(LADDER, odds) + ticks, len(LADDER) - 1))]


@lru_cache(maxsize=1024)  # more than the ladder has; a third of the whole simulator's time otherwise
def fractional(odds: int) -> str:
    """Return odds as a fraction; for display only, so small denominators do."""
    fraction = Fraction(odds - 1000, 1000).limit_denominator(20)
    return f"{fraction.numerator}/{fraction.denominator}" if fraction else "1/100"


@lru_cache(maxsize=1024)
def american(odds: int) -> str:
    """Return American odds: no sign for underdogs, rounded in the house's favour (1850 gives -118)."""
    return str((odds - 1000) // 10) if odds >= 2000 else str(-math.ceil(100_000 / (odds - 1000)))
