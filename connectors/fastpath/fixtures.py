"""What the lists of fixtures say, in every shape that is documented or was seen (fact sheet §4.5, §10). Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from schemas.fastpath.wire import COLLECTION_STATUSES

Life = Literal["live", "quiet", "ended"]
"""``quiet``: not to be followed now, nor left: scheduled, or its collection is over while its status says live."""

PAGE_SIZE: Final = 100
_DEFAULT_PAGE_SIZE: Final = 20  # the vendor's; a bare array of so many may be one page of more

# Status and collection status come as words or as their position in the vendor's list.
_STATUS: Final = (
    "scheduled",
    "live",
    "completed",
    "postponed",
    "abandoned",
    "cancelled",
    "suspended",
    "unverified",
)
_COLLECTION: Final = tuple(status.lower() for status in COLLECTION_STATUSES)
_ENDED: Final = frozenset({"completed", "abandoned", "cancelled", "postponed", "finished"})  # the last one: tennis
_COLLECTED: Final = frozenset({"collectiondropped", "collectioncompleted", "postmatchchecked"})
_TYPES: Final = ("", "official", "simulation", "training")

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}")
_GOLF_ROUND = re.compile(r"([A-Za-z0-9]{1,40})-([0-9]{1,3})-([A-Za-z0-9]{1,40})")
_ARRAYS: Final = ("content", "fixtures", "events", "liveEvents", "items", "results", "data")
_CURSORS: Final = ("nextCursor", "cursor", "next")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixture:
    """One entry of a list.

    Attributes:
        id: As in the paths of its feeds, or of golf ``<tournament>/round/<n>/team/<no>``.
        life: Whether to follow it.
        type: ``official``, ``simulation``, ``training``, any other word, or empty when it names none.
    """

    id: str
    life: Life
    type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One answer of a list.

    Attributes:
        fixtures: Those that could be read, in the API's order.
        unreadable: Entries that could not.
        more: Query of the next page; ``None``: there is none.
    """

    fixtures: tuple[Fixture, ...]
    unreadable: int
    more: Mapping[str, str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What all pages of a sport's list said together.

    Attributes:
        sport: As in the settings.
        fixtures: Those that could be read.
        whole: Every page was had and every entry read: what it lacks is missing.
    """

    sport: str
    fixtures: tuple[Fixture, ...]
    whole: bool


def read_page(document: Any, *, sport: str, number: int) -> Page | None:
    """Return what page ``number`` (from 0) of a list of ``sport`` says, ``None`` when it is no list.

    It is a bare array, ``{"content": […]}`` with paging facts, or an object with a named array and a cursor.
    """
    if isinstance(document, list):
        more = len(document) >= PAGE_SIZE or len(document) == _DEFAULT_PAGE_SIZE
        return _page(document, sport, {"page": str(number + 1)} if more else None)
    if not isinstance(document, dict):
        return None
    arrays = {name: value for name, value in document.items() if isinstance(value, list)}
    name = next((name for name in _ARRAYS if name in arrays), next(iter(arrays), None) if len(arrays) == 1 else None)
    return None if name is None else _page(arrays[name], sport, _next(document, number))


def read_fixture(entry: Any, *, sport: str) -> Fixture | None:
    """Return what one entry of a list, or the answer about one fixture, says; ``None``: it cannot be read."""
    if not isinstance(entry, dict):
        return None
    identity = _golf_round(entry) if sport == "golf" else _id(_first(entry, "id", "fixtureId", "eventId"))
    if identity is None:
        return None
    return Fixture(id=identity, life=_life(entry), type=_word(entry.get("type"), _TYPES))


# -- private -----------------------------------------------------------------------------------------------------------


def _page(entries: list[Any], sport: str, more: Mapping[str, str] | None) -> Page:
    read = [read_fixture(entry, sport=sport) for entry in _flat(entries)]
    known = {fixture.id: fixture for fixture in read if fixture is not None}
    return Page(fixtures=tuple(known.values()), unreadable=read.count(None), more=more)


def _flat(entries: Iterable[Any]) -> Iterator[Any]:
    """Yield entries; of tournaments that hold their events, the events."""
    for entry in entries:
        inner = _first(entry, "events", "liveEvents") if isinstance(entry, dict) else None
        if isinstance(inner, list):
            yield from inner
        else:
            yield entry


def _next(document: Mapping[str, Any], number: int) -> Mapping[str, str] | None:
    for facts in (document, *(document.get(name) for name in ("pagination", "paging", "page", "pageable"))):
        if not isinstance(facts, dict):
            continue
        for name in _CURSORS:
            if isinstance(cursor := facts.get(name), str) and cursor:
                return {"cursor": cursor}
        if isinstance(last := facts.get("last"), bool):
            return None if last else {"page": str(number + 1)}
        pages = facts.get("totalPages")
        if isinstance(pages, int) and not isinstance(pages, bool):
            return {"page": str(number + 1)} if number + 1 < pages else None
    return None


def _life(entry: Mapping[str, Any]) -> Life:
    status = _word(entry.get("status"), _STATUS)
    if entry.get("fixtureDeleted") is True or status in _ENDED:
        return "ended"
    if status == "scheduled" or _word(entry.get("collectionStatus"), _COLLECTION) in _COLLECTED:
        return "quiet"
    return "live"  # a word we do not know stands in a list of live fixtures


def _word(value: Any, words: tuple[str, ...]) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(words):
        return words[value]
    return re.sub(r"[^a-z]", "", value[:100].lower()) if isinstance(value, str) else ""


def _id(value: Any) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        value = str(value)
    return value if isinstance(value, str) and _ID.fullmatch(value) else None


def _first(entry: Mapping[str, Any], *names: str) -> Any:
    return next((entry[name] for name in names if entry.get(name) is not None), None)


def _golf_round(entry: Mapping[str, Any]) -> str | None:
    """Return round and team below ``golf/tournaments/``: golf has a feed per team and round."""
    if parts := _GOLF_ROUND.fullmatch(str(_first(entry, "eventId", "id"))):  # as the multiplexer names it
        return "{}/round/{}/team/{}".format(*parts.groups())
    tournament = _id(_first(entry, "tournamentId", "id"))
    number, team = _id(_first(entry, "roundNo", "round")), _id(_first(entry, "teamNo", "team"))
    return f"{tournament}/round/{number}/team/{team}" if tournament and number and team else None
