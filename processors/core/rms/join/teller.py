"""Writes what the join has to tell: CloudEvents to decisions and look-ups, messages to its own tasks."""

from collections.abc import Iterable

from processors.core.cloudevents import CONTENT, TYPE_HEADERS, VERSION, rfc3339
from processors.core.processor import Context
from processors.core.rms.everywhere import EVERYWHERE
from processors.core.rms.join.case import Record, Told
from schemas.codec import encode
from schemas.rms import pending
from schemas.rms.codes import Count
from schemas.rms.decisions import Conflict, Decision, Late, Orphan
from schemas.rms.fields import PENDING
from schemas.rms.lookups import LookUp
from schemas.rms.pending import Evident, Known, Passed

_SOURCE = b"tricast/rms/join"


class Teller:
    """Writes what one source record causes, numbered in the order of emission.

    Args:
        origin: Position of the source record: the first part of ``ce_id``.
        context: Where the records go.
    """

    __slots__ = ("_context", "_index", "_origin")

    def __init__(self, origin: str, context: Context) -> None:
        self._origin, self._context, self._index = origin, context, 0

    def effects(self, effects: Iterable[Told | Count]) -> None:
        """Write records, count the rest."""
        for effect in effects:
            if isinstance(effect, Count):
                self._context.count(effect)
            else:
                self._tell(effect)

    def send(self, message: Evident | Known) -> None:
        """Send a message to a slip's task."""
        assert message.slip is not None
        self._context.forward(PENDING, pending.slip_key(message.customer, message.slip), pending.encode(message), [])

    def passed(self, message: Passed) -> None:
        """Send to every task that an approval by code went through its own."""
        value = pending.encode(message)
        for key in EVERYWHERE:
            self._context.forward(PENDING, key, value, [])

    def _tell(self, told: Told) -> None:
        record = told.record
        match record:
            case Decision(outcome=outcome):
                self._context.found("decision", outcome)
            case Conflict(why=why):
                self._context.found("conflict", why)
            case Late():
                self._context.found("late", "decision")
            case Orphan():
                self._context.found("orphan", "approval")
            case LookUp():
                pass  # a question, no finding
        ce_type, schema = TYPE_HEADERS[type(record)]
        self._context.forward(
            record.topic,
            _key(record),
            encode(record),
            [
                VERSION,
                ("ce_id", f"{self._origin}/{self._index}".encode()),
                ("ce_source", _SOURCE),
                ce_type,
                ("ce_time", rfc3339(told.time_ns // 1_000_000)),
                ("ce_subject", _subject(record).encode()),
                CONTENT,
                schema,
                ("ce_tcreceived", b"%d" % told.time_ns),
            ],
        )
        self._index += 1


def _subject(record: Record) -> str:
    return record.bet_slip_id or record.bet_code or record.customer


def _key(record: Record) -> bytes:
    if isinstance(record, LookUp):
        return record.customer.encode()
    if record.bet_slip_id:
        return pending.slip_key(record.customer, record.bet_slip_id)
    return pending.code_key(record.customer, record.bet_code or "")
