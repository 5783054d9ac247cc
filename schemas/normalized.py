"""What every normalized record of every feed is: closed, of one type, for one topic."""

from typing import Any, ClassVar, Final

from msgspec import Struct

GROWING: Final[dict[str, Any]] = {"x-growing": True}
"""Of an enum, in its schema: values may be added within this version; readers must bear one they do not know."""


class Closed(Struct, forbid_unknown_fields=True, kw_only=True, gc=False):
    """A part of a normalized record."""


class Normalized(Closed, kw_only=True):
    """A normalized record; its type and its topic."""

    ce_type: ClassVar[str]
    topic: ClassVar[str]
