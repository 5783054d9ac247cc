"""Family A: actions with their life cycles, and a summary that agrees with them."""

from dataclasses import dataclass, field
from random import Random
from typing import Final, Literal
from uuid import UUID

from simulators.fastpath.channel import NUMBER
from simulators.fastpath.fixture import COLLECTION_STATUSES, STATUSES, Fixture, Team
from simulators.fastpath.match import Json, Moment, Note, stamp

SendType = Literal["Pending", "Updated", "Cancelled", "Deleted", "Confirmed", "Restored"]
SEND_TYPE_IDS: Final[dict[SendType, int]] = {
    "Pending": 1,
    "Updated": 2,
    "Cancelled": 3,
    "Deleted": 4,
    "Confirmed": 5,
    "Restored": 6,
}
_COUNTING: Final = ("Confirmed", "Updated", "Restored")

STATUS_UPDATED: Final = ("Status Updated", 22)
_STREAM_LOST: Final = {"collectionStatusReason": "stream lost", "collectionStatusReasonCode": 1}
_MILLISECONDS: Final = ("volleyball",)
_CLOCK_STATES: Final = {"basketball": ("running", "stopped"), "snooker": ("Running", "Stopped")}


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodRule:
    """One period of a sport.

    Attributes:
        label: As the vendor names it.
        seconds: How long it is by its clock; 0 where the sport has none.
        begins_s: What the clock shows when it begins.
        type: ``Regular`` or ``Shootout``.
    """

    label: str
    seconds: int
    begins_s: int = 0
    type: str = "Regular"


@dataclass(slots=True, kw_only=True)
class Period:
    """A period that has begun.

    Attributes:
        at_start: Score when it began.
    """

    id: int
    rule: PeriodRule
    start_ns: int
    at_start: tuple[int, int]
    end_ns: int | None = None
    score: tuple[int, int] = (0, 0)


@dataclass(slots=True, kw_only=True)
class Action:
    """One action over its life: the same id under a new number each time it is sent.

    Attributes:
        points: What it adds to its team's score while it counts.
        sent: Send type last sent.
    """

    id: str
    name: str
    type_id: int
    period: int
    elapsed_s: int
    clock_s: int
    team: Team | None = None
    player: Json | None = None
    sub_type: tuple[str, int] | None = None
    related: tuple[str, ...] = ()
    metadata: Json = field(default_factory=dict)
    extra: Json = field(default_factory=dict)
    points: int = 0
    sent: SendType | None = None

    @property
    def counts(self) -> bool:
        return self.sent in _COUNTING


