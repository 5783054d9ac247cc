"""CloudEvents headers of normalized records (binary mode)."""

from typing import Any

from processors.core.cloudevents import CONTENT, TYPE_HEADERS, VERSION
from processors.core.processor import Context, SourceRecord
from schemas.kambi import events
from schemas.raw import Header


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

    def place_below(self, index: int) -> None:
        """Give further records of candidate ``index`` ids of their own: ``…/<index>/<n>``."""
        self._position += b"/%d" % index

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
