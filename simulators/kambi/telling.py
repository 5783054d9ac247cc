"""What a match does, as changes of what the event's consumers know: kept on the event as it is told."""

from collections.abc import Iterator
from typing import assert_never

from simulators.kambi.bodies import Json
from simulators.kambi.book import Counted, LivePart, Occurred, Reported, Seen, Told
from simulators.kambi.changes import (
    Change,
    ClockChanged,
    ClockRemoved,
    DescriptionChanged,
    LiveStatisticChanged,
    OccurrenceChanged,
    ScoreChanged,
    StatisticsChanged,
    TickerAdded,
    VisualizationChanged,
)
from simulators.kambi.entities import Event, Moment
from simulators.kambi.ids import Ids


def take_all(event: Event, moment: Moment) -> None:
    """Take clock, score and statistics from the match as the event goes live: the opening message tells them."""
    for part in ("clock", "score", "statistics"):
        take(event, part, moment)


def take(event: Event, part: LivePart, moment: Moment) -> Json | None:
    """Take one part from the match and return it; its version is the vendor's time, made to grow."""
    body = {"clock": event.match.clock, "score": event.match.score, "statistics": event.match.statistics}[part]()
    if body is not None:
        event.live.version = max(event.live.version + 1, moment.now_ms)
        body["version"] = event.live.version
    setattr(event.live, part, body)
    return body


def tell(
    event: Event, happening: Told | Occurred | Seen | Counted | Reported, ids: Ids, moment: Moment
) -> Iterator[Change]:  # fmt: skip
    """Yield what consumers are told of ``happening``."""
    match happening:
        case Told():
            yield from _tell_part(event, happening.part, moment)
        case Occurred():
            yield from _occurrence(event, happening, ids)
        case Seen():
            shown = {"id": ids.incident(), "eventId": event.id, "occurrenceTypeId": happening.type_id}
            event.live.visualization = shown | happening.fields
            yield VisualizationChanged(event_id=event.id, visualization=event.live.visualization)
        case Counted():
            event.live.counts[happening.type_id] = happening.value
            yield LiveStatisticChanged(event_id=event.id, type_id=happening.type_id, value=happening.value)
        case Reported():
            ticker: Json = {
                "id": ids.incident(),
                "eventId": event.id,
                "type": happening.type,
                "minute": happening.minute,
                "message": happening.message,
            }
            event.live.tickers.append(ticker)
            yield TickerAdded(event_id=event.id, ticker=ticker)
        case _:
            assert_never(happening)


def describe(event: Event, description: str) -> Change:
    """Say something about the event, or take it back with the empty text."""
    event.live.description = description
    return DescriptionChanged(event_id=event.id, description=description)


def stop_clock(event: Event) -> Iterator[Change]:
    """Take the clock away, if there is one."""
    if event.live.clock is not None:
        event.live.clock = None
        yield ClockRemoved(event_id=event.id)


def _tell_part(event: Event, part: LivePart, moment: Moment) -> Iterator[Change]:
    body = take(event, part, moment)
    if body is None:
        return
    match part:
        case "clock":
            yield ClockChanged(event_id=event.id, clock=body)
        case "score":
            yield ScoreChanged(event_id=event.id, score=body, game_score=event.fixture.sport == "TENNIS")
        case "statistics":
            yield StatisticsChanged(event_id=event.id, statistics=body)


def _occurrence(event: Event, occurred: Occurred, ids: Ids) -> Iterator[Change]:
    held = event.live.occurrences
    if occurred.action == "ADDED":
        body: Json = {"id": ids.incident(), "eventId": event.id, "occurrenceTypeId": occurred.type_id}
        body |= occurred.fields | {"action": "ADDED"}
        held.append(body)
        yield OccurrenceChanged(event_id=event.id, occurrence=body)
        return
    for place in range(len(held) - 1, -1, -1):
        if held[place]["occurrenceTypeId"] == occurred.type_id:
            body = held[place] | occurred.fields | {"action": occurred.action}
            if occurred.action == "MODIFIED":
                held[place] = body
            else:
                del held[place]
            yield OccurrenceChanged(event_id=event.id, occurrence=body)
            return
