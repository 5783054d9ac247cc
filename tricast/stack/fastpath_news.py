"""What FastPath's topics say to somebody who watches: line and feed states, actions, findings."""

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

from tricast.stack.news import Line, Record, is_line_state

KEPT_ACTIONS = 8
"""Actions kept for the live view."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenAction:
    """One action or event element.

    Attributes:
        time: As the vendor wrote it.
        marks: What is not ordinary about it: replayed, late, repaired, conflict.
    """

    time: str
    feed: str
    sequence: int
    what: str
    marks: str


class FastpathNews:
    """Newest states, last actions and all findings of the feed.

    Attributes:
        lines: Newest health value of each connector line.
        feeds: Newest health value of each feed.
        actions: Last actions, newest first.
        findings: How many findings of each kind since the watch began.
    """

    topics: ClassVar[Mapping[str, bool]] = MappingProxyType(
        {"fastpath.actions": False, "fastpath.sequence": False, "fastpath.health": True}
    )

    def __init__(self) -> None:
        self.lines: dict[str, Line] = {}
        self.feeds: dict[str, dict[str, Any]] = {}
        self.actions: deque[SeenAction] = deque(maxlen=KEPT_ACTIONS)
        self.findings: Counter[str] = Counter()

    def observe(self, topic: str, record: Record, value: dict[str, Any] | None) -> None:
        """Take in one record of ``topic`` (registry name)."""
        if value is None:
            kind, _, name = (record.key or b"").decode(errors="replace").partition("/")
            (self.feeds if kind == "feed" else self.lines).pop(name, None)
        elif topic == "fastpath.health":
            note_health(record.key or b"", value, self.lines, self.feeds)
        elif topic == "fastpath.sequence":
            self.findings[str(value.get("finding"))] += 1
        else:
            self.actions.appendleft(_action(value))


def note_health(
    key: bytes, value: dict[str, Any], lines: dict[str, dict[str, Any]], feeds: dict[str, dict[str, Any]]
) -> None:
    """Keep a health record where it belongs: the newest of a line or of a feed; gaps are history."""
    if key.startswith(b"feed/"):
        feeds[str(value.get("feed"))] = value
    elif is_line_state(key, value):
        lines[value["line"]] = value


def _action(value: Mapping[str, Any]) -> SeenAction:
    marks = [name for name in ("late", "repaired", "conflict") if value.get(name)]
    if value.get("delivery") not in (None, "live"):
        marks.append(str(value["delivery"]))
    what = value.get("action_type") or value.get("element_type") or ""
    return SeenAction(
        time=str(value.get("vendor_time", ""))[11:23],
        feed=str(value.get("feed")),
        sequence=int(value.get("sequence", 0)),
        what=" ".join(str(word) for word in (what, value.get("send_type")) if word),
        marks=", ".join(marks),
    )
