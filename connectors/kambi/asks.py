"""What is asked of the offering API, how a request is named, and how it may have gone. Pure."""

from dataclasses import dataclass
from typing import Literal

What = Literal["offers", "livedata", "live-open", "list-view"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request to make.

    Attributes:
        number: Tells requests apart; answers are given back under it.
        what: What is asked for.
        asked_s: When it was given out, monotonic seconds.
        shard: Whose events these are; ``None`` when the answer covers all shards.
        events: Event ids, for ``offers`` and ``livedata``.
        term: Path below ``listView``, for ``list-view``.
        conditional: Whether "not modified" will do. After a (re)subscribe it will not: the processors need a record.
    """

    number: int
    what: What
    asked_s: float
    shard: int | None = None
    events: tuple[int, ...] = ()
    term: str = ""
    conditional: bool = True


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to ask before ``until_s``, unless something is told."""

    until_s: float


@dataclass(frozen=True, slots=True)
class Served:
    """The request did what it was for."""


@dataclass(frozen=True, slots=True)
class Gone:
    """404: the API knows none of the events."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """Frames needed the room in the queue to Kafka."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """It was not answered; ``everywhere``: others would fare no better. ``retry_after_s`` is the server's wish."""

    everywhere: bool
    retry_after_s: float = 0.0


Outcome = Served | Gone | Skipped | Failed


def position(ask: Ask, language: str) -> str:
    """Return path and query below ``/offering/v2018/<offering>/``; it names the request in raw records, too."""
    match ask.what:
        case "offers":
            path = "betoffer/event/" + ",".join(map(str, ask.events))
        case "livedata":
            path = "event/livedata/" + ",".join(map(str, ask.events))
        case "live-open":
            path = "event/live/open"
        case "list-view":
            path = "listView/" + ask.term
    return f"{path}.json?lang={language}"
