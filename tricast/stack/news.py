"""What the news desks of the feeds share: one reads the topics of one feed for the live view."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, ClassVar, Protocol

from schemas.record import KafkaRecord

KEPT_NAMES = 5_000
"""Names and last values kept; the oldest go first."""


class News(Protocol):
    """What one feed's topics say."""

    topics: ClassVar[Mapping[str, bool]]
    """Registry names of the topics it reads; whether from their beginning: names are history."""

    def observe(self, topic: str, record: KafkaRecord, value: dict[str, Any]) -> None:
        """Take in one record of ``topic`` (registry name)."""


def keep_newest(kept: "OrderedDict[Any, Any]", key: Any, value: Any) -> None:
    """Set ``key``; what was set longest ago goes when there are too many."""
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > KEPT_NAMES:
        kept.popitem(last=False)
