"""Normalized records of ``fastpath.actions``: actions of family A, event elements of family B."""

from typing import Annotated

from msgspec import UNSET, Meta, Raw, UnsetType

from schemas.fastpath.fields import ACTIONS, Details, Flag, Integer, JsonObject, PacketRecord, Text
from schemas.normalized import Closed

DelayStatus = Annotated[
    str, Meta(description="Not empty: collected offline, not live. DELAYED, RECONSTRUCTED …; open.")
]
Clock = Annotated[str, Meta(description="Match clock as sent, mostly mm:ss.")]
Score = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1, description="Score as sent.")]
PeriodTime = Annotated[str, Meta(description="As sent, without zone; UTC by all that is known. Absent: not yet.")]


class Team(Closed, kw_only=True):
    """The team that acted."""

    id: Text | UnsetType = UNSET
    name: Text | UnsetType = UNSET
    home: Annotated[bool, Meta(description="homeTeam.")] | UnsetType = UNSET
    details: Details | UnsetType = UNSET


class Period(Closed, kw_only=True):
    """One period of the match."""

    id: Integer | UnsetType = UNSET
    type: Annotated[str, Meta(description="Regular, Shootout; open.")] | UnsetType = UNSET
    label: Text | UnsetType = UNSET
    start: PeriodTime | UnsetType = UNSET
    end: PeriodTime | UnsetType = UNSET
    home_score: Score | UnsetType = UNSET
    away_score: Score | UnsetType = UNSET
    home_period_score: Score | UnsetType = UNSET
    away_period_score: Score | UnsetType = UNSET
    details: Details | UnsetType = UNSET


class Summary(Closed, kw_only=True):
    """fixtureSummary: where the match stands after the action."""

    home_score: Score | UnsetType = UNSET
    away_score: Score | UnsetType = UNSET
    tied: Flag | UnsetType = UNSET
    finished: Annotated[bool, Meta(description="As sent; also true after a dropped collection.")] | UnsetType = UNSET
    current_period: Integer | UnsetType = UNSET
    current_status: Annotated[str, Meta(description="Scheduled, Live, Completed …; open.")] | UnsetType = UNSET
    current_clock_time: Clock | UnsetType = UNSET
    current_clock_state: Annotated[str, Meta(description="stopped, Running, Stopped; open.")] | UnsetType = UNSET
    collection_status: Annotated[str, Meta(description="CollectingLive, CollectionSuspended …; open.")] | UnsetType = (
        UNSET
    )
    home_in_possession: Annotated[bool, Meta(description="In both of the vendor's spellings.")] | UnsetType = UNSET
    periods: Annotated[list[Period], Meta(description="In the vendor's order.")] | UnsetType = UNSET
    details: Details | UnsetType = UNSET


class Action(PacketRecord, kw_only=True):
    """One action of a fixture, or one more word on it: Pending, Confirmed, Deleted … (family A).

    A field of another type than it should have stands in ``details`` under the vendor's name.
    """

    ce_type = "tricast.fastpath.action.v1"
    topic = ACTIONS

    action_id: (
        Annotated[str, Meta(description="The same over Pending, Confirmed, Updated, Deleted of one action.")]
        | UnsetType
    ) = UNSET
    send_type: (
        Annotated[str, Meta(description="Pending, Updated, Cancelled, Deleted, Confirmed, Restored; open. It holds.")]
        | UnsetType
    ) = UNSET
    send_type_id: Annotated[int, Meta(description="As sent; may disagree with the name.")] | UnsetType = UNSET
    action_type: (
        Annotated[str, Meta(description="Name; with the sport it is the key, ids are not unique.")] | UnsetType
    ) = UNSET
    action_type_id: Integer | UnsetType = UNSET
    action_sub_type: Text | UnsetType = UNSET
    action_sub_type_id: Integer | UnsetType = UNSET
    period: Annotated[int, Meta(description="Id of the period; 0 for status actions.")] | UnsetType = UNSET
    clock_time: Clock | UnsetType = UNSET
    timeline_sequence: (
        Annotated[str, Meta(description="Decimal text as sent, to sort a finished match by; a lossy float.")]
        | UnsetType
    ) = UNSET
    team: Annotated[Team, Meta(description="The team that acted.")] | UnsetType = UNSET
    player: JsonObject | UnsetType = UNSET
    related_action_ids: Annotated[list[str], Meta(description="As sent, e.g. of a disallowed goal.")] | UnsetType = (
        UNSET
    )
    metadata: JsonObject | UnsetType = UNSET
    delay_status: DelayStatus | UnsetType = UNSET
    finished: Annotated[bool, Meta(description="Of the packet; also true after a dropped collection.")] | UnsetType = (
        UNSET
    )
    version: Annotated[int, Meta(description="Version of the vendor's payload, seen 1, 2, 3.")] | UnsetType = UNSET
    summary: Annotated[Summary, Meta(description="Where the match stands after it.")] | UnsetType = UNSET
    envelope: Annotated[dict[str, Raw], Meta(description="Other fields beside fixtureAction, as sent.")] | UnsetType = (
        UNSET
    )
    details: Details


class EventElement(PacketRecord, kw_only=True):
    """One event element: point, stroke, takedown, alarm … (family B)."""

    ce_type = "tricast.fastpath.event-element.v1"
    topic = ACTIONS

    element_type: Annotated[str, Meta(description="eventElementType; open. Absent: the feed has none.")] | UnsetType = (
        UNSET
    )
    delay_status: DelayStatus | UnsetType = UNSET
    details: Details
