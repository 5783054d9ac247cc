"""Family A, sport by sport: periods, what happens all the time, what counts.

Type ids that the fact sheet does not print are made up; the vendor's are not unique across sports either.
"""

from dataclasses import dataclass
from typing import Final

from simulators.fastpath.config import Sport
from simulators.fastpath.family_a import PeriodRule

Kind = tuple[str, int]
"""Name and id of an action type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scoring:
    """One way to score.

    Attributes:
        points: What it adds.
        sub_type: Name and id.
        weight: How often, against the others.
    """

    kind: Kind
    points: int
    sub_type: Kind | None = None
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SportRules:
    """What a sport is made of.

    Attributes:
        routine: What happens all the time and counts for nothing.
        scores: How many times both sides score in a match, about.
    """

    periods: tuple[PeriodRule, ...]
    routine: tuple[Kind, ...]
    scorings: tuple[Scoring, ...]
    scores: float


def _quarters(seconds: int) -> tuple[PeriodRule, ...]:
    labels = ("1st quarter", "2nd quarter", "3rd quarter", "4th quarter")
    return tuple(PeriodRule(label=label, seconds=seconds) for label in labels)


def _numbered(word: str, how_many: int, seconds: int = 0) -> tuple[PeriodRule, ...]:
    return tuple(PeriodRule(label=f"{word} {number}", seconds=seconds) for number in range(1, how_many + 1))


RULES: Final[dict[Sport, SportRules]] = {
    "soccer": SportRules(
        periods=(
            PeriodRule(label="1st half", seconds=2_700),
            PeriodRule(label="2nd half", seconds=2_700, begins_s=2_700),
        ),
        routine=(
            ("Safe Possession", 201),
            ("Attack", 202),
            ("Dangerous Attack", 203),
            ("Throw In", 53),
            ("Corner Awarded", 54),
            ("Goal Kick", 55),
            ("Free Kick", 56),
            ("Shot", 57),
            ("Offside", 58),
        ),
        scorings=(Scoring(kind=("Goal", 50), points=1),),
        scores=4,
    ),
    "basketball": SportRules(
        periods=_quarters(600),
        routine=(("Rebound", 220), ("Steal", 222), ("Turnover", 224), ("Foul", 58), ("Time Out", 226), ("Miss", 228)),
        scorings=(
            Scoring(kind=("Field Goal", 210), points=2, sub_type=("Lay Up", 21_001), weight=5),
            Scoring(kind=("Field Goal", 210), points=3, sub_type=("Three Pointer", 21_003), weight=2),
            Scoring(kind=("Free Throw", 212), points=1, weight=2),
        ),
        scores=80,
    ),
    "ice-hockey": SportRules(
        periods=_numbered("Period", 3, 1_200),
        routine=(("Faceoff", 301), ("Shot", 57), ("Hit", 303), ("Icing", 304), ("Penalty", 305), ("Save", 306)),
        scorings=(Scoring(kind=("Goal", 50), points=1),),
        scores=6,
    ),
    "american-football": SportRules(
        periods=_quarters(900),
        routine=(("Rush", 401), ("Pass", 402), ("Punt", 403), ("Flag", 404), ("Time Out", 226)),
        scorings=(
            Scoring(kind=("Touchdown", 410), points=6, weight=2),
            Scoring(kind=("Field Goal", 411), points=3, weight=2),
            Scoring(kind=("Safety", 412), points=2, weight=0.1),
        ),
        scores=8,
    ),
    "cricket": SportRules(
        periods=_numbered("Innings", 2),
        routine=(("Bowler Running In", 501), ("Ball Delivered", 502), ("Dot Ball", 503), ("Appeal", 504)),
        scorings=(
            Scoring(kind=("Runs", 510), points=1, weight=6),
            Scoring(kind=("Runs", 510), points=4, sub_type=("Boundary", 51_004), weight=2),
            Scoring(kind=("Runs", 510), points=6, sub_type=("Boundary", 51_006)),
        ),
        scores=150,
    ),
    "snooker": SportRules(
        periods=_numbered("Frame", 5),
        routine=(("Shot", 57), ("Safety", 601), ("Foul", 58), ("Miss", 228), ("Visit Started", 602)),
        scorings=(
            Scoring(kind=("Pot", 610), points=1, sub_type=("Red", 61_001), weight=5),
            Scoring(kind=("Pot", 610), points=5, sub_type=("Blue", 61_005), weight=2),
            Scoring(kind=("Pot", 610), points=7, sub_type=("Black", 61_007), weight=2),
        ),
        scores=90,
    ),
    "volleyball": SportRules(
        periods=_numbered("Set", 3),
        routine=(("Serve", 701), ("Rally", 702), ("Substitution", 703), ("Challenge", 704), ("Time Out", 226)),
        scorings=(
            Scoring(kind=("Point", 710), points=1, weight=4),
            Scoring(kind=("Point", 710), points=1, sub_type=("Ace", 71_001)),
        ),
        scores=130,
    ),
}
