"""Answers of the Offering HTTP API as they come (fact sheet §7): whole snapshots of what push changes bit by bit.

The models are those of the lists in an answer and of what stands beside them, not of whole answers, since one offer
that is not what it should be must not cost hundreds of others. What is not named is ignored, ``prePacks`` above all.
"""

from msgspec import Struct

from schemas.kambi.wire import BetOffer, Event, Int64, LiveData, LiveEventOpened


class ErrorBody(Struct, rename="camel", gc=False):
    """What an API that was told to suppress status codes, or a proxy, says instead of an answer."""

    status: Int64 | str | None = None
    message: str | None = None


class Range(Struct, rename="camel", gc=False):
    """Which part of a long list this is; a page has 1000 or 2000 entries at most (fact sheet §7)."""

    start: Int64 | None = None
    size: Int64 | None = None
    total: Int64 | None = None


class LiveDataOfEvent(LiveData, rename="camel", gc=False):
    """An item of ``event/livedata/{ids}``, or ``liveData`` of the older ``event/{id}/livedata``."""

    description: str | None = None


class ListedEvent(Struct, rename="camel", gc=False):
    """An item of ``listView/…``: an event, mostly before its start, with the offers that a list shows of it."""

    event: Event
    bet_offers: list[BetOffer] | None = None
    live_data: LiveData | None = None


BetOffers = list[BetOffer]
"""``betOffers`` of ``betoffer/event/{ids}``: every bet offer of these events."""
Events = list[Event]
"""``events`` of the same."""
LiveEvents = list[LiveEventOpened]
"""``liveEvents`` of ``event/live/open``: every event that is open for live betting; an item is what ``leo`` has."""
ListedEvents = list[ListedEvent]
"""``events`` of ``listView/…``."""
LiveDataList = list[LiveDataOfEvent]
"""The answer to ``event/livedata/{ids}``."""
