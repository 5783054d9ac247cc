"""The processor ``rms.approvals``: raw packets and look-up answers in; approvals, evidence, time and health out."""

from collections.abc import Iterable
from typing import Final, assert_never

from processors.core import socketio
from processors.core.processor import Context, Hole, SourceRecord
from processors.core.replay import Replay
from processors.core.rms.approvals.again import replay_packet
from processors.core.rms.approvals.announced import Announced, read_announced
from processors.core.rms.approvals.control import KINDS, read_control
from processors.core.rms.approvals.evident import answer_evident, approval_evident
from processors.core.rms.approvals.findings import Unreadable
from processors.core.rms.approvals.line_findings import Finding, Forgotten, Stamp
from processors.core.rms.approvals.lookup import read_answer
from processors.core.rms.approvals.packet import SAID, parts_of
from processors.core.rms.approvals.source import Source, line_customer, read_source
from processors.core.rms.approvals.told import Teller
from processors.core.rms.approvals.told_before import told_before
from processors.core.rms.approvals.watch import watch
from schemas.rms.codes import Code, Count
from schemas.rms.fields import APPROVALS, HEALTH, PENDING, Said
from schemas.rms.health import LineHealth

_SECOND_NS: Final = 1_000_000_000
_MAIN: Final = "/"


