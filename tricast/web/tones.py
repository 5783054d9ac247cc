"""Which colour a thing has. There are four, and each always comes with a word and a shape of its own."""

from collections.abc import Sequence
from typing import Literal

from tricast.monitor.health import TO_COME
from tricast.monitor.picture import Picture, State

Tone = Literal["ok", "warn", "bad", "idle"]
"""``ok`` works; ``warn`` look soon; ``bad`` look now; ``idle`` there is nothing to say."""

OF_VERDICT: dict[State, Tone] = {"healthy": "ok", "degraded": "warn", "down": "bad"}
_WORST_FIRST: tuple[Tone, ...] = ("bad", "warn", "ok", "idle")
_BAD = frozenset({"down"})
_OVER = frozenset({"finished", "left", "closed", TO_COME})
_COVERED = frozenset({"full", "main"})
"""How many keys an event has is a choice of ours, nothing to look at."""


def of_health(state: str, reason: str = "") -> Tone:
    """Return the tone of a line's or a feed's state. A state that is not known is one to look at."""
    if state == "live" or state in _COVERED:
        return "ok"
    if reason in _OVER or state in _OVER:
        return "idle"
    return "bad" if state in _BAD else "warn"


def rank(tone: Tone) -> int:
    """Return the tone's place, the worst first."""
    return _WORST_FIRST.index(tone)


def together(tones: Sequence[Tone]) -> Tone:
    """Return the tone of something made of parts: it is bad only when no part works."""
    found = set(tones) - {"idle"}
    if not found:
        return "idle"
    return "warn" if len(found) > 1 else found.pop()


def named(picture: Picture) -> frozenset[str]:
    """Return what the reasons of the verdict are about: the same words on the page are marked."""
    return frozenset(reason.subject for reason in picture.reasons)
