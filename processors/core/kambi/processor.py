"""The Kambi processor: raw frames in; events, offers, scores, settlements and health out; every child accounted for."""

from processors.core.kambi import shards
from processors.core.kambi.envelope import CONTENT, TYPE_HEADERS, VERSION, rfc3339
from processors.core.kambi.findings import Unreadable
from processors.core.kambi.frames import process_frame
from processors.core.kambi.health import CONTROL_KINDS, health_of, read_control, read_hole
from processors.core.kambi.snapshot import take_snapshot
from processors.core.kambi.state import keep, tidy
from processors.core.processor import Context, Hole, SourceRecord
from schemas.codec import encode
from schemas.kambi import events
from schemas.kambi.codes import Code

_SECOND_NS = 1_000_000_000
_SHARE_KINDS = frozenset({"opened", "tick"})


class KambiProcessor:
    """Debulk, normalize, dedupe and judge in one hop; pure, so one instance may serve any number of stream tasks."""

    name = "kambi"
    feed = "kambi"
    sources = ("kambi.raw",)
    outputs = (events.EVENTS, events.OFFERS, events.SCORES, events.SETTLEMENTS, events.HEALTH)

    def process(self, record: SourceRecord, context: Context) -> None:
        """Process one raw record of any kind."""
        value = record.value or b""
        stamps = dict(record.headers)
        try:
            kind = stamps["tc-kind"].decode()
            line = stamps["tc-line"].decode()
            connection = stamps["tc-connection"].decode()
            received_ns = int(stamps["tc-received-ns"])
        except (AttributeError, KeyError, TypeError, ValueError) as error:  # Kafka allows null headers, too
            context.dead_letter(value, Code.BAD_HEADERS, f"{type(error).__name__}: {error}")
            return
        if kind == "frame":
            process_frame(record, line, received_ns, context)
        elif kind == "snapshot":
            taken = take_snapshot(record, stamps, line, received_ns, context)
            if taken is not None:
                keep(None, taken.book, context, context.stream_time_ns // _SECOND_NS)
        elif kind in CONTROL_KINDS:
            control = read_control(kind, value)
            if isinstance(control, Unreadable):
                context.dead_letter(value, control.code, control.detail)
                return
            if kind in _SHARE_KINDS:
                shards.learn_share(value, line, record.partition, context.store)
            if kind == "tick":
                tidy(context, context.stream_time_ns // _SECOND_NS)
            found = health_of(control, line=line, connection=connection, received_ns=received_ns)
            _forward_health(found, f"{record.topic}/{record.partition}/{record.offset}", context)
        else:
            context.dead_letter(value, Code.UNKNOWN_KIND, f"tc-kind {kind[:40]}")

    def on_hole(self, hole: Hole, context: Context) -> None:
        """Record frames that never reached the raw topic."""
        _forward_health(read_hole(hole), f"{hole.line}/{hole.connection}/{hole.first}-{hole.last}", context)


def _forward_health(found: list[events.LineHealth], origin: str, context: Context) -> None:
    for index, health in enumerate(found):
        line = health.line.encode()
        ce_type, schema = TYPE_HEADERS[events.LineHealth]
        # The topic is compacted: a line's newest state replaces the one before, but no gap is ever replaced.
        key = f"{health.line}@{origin}".encode() if health.state == "gapped" else line
        context.forward(
            events.HEALTH,
            key,
            encode(health),
            [
                VERSION,
                ("ce_id", f"{origin}/{index}".encode()),
                ("ce_source", b"tricast/kambi/" + line),
                ce_type,
                ("ce_time", rfc3339(health.since_ns // 1_000_000)),
                ("ce_subject", line),
                CONTENT,
                schema,
                ("ce_tcreceived", b"%d" % health.since_ns),
            ],
        )
