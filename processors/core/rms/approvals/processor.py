"""The processor ``rms.approvals``: raw packets and look-up answers in; approvals, evidence, time and health out."""

from collections.abc import Iterable
from typing import Final, assert_never

from processors.core import socketio
from processors.core.processor import Context, Hole, SourceRecord
from processors.core.rms.approvals.announced import Announced, read_announced
from processors.core.rms.approvals.control import KINDS, read_control
from processors.core.rms.approvals.findings import Unreadable
from processors.core.rms.approvals.line_findings import Finding, Forgotten, Stamp
from processors.core.rms.approvals.lookup import read_answer
from processors.core.rms.approvals.packet import SAID, parts_of
from processors.core.rms.approvals.source import Source, line_customer, read_source
from processors.core.rms.approvals.told import Teller
from processors.core.rms.approvals.told_before import told_before
from processors.core.rms.approvals.watch import watch
from schemas.rms import pending
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
                context.dead_letter(part, announced.code, announced.detail, index)
            elif self._is_new(announced, said, source, context):
                teller.approval(announced, said, source)
                raw = (record.partition, record.offset, index)
                teller.evident(_evident(announced, said, raw, source, context))

    def _is_new(self, announced: Announced, said: Said, source: Source, context: Context) -> bool:
        before = told_before(context.store, context.memory, self._remember_ns)
        now_ns = watch(context.store, context.memory).customers.now_ns(source.customer)
        before.forget(source.customer, now_ns)
        if not before.take(source.customer, said, announced, now_ns):
            context.count(Count.REPEAT)
            return False
        if announced.decided_ns is None:
            context.count(Count.NO_DECIDED_TIME)
        if announced.odd_fields:
            context.count(Count.ODD_FIELD, announced.odd_fields)
        return True


def _evident(
    announced: Announced, said: Said, raw: tuple[int, int, int], source: Source, context: Context
) -> pending.Evident:
    customers = watch(context.store, context.memory).customers
    by_code_before = customers.by_code(source.customer)
    return pending.Evident(
        customer=source.customer,
        slip=announced.slip,
        code=announced.code,
        evidence="approval",
        said=said,
        raw=raw,
        received_ns=source.stamps.received_ns,
        decided_ns=announced.decided_ns,
        reason=announced.reason,
        stake=None if announced.stake is None else format(announced.stake, "f"),
        odds=None if announced.odds is None else format(announced.odds, "f"),
        ordinal=customers.count_by_code(source.customer) if announced.slip is None else 0,
        by_code_before=by_code_before,
    )


def _snapshot(
    record: SourceRecord, headers: dict[str, bytes], source: Source, teller: Teller, context: Context
) -> None:
    answer = read_answer(record.value or b"", headers, source.stamps.received_ns)
    if isinstance(answer, Unreadable):
        context.dead_letter(record.value or b"", answer.code, answer.detail)
        return
    teller.evident(
        pending.Evident(
            customer=source.customer,
            slip=answer.slip,
            code=answer.code,
            evidence="looked_up",
            said=answer.said,
            status=answer.status,
            raw=(record.partition, record.offset, 0),
            received_ns=source.stamps.received_ns,
            requested_ns=answer.requested_ns,
            by_code_before=watch(context.store, context.memory).customers.by_code(source.customer),
        )
    )


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
