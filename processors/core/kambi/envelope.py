"""CloudEvents headers of normalized records (binary mode)."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from processors.core.processor import Context, SourceRecord
from schemas.codec import MODELS, schema_file
from schemas.kambi import events
from schemas.raw import Header

TYPE_HEADERS: dict[type[events.Normalized], tuple[Header, Header]] = {
    model: (("ce_type", ce_type.encode()), ("ce_dataschema", schema_file(ce_type).encode()))
    for ce_type, model in MODELS.items()
}
VERSION: Header = ("ce_specversion", b"1.0")
CONTENT: Header = ("content-type", b"application/json")


@lru_cache(maxsize=64)
def _second(time_s: int) -> bytes:
    return f"{datetime.fromtimestamp(time_s, UTC):%Y-%m-%dT%H:%M:%S}".rjust(19, "0").encode()


def rfc3339(time_ms: int) -> bytes:
    """Return a time as ``ce_time`` has it."""
    return b"%b.%03dZ" % (_second(time_ms // 1000), time_ms % 1000)


class Envelope:
    """What all records of one raw record share.

    Args:
        record: The raw record.
        line: Its line.
        received_ns: Its ``tc-received-ns``.
        context: Where the records go.
    """

    __slots__ = ("_context", "_position", "_receipt", "_source")

    def __init__(self, record: SourceRecord, line: str, received_ns: int, context: Context) -> None:
        self._context = context
        self._source: Header = ("ce_source", f"tricast/kambi/{line}".encode())
        self._receipt: Header = ("ce_tcreceived", b"%d" % received_ns)
        self._position = f"{record.topic}/{record.partition}/{record.offset}".encode()

    def forward(self, candidate: Any, payload: bytes, index: int, time: bytes, *more: Header) -> None:
        """Write one record, ``payload`` its bytes; ``time`` as from ``rfc3339``; ``more`` headers at the end."""
        kind = type(candidate)
        key = b"%d" % (candidate.outcome_id if kind is events.OutcomeSettled else candidate.event_id)
        ce_type, schema = TYPE_HEADERS[kind]
        self._context.forward(
            candidate.topic,
            key,
            payload,
            [
                VERSION,
                ("ce_id", b"%b/%d" % (self._position, index)),
                self._source,
                ce_type,
                ("ce_time", time),
                ("ce_subject", key),
                CONTENT,
                schema,
                self._receipt,
                *more,
            ],
        )
