"""Health records on their way out: keys, ids and headers."""

from collections.abc import Iterable

from processors.core.cloudevents import CONTENT, TYPE_HEADERS, VERSION, rfc3339
from processors.core.processor import Context
from schemas.codec import encode
from schemas.kambi.fields import HEALTH
from schemas.kambi.health import EventHealth, LineHealth


def forward_health(found: Iterable[LineHealth | EventHealth], *, origin: str, line: str, context: Context) -> None:
    """Write what is to be told.

    Args:
        found: Health of lines and events, in order.
        origin: What told it: position of a raw record, or of a hole; the first part of ``ce_id``.
        line: Line of that record.
        context: Where the records go.
    """
    for index, health in enumerate(found):
        if isinstance(health, EventHealth):
            subject = b"%d" % health.event_id
            key = b"event/" + subject
        else:
            subject = health.line.encode()
            # The topic is compacted: a line's newest state replaces the one before, but no gap is ever replaced.
            key = f"{health.line}@{origin}".encode() if health.state == "gapped" else subject
        context.found("event" if isinstance(health, EventHealth) else "line", health.state)
        ce_type, schema = TYPE_HEADERS[type(health)]
        context.forward(
            HEALTH,
            key,
            encode(health),
            [
                VERSION,
                ("ce_id", f"{origin}/{index}".encode()),
                # Facts of the same record are numbered from 0, too: only the source tells their ids apart.
                ("ce_source", f"tricast/kambi/{line}/health".encode()),
                ce_type,
                ("ce_time", rfc3339(health.since_ns // 1_000_000)),
                ("ce_subject", subject),
                CONTENT,
                schema,
                ("ce_tcreceived", b"%d" % health.since_ns),
            ],
        )
