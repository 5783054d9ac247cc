"""Made-up fixtures: stars and constellations play each other, so that nobody real is named."""

from random import Random

from simulators.kambi.basketball import BasketballMatch
from simulators.kambi.book import Match, Participant
from simulators.kambi.entities import Fixture, Sport
from simulators.kambi.football import FootballMatch
from simulators.kambi.ids import Ids
from simulators.kambi.racing import Race
from simulators.kambi.tennis import TennisMatch

SPORTS: tuple[Sport, ...] = (
    "FOOTBALL", "TENNIS", "BASKETBALL", "GALLOPS", "FOOTBALL", "TENNIS", "FOOTBALL", "FOOTBALL",
)  # fmt: skip
"""Sports by turns: half of it football."""

_NAMES = (
    "Altair", "Antares", "Aquila", "Arcturus", "Bellatrix", "Capella", "Carina", "Cassiopeia", "Castor", "Cygnus",
    "Deneb", "Draco", "Electra", "Fornax", "Hydra", "Lyra", "Mimosa", "Mira", "Norma", "Orion", "Pavo", "Pegasus",
    "Perseus", "Pollux", "Polaris", "Procyon", "Regulus", "Rigel", "Sirius", "Spica", "Vega", "Vela",
)  # fmt: skip
_CLUBS = ("FC", "United", "Rovers", "City", "1904")
_GROUPS: dict[Sport, tuple[tuple[str, int], ...]] = {
    "FOOTBALL": (
        ("Northern League", 1_000_090_101),
        ("Southern Cup", 1_000_090_102),
        ("Polar Trophy", 1_000_090_103),
    ),
    "TENNIS": (("Zenith Open", 1_000_090_201), ("Nadir Masters", 1_000_090_202)),
    "BASKETBALL": (("Orbit League", 1_000_090_301), ("Eclipse Cup", 1_000_090_302)),
    "GALLOPS": (("Meridian Park", 1_000_090_401), ("Solstice Downs", 1_000_090_402)),
}
_PLAYERS = 6
_RUNNERS = (6, 12)
_SCRATCHED_SHARE = 0.1


def draw_match(sport: Sport, duration_ms: float, chance: Random, ids: Ids) -> tuple[Fixture, Match]:
    """Return a fixture of ``sport`` and its match, yet to be played."""
    group, group_id = chance.choice(_GROUPS[sport])
    if sport == "GALLOPS":
        runners = _draw_runners(chance, ids)
        fixture = Fixture(
            sport=sport,
            name=f"{chance.randint(12, 20)}:{chance.randrange(0, 60, 5):02} {group}",
            group=group,
            group_id=group_id,
            participants=runners,
            meeting=str(1_000_000 + chance.randrange(1_000_000)),
        )
        return fixture, Race(duration_ms=duration_ms, chance=chance, runners=runners)
    home, away = chance.sample(_NAMES, 2)
    if sport != "TENNIS":
        home, away = f"{home} {chance.choice(_CLUBS)}", f"{away} {chance.choice(_CLUBS)}"
    fixture = Fixture(sport=sport, name=f"{home} - {away}", group=group, group_id=group_id, home=home, away=away)
    match sport:
        case "FOOTBALL":
            players = [(ids.participant(), f"{name} {n}") for n, name in enumerate(chance.sample(_NAMES, _PLAYERS), 1)]
            return fixture, FootballMatch(duration_ms=duration_ms, chance=chance, players=players)
        case "TENNIS":
            return fixture, TennisMatch(duration_ms=duration_ms, chance=chance)
        case "BASKETBALL":
            return fixture, BasketballMatch(duration_ms=duration_ms, chance=chance)


def _draw_runners(chance: Random, ids: Ids) -> tuple[Participant, ...]:
    names = chance.sample(_NAMES, chance.randint(*_RUNNERS))
    scratched = [number > 4 and chance.random() < _SCRATCHED_SHARE for number in range(1, len(names) + 1)]
    return tuple(
        Participant(
            id=ids.participant(),
            name=name,
            start_number=number,
            driver=f"{chance.choice(_NAMES)} {chance.choice(_NAMES)}",
            form="".join(str(chance.randrange(10)) for _ in range(5)),
            age=chance.randint(2, 9),
            scratched=scratched[number - 1],
        )
        for number, name in enumerate(names, 1)
    )
