"""What the news desks of the feeds share: one reads the topics of one feed for the live view and ``tricast status``."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol

KEPT_NAMES = 5_000
"""Names and last values kept; the oldest go first."""

Line = dict[str, Any]
"""Health value of a connector line."""


class Record(Protocol):
    """The part of aiokafka's ``ConsumerRecord`` that is used here."""

    @property
    def topic(self) -> str: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


class News(Protocol):
    """What one feed's topics say."""

    topics: ClassVar[Mapping[str, bool]]
    """Registry names of the topics it reads; whether from their beginning: states and names are history."""

    @property
    def lines(self) -> Mapping[str, Line]:
        """Newest health value of each connector line."""
        ...

    def observe(self, topic: str, record: Record, value: dict[str, Any] | None) -> None:
        """Take in one record of ``topic`` (registry name); without a value its key is gone from a compacted topic."""


def is_line_state(key: bytes, value: Mapping[str, Any]) -> bool:
    """Return whether a health record is a line's state: its key is the line; each recorded gap has a key of its own."""
    return key.decode(errors="replace").removeprefix("line/") == str(value.get("line"))


def keep_newest(kept: "OrderedDict[Any, Any]", key: Any, value: Any) -> None:
    """Set ``key``; what was set longest ago goes when there are too many."""
    kept[key] = value
    kept.move_to_end(key)
    if len(kept) > KEPT_NAMES:
        kept.popitem(last=False)
