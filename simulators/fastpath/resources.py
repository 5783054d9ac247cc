"""What the REST API answers (fact sheet §10): lists of fixtures in each shape, one fixture, its actions. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

import msgspec
import orjson

from simulators.fastpath.channel import Channel
from simulators.fastpath.fixture import Fixture

ListShape = Literal["array", "content", "cursor"]
ErrorShape = Literal["message", "status"]

_SIZE: Final = 20
_LARGEST: Final = 1_000
_OVER: Final = frozenset({"Completed", "Abandoned", "Cancelled"})
_LIVE_EVENTS: Final = {
    "tournaments/liveevents": "tennis",
    "tennis/tournaments/liveevents": "tennis",
    "golf/tournaments/liveevents": "golf",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer; ``body`` is JSON text."""

    status: int
    body: bytes


class _Action(msgspec.Struct):
    fixtureAction: msgspec.Raw = msgspec.Raw()  # noqa: N815  # the vendor's name


class Resources:
    """The vendor's REST resources.

    Args:
        list_shape: How lists look.
        error_shape: How errors look.
    """

    def __init__(self, list_shape: ListShape, error_shape: ErrorShape) -> None:
        self._list_shape = list_shape
        self._error_shape = error_shape

    def answer(
        self, path: str, query: Mapping[str, str], fixtures: Sequence[Fixture], channels: Mapping[str, Channel]
    ) -> Answer:
        """Return what a GET of ``path`` (without leading slash) gives.

        Args:
            path: E.g. ``soccer/fixtures``.
            query: Its parameters; unknown ones are passed over.
            fixtures: All there are.
            channels: By feed path.
        """
        if path in _LIVE_EVENTS:
            return _live_events(_of_sport(fixtures, _LIVE_EVENTS[path]))
        sport, *words = path.removeprefix("v2/").split("/")
        known = _of_sport(fixtures, sport)
        match words:
            case ["fixtures"] if known:
                return self._list(known, query)
            case ["fixtures", identity, *rest] if rest in ([], ["actions"]):
                fixture = next((fixture for fixture in known if fixture.id == identity), None)
                if fixture is None:
                    return self.error(404, "Fixture not found")
                if not rest:
                    return Answer(status=200, body=orjson.dumps(fixture.json()))
                return self._actions(fixture, channels.get(fixture.paths["actions"]))
        return self.error(404, "Not found")

    def error(self, status: int, why: str) -> Answer:
        """Return an error in the shape that is set."""
        shaped: dict[str, Any] = {"errorMessage": why}
        if self._error_shape == "status":
            shaped = {"error": why, "status": status}
        return Answer(status=status, body=orjson.dumps(shaped))

    def _list(self, fixtures: Sequence[Fixture], query: Mapping[str, str]) -> Answer:
        chosen = [fixture.json() for fixture in fixtures if _is_wanted(fixture, query)]
        field, _, direction = query.get("sort", "startDateUTC,asc").partition(",")
        chosen.sort(key=lambda entry: (str(entry.get(field, "")), str(entry["id"])), reverse=direction == "desc")
        if self._list_shape == "array" and query.get("paged") != "true":
            return Answer(status=200, body=orjson.dumps(chosen))
        size = min(_number(query.get("size"), _SIZE) or _SIZE, _LARGEST)
        page = _number(query.get("cursor" if self._list_shape == "cursor" else "page"), 0)
        shown = chosen[page * size : (page + 1) * size]
        last = (page + 1) * size >= len(chosen)
        if self._list_shape == "cursor":
            return Answer(status=200, body=orjson.dumps({"fixtures": shown, "cursor": None if last else str(page + 1)}))
        facts = {
            "content": shown,
            "pageable": {"pageNumber": page, "pageSize": size, "offset": page * size, "paged": True},
            "totalElements": len(chosen),
            "totalPages": -(-len(chosen) // size),
            "number": page,
            "size": size,
            "numberOfElements": len(shown),
            "first": page == 0,
            "last": last,
            "empty": not shown,
        }
        return Answer(status=200, body=orjson.dumps(facts))

    def _actions(self, fixture: Fixture, channel: Channel | None) -> Answer:
        """Return the whole list: after the match only."""
        if channel is None or fixture.status not in _OVER:
            return self.error(404, "Actions are available when the fixture has ended")
        read = msgspec.json.Decoder(_Action).decode
        actions = [read(packet.text(packet.number)).fixtureAction for packet in channel.events]
        return Answer(status=200, body=b"[%b]" % b",".join(bytes(action) for action in actions if bytes(action)))


def _of_sport(fixtures: Iterable[Fixture], sport: str) -> list[Fixture]:
    return [fixture for fixture in fixtures if fixture.sport == sport]


def _live_events(fixtures: Iterable[Fixture]) -> Answer:
    live = [fixture.json() | _golf_names(fixture) for fixture in fixtures if fixture.status == "Live"]
    return Answer(status=200, body=orjson.dumps(live))


def _golf_names(fixture: Fixture) -> dict[str, Any]:
    if fixture.sport != "golf":
        return {"eventId": fixture.id}
    tournament, number, team = fixture.id.split("-")
    return {"tournamentId": tournament, "roundNo": int(number), "teamNo": int(team)}


def _is_wanted(fixture: Fixture, query: Mapping[str, str]) -> bool:
    day = datetime.fromtimestamp(fixture.starts_ns / 1e9, UTC).date().isoformat()
    wanted = {name: query[name].lower() for name in ("live", "status", "type") if query.get(name)}
    return (
        wanted.get("live", str(fixture.status == "Live").lower()) == str(fixture.status == "Live").lower()
        and wanted.get("status", fixture.status.lower()) == fixture.status.lower()
        and wanted.get("type", "official") == "official"
        and query.get("dateFrom", day) <= day <= query.get("dateTo", day)
    )


def _number(text: str | None, default: int) -> int:
    return int(text) if text is not None and text.isascii() and text.isdecimal() else default
