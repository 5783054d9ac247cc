"""A packet of the socket, one approval of it, or an answer to a look-up that is replayed.

What the vendor said later of the same bet stands: then the replay is refused. Lines, coverage and the customer's time
are not told of it; to the join it is evidence of where it was in ``rms.raw``.
"""

from typing import Final

from processors.core import socketio
from processors.core.processor import Context
from processors.core.replay import Replay
from processors.core.rms.approvals.announced import read_announced
from processors.core.rms.approvals.evident import answer_evident, approval_evident
from processors.core.rms.approvals.findings import Unreadable
from processors.core.rms.approvals.lookup import read_answer
from processors.core.rms.approvals.packet import SAID, parts_of
from processors.core.rms.approvals.source import Source, read_source
from processors.core.rms.approvals.told import Teller
from processors.core.rms.approvals.told_before import told_before
from processors.core.rms.approvals.watch import watch
from schemas.rms.codes import Code, Count

_MAIN: Final = "/"
_SECOND_NS: Final = 1_000_000_000


def replay_packet(replay: Replay, context: Context, remember_ns: int) -> None:
    """Write the approvals, refusals and dead letters of a replay; where there are none, what was counted says why."""
    record, headers = replay.record, dict(replay.record.headers)
    source = read_source(record, headers)
    if isinstance(source, Unreadable):
        context.dead_letter(record.value or b"", Code.REPLAY_REFUSED, source.detail, replay.index, replay.name)
        return
    again = _Again(replay, source, context, remember_ns)
    if replay.index is not None:
        again.part(record.value or b"", replay.name, replay.index)
    elif source.stamps.kind == "snapshot":
        again.answer(headers)
    else:
        again.packet()


class _Again:
    """One replay on its way."""

    __slots__ = ("_context", "_now_ns", "_record", "_replay", "_source", "_told")

    def __init__(self, replay: Replay, source: Source, context: Context, remember_ns: int) -> None:
        self._replay, self._record, self._source, self._context = replay, replay.record, source, context
        self._told = told_before(context.store, context.memory, remember_ns)
        self._now_ns = watch(context.store, context.memory).customers.now_ns(source.customer)
        self._told.forget(source.customer, self._now_ns)

    def packet(self) -> None:
        """Take a whole packet."""
        value, context = self._record.value or b"", self._context
        packet = socketio.read_packet(value)
        if isinstance(packet, socketio.Broken):
            context.dead_letter(value, Code.BAD_PACKET, packet.detail)
        elif not isinstance(packet, socketio.Event):
            context.count(Count.CONTROL_PACKET)
        elif packet.namespace != _MAIN or packet.name not in SAID:
            context.count(Count.UNKNOWN_EVENT)
        else:
            parts = Unreadable(Code.BINARY, "binary attachments") if packet.binary else parts_of(packet.arguments)
            if isinstance(parts, Unreadable):
                context.dead_letter(value, parts.code, parts.detail)
                return
            for index, part in enumerate(parts):
                self.part(part, packet.name, index)

    def part(self, part: bytes, event: str | None, index: int) -> None:
        """Take one approval."""
        said = None if event is None else SAID.get(event)
        if said is None:
            self._refuse(part, "the letter does not name the event, and only that says accept or reject", index, event)
            return
        announced = read_announced(part, said, self._source.customer, self._source.stamps.received_ns)
        if isinstance(announced, Unreadable):
            self._context.dead_letter(part, announced.code, announced.detail, index, event)
            return
        customer, offset = self._source.customer, self._record.offset
        why = self._newer(announced.slip, announced.code)
        if why is None and not self._told.take(customer, said, announced, self._now_ns, offset):
            why = "the same was said before"
        if why is not None:
            self._refuse(part, why, index, event)
            return
        teller = self._teller(index)
        teller.approval(announced, said, self._source)
        teller.evident(approval_evident(announced, said, self._raw(index), self._source, self._context))

    def answer(self, headers: dict[str, bytes]) -> None:
        """Take the answer to a look-up."""
        value = self._record.value or b""
        answer = read_answer(value, headers, self._source.stamps.received_ns)
        if isinstance(answer, Unreadable):
            self._context.dead_letter(value, answer.code, answer.detail)
            return
        why = self._newer(answer.slip, answer.code)
        if why is not None:
            self._refuse(value, why, None, None)
            return
        self._teller(0).evident(answer_evident(answer, self._raw(0), self._source, self._context))

    def _newer(self, slip: str | None, code: str | None) -> str | None:
        """Return what is out of the bet that came later, or that it would be forgotten by now."""
        age_ns = self._now_ns - self._source.stamps.received_ns
        if age_ns > self._told.remember_ns:
            return f"it is {age_ns // _SECOND_NS} s old, longer than approvals are remembered"
        newest = self._told.newest(self._source.customer, slip, code)
        if newest is None or newest <= self._record.offset:
            return None
        return f"slip {slip}, code {code}: an approval at {self._record.topic}/{self._record.partition}/{newest} is out"

    def _teller(self, index: int) -> Teller:
        record, received_ns = self._record, self._source.stamps.received_ns
        origin = f"{record.topic}/{record.partition}/{record.offset}"
        return Teller(origin, received_ns, self._context, below=index, marks=[self._replay.mark])

    def _raw(self, index: int) -> tuple[int, int, int]:
        return self._record.partition, self._record.offset, index

    def _refuse(self, value: bytes, why: str, index: int | None, event: str | None) -> None:
        self._context.dead_letter(value, Code.REPLAY_REFUSED, why, index, event)
