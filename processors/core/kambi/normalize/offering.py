"""Events."""

from typing import Any

from msgspec import UNSET

from processors.core.kambi.normalize.offers import offer_added
from processors.core.kambi.normalize.scores import live_data_changed
from processors.core.kambi.normalize.values import Time, event_id, number, optional, present
from schemas.kambi import events, wire


def event_added(element: wire.EventAdded, time: Time) -> list[events.Fact]:
    """Return the candidates of ``ea``."""
    return [events.EventAdded(**_description(element.event, time))]


def event_opened(element: wire.LiveEventOpened, time: Time) -> list[events.Fact]:
    """Return the candidates of ``leo``: the event, its main offer, its clock, score and statistics."""
    opened = events.EventOpened(**_description(element.event, time))
    records: list[events.Fact] = [opened]
    offer, live = element.main_bet_offer, element.live_data
    if offer is not None:
        records.append(offer_added(offer, event_id(opened.event_id, offer.event_id), time))
    if live is not None:
        records += live_data_changed(live, event_id(opened.event_id, live.event_id), time)
    return records


def event_removed(element: wire.EventOnly, time: Time) -> list[events.Fact]:
    """Return the candidate of ``er``."""
    return [events.EventRemoved(event_id=event_id(element.event_id), vendor_time_ms=time)]


def event_state_changed(element: wire.EventStateUpdated, time: Time) -> list[events.Fact]:
    """Return the candidate of ``esu``."""
    event = event_id(element.id, element.event_id)
    return [events.EventStateChanged(event_id=event, vendor_time_ms=time, state=element.state)]


def event_description_changed(element: wire.EventDescriptionUpdated, time: Time) -> list[events.Fact]:
    """Return the candidate of ``desc``."""
    return [
        events.EventDescriptionChanged(
            event_id=event_id(element.event_id), vendor_time_ms=time, description=element.description or UNSET
        )
    ]


def _description(event: wire.Event, time: Time) -> dict[str, Any]:
    return {
        "event_id": number(event.id),
        "vendor_time_ms": time,
        "name": present(event.name),
        "english_name": present(event.english_name),
        "name_delimiter": present(event.name_delimiter),
        "home_name": present(event.home_name),
        "away_name": present(event.away_name),
        "sport": present(event.sport),
        "state": present(event.state),
        "start": present(event.start),
        "group_name": present(event.group),
        "group_id": optional(event.group_id),
        "group_sort_order": optional(event.group_sort_order),
        "path": UNSET if event.path is None else [_path_step(step) for step in event.path],
        "tags": present(event.tags),
        "live_offer_count": present(event.live_bo_count),
        "non_live_offer_count": present(event.non_live_bo_count),
    }


def _path_step(step: wire.PathStep) -> events.PathStep:
    return events.PathStep(
        id=optional(step.id),
        name=present(step.name),
        english_name=present(step.english_name),
        term_key=present(step.term_key),
    )