class RmsApprovals:
    """Read, dedupe and place what the vendor says; pure, so one instance may serve any number of stream tasks.

    Args:
        remember_s: How long an approval is remembered as told, seconds of its customer's time.
    """

    name = "rms.approvals"
    feed = "rms"
    sources = ("rms.raw",)
    outputs = (APPROVALS, PENDING, HEALTH)

    def __init__(self, *, remember_s: int = 21_600) -> None:
        self._remember_ns = remember_s * _SECOND_NS

    def process(self, record: SourceRecord, context: Context) -> None:
        """Process one raw record of any kind."""
        try:
            self._process(record, context)
        except Exception:
            # The store is taken back, memory is not and may be ahead of it; it is made anew from the store.
            context.memory.clear()
            raise

    def replay(self, replay: Replay, context: Context) -> bool:
        """Process a packet, one approval of it, or an answer to a look-up again."""
        try:
            replay_packet(replay, context, self._remember_ns)
        except Exception:
            context.memory.clear()
            raise
        return False

    def on_hole(self, hole: Hole, context: Context) -> None:
        """Record frames that never reached the raw topic."""
        try:
            lines = watch(context.store, context.memory)
            teller = Teller(f"{hole.line}/{hole.connection}/{hole.first}-{hole.last}", hole.received_ns, context)
            customer, _ = line_customer(hole.line)
            if customer is not None:
                _told(lines.advance(customer, hole.received_ns, context.stream_time_ns), teller, context)
            _told(lines.hole(hole), teller, context)
            for time in lines.customers.times(None):
                teller.time(time)
        except Exception:
            context.memory.clear()
            raise

    def _process(self, record: SourceRecord, context: Context) -> None:
        headers, value = dict(record.headers), record.value or b""
        source = read_source(record, headers)
        if isinstance(source, Unreadable):
            context.dead_letter(value, source.code, source.detail)
            return
        stamps = source.stamps
        lines = watch(context.store, context.memory)
        origin = f"{record.topic}/{record.partition}/{record.offset}"
        teller = Teller(origin, stamps.received_ns, context)
        _told(lines.advance(source.customer, stamps.received_ns, context.stream_time_ns), teller, context)
        ticked = None
        if stamps.kind == "frame":
            self._frame(record, source, teller, context)
        elif stamps.kind == "snapshot":
            _snapshot(record, headers, source, teller, context)
        elif stamps.kind not in KINDS:
            context.dead_letter(value, Code.UNKNOWN_KIND, f"tc-kind {stamps.kind[:40]}")
        elif source.is_socket:
            control = read_control(stamps.kind, value)
            if isinstance(control, Unreadable):
                context.dead_letter(value, control.code, control.detail)
            else:
                _told(lines.control(control, _stamp(source, context)), teller, context)
            if stamps.kind == "tick":
                ticked = source.customer
        for time in lines.customers.times(ticked):
            teller.time(time)

    def _frame(self, record: SourceRecord, source: Source, teller: Teller, context: Context) -> None:
        lines, stamp, value = watch(context.store, context.memory), _stamp(source, context), record.value or b""
        _told(lines.frame(stamp), teller, context)
        packet = socketio.read_packet(value)
        match packet:
            case socketio.Event():
                if packet.namespace == _MAIN and packet.name in SAID:
                    _told(lines.joined(stamp), teller, context)
                    self._event(packet, record, source, teller, context)
                else:
                    context.count(Count.UNKNOWN_EVENT)
            case socketio.Ack():
                if packet.namespace == _MAIN:
                    _told(lines.joined(stamp), teller, context)
                context.count(Count.ACK)
            case socketio.Disconnect():
                if packet.namespace == _MAIN:
                    _told(lines.left(stamp), teller, context)
                context.count(Count.CONTROL_PACKET)
            case socketio.Control():
                context.count(Count.CONTROL_PACKET)
            case socketio.Broken():
                context.dead_letter(value, Code.BAD_PACKET, packet.detail)
            case _:
                assert_never(packet)

    def _event(
        self, event: socketio.Event, record: SourceRecord, source: Source, teller: Teller, context: Context
    ) -> None:
        """Take each approval of an event by itself: one that is broken takes no other with it."""
        parts = Unreadable(Code.BINARY, "binary attachments") if event.binary else parts_of(event.arguments)
        if isinstance(parts, Unreadable):
            context.dead_letter(record.value or b"", parts.code, parts.detail)
            return
        said = SAID[event.name]
        for index, part in enumerate(parts):
            announced = read_announced(part, said, source.customer, source.stamps.received_ns)
            if isinstance(announced, Unreadable):
                context.dead_letter(part, announced.code, announced.detail, index, event.name)
            elif self._is_new(announced, said, record.offset, source, context):
                teller.approval(announced, said, source)
                raw = (record.partition, record.offset, index)
                teller.evident(approval_evident(announced, said, raw, source, context))

    def _is_new(self, announced: Announced, said: Said, offset: int, source: Source, context: Context) -> bool:
        before = told_before(context.store, context.memory, self._remember_ns)
        now_ns = watch(context.store, context.memory).customers.now_ns(source.customer)
        before.forget(source.customer, now_ns)
        if not before.take(source.customer, said, announced, now_ns, offset):
            context.count(Count.REPEAT)
            return False
        if announced.decided_ns is None:
            context.count(Count.NO_DECIDED_TIME)
        if announced.odd_fields:
            context.count(Count.ODD_FIELD, announced.odd_fields)
        return True


def _snapshot(
    record: SourceRecord, headers: dict[str, bytes], source: Source, teller: Teller, context: Context
) -> None:
    answer = read_answer(record.value or b"", headers, source.stamps.received_ns)
    if isinstance(answer, Unreadable):
        context.dead_letter(record.value or b"", answer.code, answer.detail)
        return
    teller.evident(answer_evident(answer, (record.partition, record.offset, 0), source, context))


def _stamp(source: Source, context: Context) -> Stamp:
    stamps = source.stamps
    return Stamp(
        customer=source.customer,
        line=stamps.line,
        connection=stamps.connection,
        received_ns=stamps.received_ns,
        now_s=context.stream_time_ns // _SECOND_NS,
    )


def _told(findings: Iterable[Finding], teller: Teller, context: Context) -> None:
    for finding in findings:
        match finding:
            case LineHealth():
                teller.health(finding)
            case Forgotten():
                teller.forgotten(finding.line)
            case Count():
                context.count(finding)
            case _:
                assert_never(finding)
