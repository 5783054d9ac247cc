"""Made-up fixtures: harbours and hills play each other, so that nobody real is named."""

from random import Random
from typing import Final
from uuid import UUID

from simulators.fastpath.config import Sport
from simulators.fastpath.fixture import Fixture, Team
from simulators.fastpath.match import Match, Moment
from simulators.fastpath.paths import paths_of
from simulators.fastpath.sports.fixture_match import FixtureMatch
from simulators.fastpath.sports.rules import RULES
from simulators.fastpath.sports.soccer import SoccerMatch

_PLACES: Final = (
    "Northport", "Southmere", "Eastbridge", "Westhaven", "Highfield", "Lowmarsh", "Oldquay", "Newcliff", "Stonegate",
    "Fairbank", "Greywater", "Redhill", "Longstrand", "Shortwood", "Coldspring", "Warmwell",
)  # fmt: skip
_VERSIONS: Final = (3, 2, 1)
"""Payload versions of family A by turns; version 1 is of 2022 and lacks what came later (fact sheet §4.1)."""


def draw_fixture(sport: Sport, number: int, starts_ns: int, seed: int) -> Fixture:
    """Return the ``number``-th fixture of ``sport``; the same seed gives the same ids and names."""
    chance = Random(f"{seed}/{sport}/{number}")  # noqa: S311  # a made-up match is no secret
    fixture_id = _id(sport, number, seed, chance)
    home, away = chance.sample(_PLACES, 2)
    return Fixture(
        id=fixture_id,
        sport=sport,
        number=number,
        teams=(Team(id=_uuid(chance), name=home, home=True), Team(id=_uuid(chance), name=away, home=False)),
        starts_ns=starts_ns,
        version=_VERSIONS[number % len(_VERSIONS)],
        paths=paths_of(sport, fixture_id),
    )


def match_of(fixture: Fixture, moment: Moment, chance: Random) -> Match:
    """Return the match of ``fixture``, yet to be played."""
    match fixture.sport:
        case "soccer":
            return SoccerMatch(fixture, moment, chance, RULES["soccer"])
        case _:
            return FixtureMatch(fixture, moment, chance, RULES[fixture.sport])


def _id(sport: Sport, number: int, seed: int, chance: Random) -> str:
    match sport:
        case "tennis":
            return f"2026-{1000 + seed % 9000:04}-MS{number + 1:03}"
        case "mma" | "tabletennis":
            return str(100_000 + seed % 9_000 * 10_000 + number)
        case "golf":
            return f"{901 + number}-1-{21 + number % 60}"
        case _:
            return _uuid(chance)


def _uuid(chance: Random) -> str:
    return str(UUID(int=chance.getrandbits(128), version=4))
