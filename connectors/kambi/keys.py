"""Routing keys of Kambi Offering Push: build and parse. Pure.

Grammar: ``v2018.<offering>[.<language>][.ext].ev[.<event id>].json`` and ``v2018.<offering>.bh.json``.
"""

import re
from dataclasses import dataclass
from typing import Literal

_KEY = re.compile(
    r"v2018\.(?P<offering>[a-z0-9]+)"
    r"(?:\.(?P<language>[a-z]{2}(?:_[A-Z]{2})?))?"
    r"(?P<extended>\.ext)?"
    r"\.(?:ev(?:\.(?P<event>[0-9]+))?|(?P<settled>bh))\.json"
)

Channel = Literal["general", "event", "extended", "settled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingKey:
    """One routing key, taken apart.

    Attributes:
        offering: Offering identifier, e.g. ``kambi``.
        channel: What the key carries.
        language: ``en`` or ``en_GB``; ``None`` for a neutral key.
        event: Event id of an ``event`` key, else ``None``.
    """

    offering: str
    channel: Channel
    language: str | None = None
    event: int | None = None

    def __str__(self) -> str:
        parts = ["v2018", self.offering]
        if self.language is not None:
            parts.append(self.language)
        match self.channel:
            case "extended":
                parts += ["ext", "ev"]
            case "settled":
                parts.append("bh")
            case "general":
                parts.append("ev")
            case "event":
                parts += ["ev", str(self.event)]
        return ".".join([*parts, "json"])


def parse(text: str) -> RoutingKey | None:
    """Return the routing key in ``text``, or ``None`` when it is none (so, too, extended or ``bh`` with extras)."""
    match = _KEY.fullmatch(text)
    if match is None:
        return None
    offering, language, event = match["offering"], match["language"], match["event"]
    if match["settled"]:
        if language or match["extended"]:
            return None
        return RoutingKey(offering=offering, channel="settled")
    if match["extended"]:
        return None if event else RoutingKey(offering=offering, channel="extended", language=language)
    if event:
        return RoutingKey(offering=offering, channel="event", language=language, event=int(event))
    return RoutingKey(offering=offering, channel="general", language=language)


def general_pair(offering: str, language: str, *, extended: bool = False) -> tuple[str, str]:
    """Return the two general keys, language and neutral: neither carries everything.

    The extended ones carry all that the plain ones do and more, so they are taken in their place, never beside them.
    """
    channel: Channel = "extended" if extended else "general"
    return (
        str(RoutingKey(offering=offering, channel=channel, language=language)),
        str(RoutingKey(offering=offering, channel=channel)),
    )


def event_pair(offering: str, language: str, event: int) -> tuple[str, str]:
    """Return the two keys of an event, language and neutral: neither carries everything."""
    return (
        str(RoutingKey(offering=offering, channel="event", language=language, event=event)),
        str(RoutingKey(offering=offering, channel="event", event=event)),
    )


def settled(offering: str) -> str:
    """Return the key of settled outcomes; it has no language and no pair."""
    return str(RoutingKey(offering=offering, channel="settled"))
