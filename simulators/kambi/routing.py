"""Routing keys of the push API: which exist, and which one connection holds."""

from dataclasses import dataclass, field
from typing import Literal


def general(offering: str, *, language: str | None = None, extended: bool = False) -> str:
    """Return a general key: with a language kind 1 (extended 5), without one kind 2 (extended 6)."""
    return ".".join(["v2018", offering, *([language] if language else []), *(["ext"] if extended else []), "ev.json"])


def of_event(offering: str, event_id: int, *, language: str | None = None) -> str:
    """Return the key of one event: kind 3 with a language, kind 4 without."""
    return ".".join(["v2018", offering, *([language] if language else []), f"ev.{event_id}.json"])


def settlements(offering: str) -> str:
    """Return the key of settled outcomes (kind 7)."""
    return f"v2018.{offering}.bh.json"


def is_of_event(key: str) -> bool:
    """Whether ``key``, one of those made here, is that of one event."""
    return key.split(".")[-2].isdecimal()


Answer = Literal["added", "held", "refused"]


@dataclass(slots=True, kw_only=True)
class HeldKeys:
    """The keys of one connection. Any text is a key: one that means nothing is held and never delivers."""

    limit: int
    keys: set[str] = field(default_factory=set)

    def subscribe(self, key: str) -> Answer:
        """Hold ``key`` unless the limit is reached; a key that is held already counts once."""
        if key in self.keys:
            return "held"
        if len(self.keys) >= self.limit:
            return "refused"
        self.keys.add(key)
        return "added"

    def unsubscribe(self, key: str) -> None:
        """Let go of ``key``; one that is not held is no error."""
        self.keys.discard(key)


def refusal(key: str, limit: int) -> dict[str, int | str]:
    """Return the 429 object for a refused key, exactly the vendor's three fields."""
    return {
        "code": 429,
        "message": f"Subscription denied, max subscriptions {limit} reached. Please unsubscribe to some topics",
        "topic": key,
    }
