"""What FastPath's topics say to somebody who watches: actions, findings."""

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

from schemas.record import KafkaRecord

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
    """Last actions and all findings of the feed.

    Attributes:
        actions: Last actions, newest first.
        findings: How many findings of each kind since the watch began.
    """

    topics: ClassVar[Mapping[str, bool]] = MappingProxyType({"fastpath.actions": False, "fastpath.sequence": False})

    def __init__(self) -> None:
        self.actions: deque[SeenAction] = deque(maxlen=KEPT_ACTIONS)
        self.findings: Counter[str] = Counter()

    def observe(self, topic: str, record: KafkaRecord, value: dict[str, Any]) -> None:
        """Take in one record of ``topic`` (registry name)."""
        if topic == "fastpath.sequence":
            self.findings[str(value.get("finding"))] += 1
        else:
            self.actions.appendleft(_action(value))


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
