"""Which channels a line's routing keys hold, and which side of a pair a message type comes on (fact sheet §3, §6)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from schemas.kambi.wire import MAX_ID

Side = Literal["language", "neutral"]

SIDES: Final[dict[int, Side]] = {
    **dict.fromkeys((4, 5, 6, 8, 15, 19, 22, 25), "language"),
    **dict.fromkeys((7, 11, 12, 16, 17, 18, 20, 23, 27, 28, 32, 34), "neutral"),
}
"""Message type → the side it comes on, of the general keys as of an event's. 9 was withdrawn and 24 has no pair."""

_KEY = re.compile(
    r"v2018\.[a-z0-9]+(?:\.(?P<language>[a-z]{2}(?:_[A-Z]{2})?))?(?P<extended>\.ext)?\.ev(?:\.(?P<event>[0-9]{1,19}))?\.json"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What the routing keys of one line amount to.

    Attributes:
        keys: How many there are, of any kind.
        general: It holds both general keys, plain or extended.
        events: Events of which it holds both keys, in order.
    """

    keys: int
    general: bool
    events: tuple[int, ...]


def read_keys(keys: Iterable[str]) -> Holding:
    """Return what ``keys`` hold; one side without the other is no channel, for neither side carries everything."""
    sides: dict[str | None, set[bool]] = {}
    distinct = dict.fromkeys(keys)
    for key in distinct:
        match = _KEY.fullmatch(key)
        if match is not None and not (match["event"] and match["extended"]):
            sides.setdefault(match["event"], set()).add(match["language"] is None)
    complete = [event for event, both in sides.items() if len(both) == 2]
    return Holding(
        keys=len(distinct),
        general=None in complete,
        events=tuple(sorted({int(event) for event in complete if event is not None and int(event) <= MAX_ID})),
    )
