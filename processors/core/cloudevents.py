"""What CloudEvents headers (binary mode) are made of, whatever the feed."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from schemas.codec import MODELS, schema_uri
from schemas.raw import Header

VERSION: Final[Header] = ("ce_specversion", b"1.0")
CONTENT: Final[Header] = ("content-type", b"application/json")
TYPE_HEADERS: Final[dict[type[Any], tuple[Header, Header]]] = {
    model: (("ce_type", ce_type.encode()), ("ce_dataschema", schema_uri(ce_type).encode()))
    for ce_type, model in MODELS.items()
}
"""Type and schema of each model of the codec."""


@lru_cache(maxsize=64)
def _second(time_s: int) -> bytes:
    return f"{datetime.fromtimestamp(time_s, UTC):%Y-%m-%dT%H:%M:%S}".rjust(19, "0").encode()


def rfc3339(time_ms: int) -> bytes:
    """Return a time as ``ce_time`` has it."""
    return b"%b.%03dZ" % (_second(time_ms // 1000), time_ms % 1000)
