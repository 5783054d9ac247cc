"""The FastPath audit: raw frames in; actions and statistics in order, findings, states and repairs out."""

from typing import Final

from processors.core.fastpath.account.accounts import accounts
from processors.core.fastpath.account.arrival import AccountSettings
from processors.core.fastpath.again import replay_packet
from processors.core.fastpath.classify import classify
from processors.core.fastpath.control import KINDS, read_control
from processors.core.fastpath.findings import Unreadable
from processors.core.fastpath.line_findings import LineStamp
from processors.core.fastpath.packet import Heartbeat, Message, StatusPacket
from processors.core.fastpath.source import Source, read_source
from processors.core.fastpath.step import Step
from processors.core.fastpath.watch import Watch, watch
from processors.core.processor import Context, Hole, SourceRecord
from processors.core.replay import Replay
from schemas.fastpath import events
from schemas.fastpath.codes import Code, Count

_SECOND_NS: Final = 1_000_000_000


class FastpathProcessor:
    """Classify, keep account, stamp and order in one hop; pure, so one instance may serve any number of stream tasks.

    Args:
        hold_ms: How long a missing number may hold back what is behind it, ms of stream time.
        hold_count: How many packets of one fixture may be held back.
        repairs_per_fixture: Repairs that may be asked for one fixture in ``repair_window_s``.
        repair_window_s: See there, seconds of stream time.
        repair_timeout_s: How long one repair may take, seconds of stream time.
    """

    name = "fastpath.audit"
    feed = "fastpath"
    sources = ("fastpath.raw",)
    outputs = (
        events.ACTIONS,
        events.STATISTICS,
        events.SEQUENCE,
        events.CONNECTIONS,
        events.COMMANDS,
        events.HEALTH,
    )

    def __init__(
        self,
        *,
        hold_ms: int = 2_000,
        hold_count: int = 64,
        repairs_per_fixture: int = 4,
        repair_window_s: int = 600,
        repair_timeout_s: int = 30,
    ) -> None:
        self._settings = AccountSettings(
            hold_ms=hold_ms,
            hold_count=hold_count,
            repairs_per_fixture=repairs_per_fixture,
            repair_window_s=repair_window_s,
            repair_timeout_s=repair_timeout_s,
        )

    def process(self, record: SourceRecord, context: Context) -> None:
        """Process one raw record of any kind."""
        try:
            self._process(record, context)
        except Exception:
            # The store is taken back, memory is not and may be ahead of it; it is made anew from the store.
            context.memory.clear()
            raise

    def replay(self, replay: Replay, context: Context) -> bool:
        """Process one packet again."""
        try:
            account = accounts(context.store, context.memory, self._settings)
            return replay_packet(replay, account, watch(context.store, context.memory), context)
        except Exception:
            context.memory.clear()
            raise

    def on_hole(self, hole: Hole, context: Context) -> None:
        """Record frames that never reached the raw topic."""
        try:
            health = watch(context.store, context.memory)
            origin = f"{hole.line}/{hole.connection}/{hole.first}-{hole.last}"
            step = self._step(origin, 0, hole.received_ns, health, context)
            step.found(health.hole(hole))
        except Exception:
            context.memory.clear()
            raise

    def _process(self, record: SourceRecord, context: Context) -> None:
        origin = f"{record.topic}/{record.partition}/{record.offset}"
        source = read_source(record)
        received_ns = context.stream_time_ns if isinstance(source, Unreadable) else source.stamps.received_ns
        health = watch(context.store, context.memory)
        step = self._step(origin, 1, received_ns, health, context)
        step.advance()
        if not isinstance(source, Unreadable):
            step.lag(source)
        value = record.value or b""
        if isinstance(source, Unreadable):
            context.dead_letter(value, source.code, source.detail)
        elif source.stamps.kind == "frame":
            step.found(health.frame(_stamp(source, context)), source.position)
            _take_frame(value, source, step, context)
        elif source.stamps.kind in KINDS:
            control = read_control(source.stamps.kind, value)
            if isinstance(control, Unreadable):
                context.dead_letter(value, control.code, control.detail)
            else:
                step.found(health.control(control, _stamp(source, context)), source.position)
        else:
            context.dead_letter(value, Code.UNKNOWN_KIND, f"tc-kind {source.stamps.kind[:40]}")
        step.judge()

    def _step(self, origin: str, first: int, received_ns: int, health: Watch, context: Context) -> Step:
        account = accounts(context.store, context.memory, self._settings)
        return Step(origin, first=first, received_ns=received_ns, watch=health, accounts=account, context=context)


def _take_frame(value: bytes, source: Source, step: Step, context: Context) -> None:
    packet = classify(value, source.feed)
    match packet:
        case Unreadable():
            context.dead_letter(value, packet.code, packet.detail)
        case StatusPacket():
            step.status(packet, source)
        case Heartbeat():
            context.count(Count.HEARTBEAT)
        case Message():
            context.count(Count.ERROR_MESSAGE if packet.level == "ERROR" else Count.MESSAGE)
        case _:
            step.packet(packet, source)


def _stamp(source: Source, context: Context) -> LineStamp:
    stamps = source.stamps
    return LineStamp(
        feed=source.feed.path,
        line=stamps.line,
        connection=stamps.connection,
        received_ns=stamps.received_ns,
        now_s=context.stream_time_ns // _SECOND_NS,
    )
