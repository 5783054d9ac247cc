"""A fixture as the REST list tells it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal

from simulators.fastpath.config import Sport
from simulators.fastpath.match import Role

Status = Literal["Scheduled", "Live", "Completed", "Abandoned", "Suspended"]
STATUSES: Final = ("Scheduled", "Live", "Completed", "Postponed", "Abandoned", "Cancelled", "Suspended", "Unverified")
"""By number (fact sheet §4.5)."""
COLLECTION_STATUSES: Final = (
    "CollectionScheduled",
    "CollectingLive",
    "CollectingPostMatch",
    "CollectionSuspended",
    "CollectionDropped",
    "CollectionCompleted",
    "PostMatchChecked",
)
"""By number (fact sheet §4.5)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """One side; in single sports a player."""

    id: str
    name: str
    home: bool


@dataclass(slots=True, kw_only=True)
class Fixture:
    """One fixture, event, fight or team's round.

    Attributes:
        id: As in the paths of its feeds; a UUID in family A.
        sport: As settings name it.
        number: How many of its sport came before it.
        teams: Home first.
        starts_ns: UTC ns.
        version: Payload version of its packets (family A).
        status: REST word.
        collection: Place in ``COLLECTION_STATUSES``.
        paths: Feed paths by role.
        updates: How often the REST object changed.
    """

    id: str
    sport: Sport
    number: int
    teams: tuple[Team, Team]
    starts_ns: int
    version: int = 3
    status: Status = "Scheduled"
    collection: int = 0
    paths: dict[Role, str] = field(default_factory=dict)
    updates: int = 0

    @property
    def name(self) -> str:
        return " v ".join(team.name for team in self.teams)

    def set_status(self, status: Status, collection: int) -> None:
        """Change what the REST list says."""
        if (status, collection) != (self.status, self.collection):
            self.status, self.collection = status, collection
            self.updates += 1

    def json(self) -> dict[str, Any]:
        """Return the object of the REST list (fact sheet §10)."""
        starts = datetime.fromtimestamp(self.starts_ns // 1_000_000_000, UTC)
        return {
            "id": self.id,
            "name": self.name,
            "status": self.status,
            "collectionStatus": COLLECTION_STATUSES[self.collection],
            "type": "Official",
            "coverageLevel": "In Venue",
            "startDateUTC": starts.strftime("%Y-%m-%dT%H:%M:%S"),  # no Z, as the vendor prints it
            "teams": [{"id": team.id, "name": team.name, "club": None} for team in self.teams],
            "stage": {"id": "7001", "name": "Regular season"},
            "venue": {"id": "8001", "name": "Harbour Ground"},
            "sport": self.sport,
            "rules": None,
            "fixtureDeleted": False,
            "updateCount": self.updates,
        }