@dataclass(slots=True)
class Sheet:
    """What a scorer's sheet says: score, clock, periods; and the packets that follow from it.

    Attributes:
        fixture: Which match; its version decides what packets have.
        moment: Now.
        chance: For ids.
        elapsed_s: Seconds played of the period that runs.
        status: Place in ``STATUSES``.
        collection: Place in ``COLLECTION_STATUSES``.
        finished: Whether play is over.
        home_in_possession: As told by the sport.
    """

    fixture: Fixture
    moment: Moment
    chance: Random
    periods: list[Period] = field(default_factory=list)
    score: tuple[int, int] = (0, 0)
    elapsed_s: int = 0
    clock_runs: bool = False
    status: int = 0
    collection: int = 0
    finished: bool = False
    home_in_possession: bool = True

    @property
    def period(self) -> int:
        return self.periods[-1].id if self.periods else 0

    @property
    def clock_s(self) -> int:
        return self.elapsed_s + (self.periods[-1].rule.begins_s if self.periods else 0)

    def action(self, name: str, type_id: int) -> Action:
        """Return a new action of now, yet to be sent."""
        return Action(
            id=self.uuid(),
            name=name,
            type_id=type_id,
            period=self.period,
            elapsed_s=self.elapsed_s,
            clock_s=self.clock_s,
        )

    def uuid(self) -> str:
        """Return an id that nobody has used."""
        return str(UUID(int=self.chance.getrandbits(128), version=4))

    def send(self, action: Action, send_type: SendType) -> Note:
        """Count what ``action`` means from now on and return its packet."""
        counted = action.counts
        action.sent = send_type
        if action.points and action.team is not None and counted != action.counts:
            self._add(action.points if action.counts else -action.points, home=action.team.home, period=action.period)
        return Note(role="actions", body=self._packet(action, send_type), sort_key=(action.period, action.elapsed_s))

    def told(self, status: int, collection: int, **metadata: object) -> Note:
        """Return the ``Status Updated`` that tells fixture and collection status."""
        self.status, self.collection = status, collection
        action = Action(
            id=self.uuid(),
            name=STATUS_UPDATED[0],
            type_id=STATUS_UPDATED[1],
            period=0,
            elapsed_s=0,
            clock_s=0,
            metadata={"coverageLevel": 1, "fixtureStatus": status, "collectionStatus": collection, **metadata},
        )
        return self.send(action, "Confirmed")

    def suspend(self) -> Note:
        """Return what a supervisor sends when the scorer went offline."""
        return self.told(self.status, 3, **_STREAM_LOST)

    def resume(self, *, dropped: bool) -> Note:
        """Return what is sent when the scorer is back, or given up."""
        if not dropped:
            return self.told(self.status, 5 if self.finished else 1)
        self.finished = True
        return self.told(self.status, 4, **_STREAM_LOST)

    def start_period(self, rule: PeriodRule) -> None:
        """Begin the next period."""
        self.elapsed_s = 0
        self.periods.append(
            Period(id=len(self.periods) + 1, rule=rule, start_ns=self.moment.now_ns, at_start=self.score)
        )

    def end_period(self) -> None:
        """End the period that runs."""
        self.periods[-1].end_ns = self.moment.now_ns
        self.clock_runs = False

    def statistics(self, tallies: dict[str, tuple[int, int]]) -> Note:
        """Return the aggregate of now."""
        fixture = self.fixture
        body: Json = {"seqNum": NUMBER}
        if fixture.version > 1:
            body["traceId"] = self._trace_id()
        body["version"] = fixture.version
        if fixture.version > 1:
            body["finished"] = self.finished
        body |= {
            "fixtureId": fixture.id,
            "timestamp": stamp(self.moment.now_ns),
            "teamActionAggregates": [
                {
                    "teamId": team.id,
                    "homeTeam": team.home,
                    "aggregates": [{"fixtureActionType": name, "total": both[side]} for name, both in tallies.items()],
                }
                for side, team in enumerate(fixture.teams)
            ],
        }
        return Note(role="statistics", body=body)

    def _add(self, points: int, *, home: bool, period: int) -> None:
        self.score = _plus(self.score, points, home=home)
        of = self.periods[period - 1]
        of.score = _plus(of.score, points, home=home)
        for later in self.periods[period:]:
            later.at_start = _plus(later.at_start, points, home=home)

    def _packet(self, action: Action, send_type: SendType) -> Json:
        version = self.fixture.version
        packet: Json = {"traceId": self._trace_id()} if version > 1 else {}
        packet["version"] = version
        if version == 2 or (version > 2 and self.fixture.number % 2 == 0):  # optional, also in version 3
            packet["finished"] = self.finished
        packet["fixtureAction"] = self._action(action, send_type)
        packet["fixtureSummary"] = self._summary()
        return packet

    def _action(self, action: Action, send_type: SendType) -> Json:
        version, sport = self.fixture.version, self.fixture.sport
        body: Json = {"fixtureId": self.fixture.id, "actionId": action.id, "fixtureSeqNum": NUMBER}
        if version > 1:
            body["timelineSequence"] = None  # made when the number is known
        body |= {"fixtureActionType": action.name, "fixtureActionTypeId": action.type_id}
        if action.sub_type is not None:
            body["fixtureActionSubType"], body["fixtureActionSubTypeId"] = action.sub_type
        body |= {
            "sendType": send_type,
            "sendTypeId": SEND_TYPE_IDS[send_type],
            "period": action.period,
            "clockTime": _clock(action.clock_s),
            "timestamp": stamp(self.moment.now_ns, 3 if sport in _MILLISECONDS else 6),
        }
        if action.team is not None:
            team: Json = {"id": action.team.id, "name": action.team.name}
            body["team"] = team | {"homeTeam": action.team.home} if version > 1 else team
        if action.player is not None:
            body["player"] = action.player
        if version > 1:
            body["relatedFixtureActionIds"] = list(action.related)
        if action.metadata:
            body["metadata"] = action.metadata
        return body | action.extra

    def _summary(self) -> Json:
        home, away = self.score
        sport = self.fixture.sport
        summary: Json = {
            "homeTeamScore": home,
            "awayTeamScore": away,
            "isTied": home == away,
            "finished": self.finished,
            "currentPeriod": self.period,
            "currentStatus": STATUSES[self.status],
            "currentClockTime": _clock(self.clock_s),
        }
        if states := _CLOCK_STATES.get(sport):
            summary["currentClockState"] = states[0] if self.clock_runs else states[1]
        if self.fixture.version > 1:
            summary["collectionStatus"] = COLLECTION_STATUSES[self.collection]
        # The vendor's own spellings: one s, and two in snooker.
        summary["isHomeTeamInPossession" if sport == "snooker" else "isHomeTeamInPossesion"] = self.home_in_possession
        summary["periods"] = [_period(period) for period in self.periods]
        return summary

    def _trace_id(self) -> str:
        return f"{self.chance.getrandbits(128):032x}"


def _plus(score: tuple[int, int], points: int, *, home: bool) -> tuple[int, int]:
    return (score[0] + points, score[1]) if home else (score[0], score[1] + points)


def _clock(seconds: int) -> str:
    return f"{seconds // 60:02}:{seconds % 60:02}"


def _period(period: Period) -> Json:
    return {
        "id": period.id,
        "type": period.rule.type,
        "label": period.rule.label,
        "start": stamp(period.start_ns, 0).removesuffix("Z"),  # no zone, as the vendor prints it
        "end": None if period.end_ns is None else stamp(period.end_ns, 0).removesuffix("Z"),
        "homeTeamScore": period.at_start[0] + period.score[0],
        "awayTeamScore": period.at_start[1] + period.score[1],
        "homeTeamPeriodScore": period.score[0],
        "awayTeamPeriodScore": period.score[1],
    }
