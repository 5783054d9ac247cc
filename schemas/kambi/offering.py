"""Normalized records of ``kambi.events``: events and what describes them."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from schemas.kambi.fields import EVENTS, EventState, Fact, Tags, Text
from schemas.kambi.wire import MAX_ID
from schemas.normalized import Closed


class PathStep(Closed, kw_only=True):
    """One step from sport down to league."""

    id: Annotated[int, Meta(ge=0, le=MAX_ID, description="Kambi's group id.")] | UnsetType = UNSET
    name: Text | UnsetType = UNSET
    english_name: Text | UnsetType = UNSET
    term_key: Annotated[str, Meta(description="Stable name in URLs.")] | UnsetType = UNSET


class _EventDescription(Fact, kw_only=True):
    name: Text | UnsetType = UNSET
    english_name: Text | UnsetType = UNSET
    name_delimiter: Text | UnsetType = UNSET
    home_name: Text | UnsetType = UNSET
    away_name: Annotated[str, Meta(description="Absent on competitions.")] | UnsetType = UNSET
    sport: Annotated[str, Meta(description="FOOTBALL, TENNIS …; open.")] | UnsetType = UNSET
    state: EventState | UnsetType = UNSET
    start: Annotated[str, Meta(description="ISO 8601 UTC, as sent; may change to the real start.")] | UnsetType = UNSET
    group_name: Annotated[str, Meta(description="Innermost group, usually the league.")] | UnsetType = UNSET
    group_id: Annotated[int, Meta(ge=0, le=MAX_ID, description="Id of that group.")] | UnsetType = UNSET
    group_sort_order: (
        Annotated[int, Meta(ge=0, le=MAX_ID, description="19 digits, above 2^53: read it as a 64-bit integer.")]
        | UnsetType
    ) = UNSET
    path: Annotated[list[PathStep], Meta(description="From sport down to league.")] | UnsetType = UNSET
    tags: Tags | UnsetType = UNSET
    live_offer_count: Annotated[int, Meta(description="Bet offers offered live.")] | UnsetType = UNSET
    non_live_offer_count: Annotated[int, Meta(description="Bet offers offered before the start.")] | UnsetType = UNSET


class EventAdded(_EventDescription, kw_only=True):
    """An event entered the live offering (EventAdded, mt 4)."""

    ce_type = "tricast.kambi.event.added.v1"
    topic = EVENTS


class EventOpened(_EventDescription, kw_only=True):
    """An event opened for live betting (LiveEventOpened, mt 5); its main offer follows as offer.added."""

    ce_type = "tricast.kambi.event.opened.v1"
    topic = EVENTS


class EventRemoved(Fact, kw_only=True):
    """An event left the offering, and all its offers with it (EventRemoved, mt 18)."""

    ce_type = "tricast.kambi.event.removed.v1"
    topic = EVENTS


class EventStateChanged(Fact, kw_only=True):
    """An event's state moved to or from STARTED or NOT_STARTED (EventStateUpdated, mt 34)."""

    ce_type = "tricast.kambi.event.state-changed.v1"
    topic = EVENTS

    state: EventState


class EventDescriptionChanged(Fact, kw_only=True):
    """What is said about an event now, e.g. a rain delay (EventDescriptionUpdated, mt 20)."""

    ce_type = "tricast.kambi.event.description-changed.v1"
    topic = EVENTS

    description: (
        Annotated[str, Meta(description="For people, not localized. Absent: there is none any more.")] | UnsetType
    ) = UNSET
