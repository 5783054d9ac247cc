"""Feed paths: those of a fixture, and those that have the packets of another."""

import re
from typing import Final

from simulators.fastpath.config import Sport
from simulators.fastpath.match import Role

MULTIPLEXER: Final = "multiplexer/?sport=golf"
CATCH_UP: Final = "multiplexer/?catchup=true"

_V2: Final[frozenset[Sport]] = frozenset({"volleyball"})
_MEDIA_FIGHT = re.compile(r"media/mma/fight-(details|livestats|actions)/feed/([^/]+)")

_FIGHT_ACTIONS = re.compile(r"mma/fights/[^/]+/actions")


def paths_of(sport: Sport, fixture_id: str) -> dict[Role, str]:
    """Return the betting paths of a fixture by role; golf ids are tournament, round and team, joined by ``-``."""
    match sport:
        case "tennis":
            return {
                "actions": f"tennis/events/{fixture_id}/stream",
                "statistics": f"tennis/events/{fixture_id}/statistics",
            }
        case "mma":
            return {
                "actions": f"mma/fights/{fixture_id}/details",
                "statistics": f"mma/fights/{fixture_id}/livestats",
            }
        case "tabletennis":
            return {"actions": f"tabletennis/{fixture_id}/matchdetails"}
        case "golf":
            tournament, number, team = fixture_id.split("-")
            return {
                "actions": f"golf/tournaments/{tournament}/round/{number}/team/{team}",
                "leaderboard": f"golf/tournaments/{tournament}/leaderboard",
            }
        case _:
            base = f"{'v2/' if sport in _V2 else ''}{sport}/fixtures/{fixture_id}"
            return {"actions": f"{base}/actions", "statistics": f"{base}/statistics"}


def betting_path(path: str) -> str:
    """Return the path whose packets ``path`` has, too; media feeds differ in latency, which is not simulated."""
    if fight := _MEDIA_FIGHT.fullmatch(path):
        path = f"mma/fights/{fight[2]}/{fight[1]}"
    path = path.removeprefix("media/")
    return f"{path.removesuffix('actions')}details" if _FIGHT_ACTIONS.fullmatch(path) else path
