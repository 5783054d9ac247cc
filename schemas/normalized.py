"""What every normalized record of every feed is: closed, of one type, for one topic."""

from typing import ClassVar

from msgspec import Struct


class Closed(Struct, forbid_unknown_fields=True, kw_only=True, gc=False):
    """A part of a normalized record."""


class Normalized(Closed, kw_only=True):
    """A normalized record; its type and its topic."""

    ce_type: ClassVar[str]
    topic: ClassVar[str]
