"""Made-up fixtures: stars and constellations play each other, so that nobody real is named."""

from random import Random
from typing import Literal

from simulators.kambi.entities import Fixture

_NAMES = (
    "Altair", "Antares", "Aquila", "Arcturus", "Bellatrix", "Capella", "Carina", "Cassiopeia", "Castor", "Cygnus",
    "Deneb", "Draco", "Electra", "Fornax", "Hydra", "Lyra", "Mimosa", "Mira", "Norma", "Orion", "Pavo", "Pegasus",
    "Perseus", "Pollux", "Polaris", "Procyon", "Regulus", "Rigel", "Sirius", "Spica", "Vega", "Vela",
)  # fmt: skip
_CLUBS = ("FC", "United", "Rovers", "City", "1904")
_FOOTBALL_GROUPS = (
    ("Northern League", 1_000_090_101),
    ("Southern Cup", 1_000_090_102),
    ("Polar Trophy", 1_000_090_103),
)
_TENNIS_GROUPS = (("Zenith Open", 1_000_090_201), ("Nadir Masters", 1_000_090_202))


def draw_fixture(sport: Literal["FOOTBALL", "TENNIS"], chance: Random) -> Fixture:
    """Return two different sides and a competition of ``sport``."""
    home, away = chance.sample(_NAMES, 2)
    if sport == "FOOTBALL":
        home, away = f"{home} {chance.choice(_CLUBS)}", f"{away} {chance.choice(_CLUBS)}"
    group, group_id = chance.choice(_FOOTBALL_GROUPS if sport == "FOOTBALL" else _TENNIS_GROUPS)
    return Fixture(sport=sport, home=home, away=away, group=group, group_id=group_id)
