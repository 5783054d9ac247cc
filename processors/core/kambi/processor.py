"""The Kambi processor: raw frames in; events, offers, scores, settlements and health out; every child accounted for."""

from collections.abc import Sequence

from processors.core.kambi import shards
from processors.core.kambi.again import replay_frame
from processors.core.kambi.control import KINDS, Opened, Tick, read_control
from processors.core.kambi.findings import Unreadable
from processors.core.kambi.frames import process_frame
from processors.core.kambi.snapshot import take_snapshot
from processors.core.kambi.state import keep
from processors.core.kambi.told import forward_health
from processors.core.kambi.watch import Health, Stamp, watch
from processors.core.kambi.watch_records import watch_copies, watch_frame, watch_snapshot
from processors.core.processor import Context, Hole, SourceRecord
from processors.core.replay import Replay
from processors.core.stamps import STAMP_ERRORS, read_stamps
from schemas.kambi import events
from schemas.kambi.codes import Code

_SECOND_NS = 1_000_000_000


class KambiProcessor:
    """Debulk, normalize, dedupe and judge in one hop; pure, so one instance may serve any number of stream tasks.

    Args:
        copy_skew_ms: How far apart the ``t`` of copies on two lines may be; 0, as the fact sheet assumes: they are
            equal. Changing it makes copies on their way across the change go out twice.
    """

    name = "kambi"
    feed = "kambi"
    sources = ("kambi.raw",)
    outputs = (events.EVENTS, events.OFFERS, events.SCORES, events.SETTLEMENTS, events.HEALTH)

    def __init__(self, *, copy_skew_ms: int = 0) -> None:
        self._copy_skew_ms = copy_skew_ms

    def process(self, record: SourceRecord, context: Context) -> None:
        """Process one raw record of any kind."""
        try:
            self._process(record, context)
        except Exception:
            # The store is taken back, memory is not and may be ahead of it; it is made anew from the store.
            context.memory.clear()
            raise

    def _process(self, record: SourceRecord, context: Context) -> None:
        value = record.value or b""
        headers = dict(record.headers)
        try:
            stamps = read_stamps(headers)
        except STAMP_ERRORS as error:
            context.dead_letter(value, Code.BAD_HEADERS, f"{type(error).__name__}: {error}")
            return
        kind, line, received_ns = stamps.kind, stamps.line, stamps.received_ns
        if kind == "frame":
            message = process_frame(record, line, received_ns, context, copy_skew_ms=self._copy_skew_ms)
            if message is not None:
                found = watch_frame(message, line, stamps.connection, received_ns=received_ns, context=context)
                self._told(found, record, line, context)
        elif kind == "snapshot":
            taken = take_snapshot(record, headers, line, received_ns, context, cause_of=watch(context).snapshot_kind)
            if taken is not None:
                keep(None, taken.book, context, context.stream_time_ns // _SECOND_NS)
                self._told(watch_snapshot(taken.finding, received_ns, context), record, line, context)
        elif kind in KINDS:
            control = read_control(kind, value)
            if isinstance(control, Unreadable):
                context.dead_letter(value, control.code, control.detail)
                return
            if isinstance(control, Opened | Tick):
                shards.learn_share(control, line, partition=record.partition, store=context.store)
            if isinstance(control, Tick):
                watch_copies(context)
            stamp = Stamp(
                line=line,
                connection=stamps.connection,
                received_ns=received_ns,
                now_s=context.stream_time_ns // _SECOND_NS,
                share=shards.share_of(line, context.store),
            )
            self._told(watch(context).control(control, stamp), record, line, context)
        else:
            context.dead_letter(value, Code.UNKNOWN_KIND, f"tc-kind {kind[:40]}")

    def replay(self, replay: Replay, context: Context) -> bool:
        """Process one frame, or one child of one, again."""
        try:
            replay_frame(replay, context, copy_skew_ms=self._copy_skew_ms)
        except Exception:
            context.memory.clear()
            raise
        return False

    def on_hole(self, hole: Hole, context: Context) -> None:
        """Record frames that never reached the raw topic."""
        origin = f"{hole.line}/{hole.connection}/{hole.first}-{hole.last}"
        found = watch(context).hole(hole, context.stream_time_ns // _SECOND_NS)
        forward_health(found, origin=origin, line=hole.line, context=context)

    @staticmethod
    def _told(found: Sequence[Health], record: SourceRecord, line: str, context: Context) -> None:
        if found:
            origin = f"{record.topic}/{record.partition}/{record.offset}"
            forward_health(found, origin=origin, line=line, context=context)
