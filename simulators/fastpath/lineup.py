"""Made-up fixtures: harbours and hills play each other, so that nobody real is named."""

from random import Random
from typing import Final
from uuid import UUID

from simulators.fastpath.config import Sport
from simulators.fastpath.fixture import Fixture, Team
from simulators.fastpath.match import Match, Moment
from simulators.fastpath.paths import paths_of
from simulators.fastpath.sports.fixture_match import FixtureMatch
from simulators.fastpath.sports.golf import GolfRound
from simulators.fastpath.sports.mma import MmaFight
from simulators.fastpath.sports.rules import RULES
from simulators.fastpath.sports.soccer import SoccerMatch
from simulators.fastpath.sports.table_tennis import TableTennisMatch
from simulators.fastpath.sports.tennis import TennisMatch

_PLACES: Final = (
    "Northport", "Southmere", "Eastbridge", "Westhaven", "Highfield", "Lowmarsh", "Oldquay", "Newcliff", "Stonegate",
    "Fairbank", "Greywater", "Redhill", "Longstrand", "Shortwood", "Coldspring", "Warmwell",
)  # fmt: skip
_VERSIONS: Final = (3, 2, 1)
"""Payload versions of family A by turns; version 1 is of 2022 and lacks what came later (fact sheet §4.1)."""


def draw_fixture(sport: Sport, number: int, *, seed: int, start_s: int) -> Fixture:
    """Return the ``number``-th fixture of ``sport``; the same seed and start give the same ids and names."""
    chance = Random(f"{seed}/{start_s}/{sport}/{number}")  # noqa: S311  # a made-up match is no secret
    fixture_id = _id(sport, number, start_s, chance)
    home, away = chance.sample(_PLACES, 2)
    return Fixture(
        id=fixture_id,
        sport=sport,
        number=number,
        teams=(Team(id=_uuid(chance), name=home, home=True), Team(id=_uuid(chance), name=away, home=False)),
        starts_ns=start_s * 1_000_000_000,
        version=_VERSIONS[number % len(_VERSIONS)],
        paths=paths_of(sport, fixture_id),
    )


def match_of(fixture: Fixture, moment: Moment, chance: Random) -> Match:
    """Return the match of ``fixture``, yet to be played."""
    match fixture.sport:
        case "soccer":
            return SoccerMatch(fixture, moment, chance, RULES["soccer"])
        case "tennis":
            return TennisMatch(fixture, moment, chance)
        case "mma":
            return MmaFight(fixture, moment, chance)
        case "golf":
            return GolfRound(fixture, moment, chance)
        case "tabletennis":
            return TableTennisMatch(fixture, moment, chance)
        case _:
            return FixtureMatch(fixture, moment, chance, RULES[fixture.sport])


def _id(sport: Sport, number: int, start_s: int, chance: Random) -> str:
    match sport:
        case "tennis":
            return f"2026-{1000 + start_s % 9000}-MS{number + 1:03}"
        case "mma" | "tabletennis":
            return str(start_s % 1_000_000 * 1_000 + number)
        case "golf":
            return f"{start_s % 100_000 * 100 + number}-1-{21 + number % 60}"
        case _:
            return _uuid(chance)


def _uuid(chance: Random) -> str:
    return str(UUID(int=chance.getrandbits(128), version=4))
