"""CloudEvents headers of normalized records (binary mode)."""

from typing import Any

from processors.core.cloudevents import CONTENT, TYPE_HEADERS, VERSION
from processors.core.processor import Context, SourceRecord
from schemas.codec import encode
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
        self._write(candidate, payload, b"%b/%d" % (self._position, index), time, more)

    def forward_end(self, removed: events.EventRemoved, index: int, time: bytes, *more: Header) -> None:
        """Write what the end of an event, a record of ``index``, means to those who read its offers or scores alone.

        They have ids below its own, so that they move no index.
        """
        for number, kind in enumerate((events.OffersRemoved, events.ScoresRemoved)):
            told = kind(event_id=removed.event_id, vendor_time_ms=removed.vendor_time_ms, source=removed.source)
            self._write(told, encode(told), b"%b/%d/%d" % (self._position, index, number), time, more)

    def _write(self, candidate: Any, payload: bytes, identity: bytes, time: bytes, more: tuple[Header, ...]) -> None:
        kind = type(candidate)
        key = b"%d" % (candidate.outcome_id if kind is events.OutcomeSettled else candidate.event_id)
        ce_type, schema = TYPE_HEADERS[kind]
        self._context.forward(
            candidate.topic,
            key,
            payload,
            [
                VERSION,
                ("ce_id", identity),
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
