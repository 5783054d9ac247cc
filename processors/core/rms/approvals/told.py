"""What a raw record, or a hole, causes: records of ``rms.approvals`` and ``rms.health``, numbered as they go out."""

from collections.abc import Sequence
from typing import Final

from msgspec import UNSET

from processors.core.cloudevents import CONTENT, TYPE_HEADERS, VERSION, rfc3339
from processors.core.processor import Context
from processors.core.rms.approvals.announced import Announced
from processors.core.rms.approvals.source import Source
from processors.core.rms.everywhere import EVERYWHERE
from schemas.codec import encode
from schemas.raw import Header
from schemas.rms import pending
from schemas.rms.approvals import Approval
from schemas.rms.fields import HEALTH, PENDING, Said
from schemas.rms.health import LineHealth

_MILLISECOND_NS: Final = 1_000_000


class Teller:
    """Writes them.

    Args:
        origin: Position of the raw record, or of the hole: the first part of ``ce_id``.
        received_ns: ``tc-received-ns`` of the cause.
        context: Where the records go.
        below: Of a replay: the part of the raw record that it is about. Its records get ids below that, because they
            have no number among those that went out of the raw record.
        marks: Headers that all records get beside their own.
    """

    __slots__ = ("_context", "_ids", "_index", "_marks", "_origin", "_received_ns")

    def __init__(
        self,
        origin: str,
        received_ns: int,
        context: Context,
        *,
        below: int | None = None,
        marks: Sequence[Header] = (),
    ) -> None:
        self._origin, self._index = origin, 0
        self._ids = origin if below is None else f"{origin}/{below}"
        self._marks = marks
        self._received_ns, self._context = received_ns, context

    def approval(self, announced: Announced, said: Said, source: Source) -> None:
        """Tell what a trader decided."""
        decided_ns, received_ns = announced.decided_ns, self._received_ns
        if decided_ns is not None and not self._marks:  # not of a replay, which was received long ago
            self._context.transit(decided_ns // _MILLISECOND_NS, received_ns // _MILLISECOND_NS)
        record = Approval(
            customer=source.customer,
            bet_slip_id=UNSET if announced.slip is None else announced.slip,
            bet_code=UNSET if announced.code is None else announced.code,
            short_code=UNSET if announced.short_code is None else announced.short_code,
            platform_id=UNSET if announced.platform is None else announced.platform,
            said=said,
            reason=UNSET if announced.reason is None else announced.reason,
            decided_ns=UNSET if decided_ns is None else decided_ns,
            decided_at=UNSET if announced.decided_at is None else announced.decided_at,
            received_ns=received_ns,
            latency_ms=UNSET if decided_ns is None else (received_ns - decided_ns) // _MILLISECOND_NS,
            stake=UNSET if announced.stake is None else announced.stake,
            odds=UNSET if announced.odds is None else announced.odds,
            user_id=UNSET if announced.user is None else announced.user,
            line=source.stamps.line,
            connection=source.stamps.connection,
            raw=self._origin,
            details=announced.details,
        )
        key = bet_key(source.customer, announced.slip, announced.code)
        subject = announced.slip if announced.slip is not None else announced.code or ""
        self._tell(record, key, source.stamps.line, subject, received_ns if decided_ns is None else decided_ns)

    def health(self, health: LineHealth) -> None:
        """Tell the health of a line."""
        # The topic is compacted: a line's newest state replaces the one before, but no gap is ever replaced.
        gap = f"@{self._origin}" if health.state == "gapped" else ""
        self._context.found("line", health.state)
        self._tell(health, f"line/{health.line}{gap}".encode(), health.line, health.line, health.since_ns)

    def forgotten(self, line: str) -> None:
        """Take a line out of the compacted topic."""
        self._context.forward(HEALTH, f"line/{line}".encode(), None, [])

    def evident(self, evident: pending.Evident) -> None:
        """Send evidence to the task of its bet, or of its code."""
        key = bet_key(evident.customer, evident.slip, evident.code)
        self._context.forward(PENDING, key, pending.encode(evident), [*self._marks])

    def time(self, time: pending.Time) -> None:
        """Send time to every task of the join."""
        value = pending.encode(time)
        for key in EVERYWHERE:
            self._context.forward(PENDING, key, value, [])

    def _tell(self, record: Approval | LineHealth, key: bytes, line: str, subject: str, time_ns: int) -> None:
        ce_type, schema = TYPE_HEADERS[type(record)]
        self._context.forward(
            record.topic,
            key,
            encode(record),
            [
                VERSION,
                ("ce_id", f"{self._ids}/{self._index}".encode()),
                ("ce_source", f"tricast/rms/{line}".encode()),
                ce_type,
                ("ce_time", rfc3339(time_ns // _MILLISECOND_NS)),
                ("ce_subject", subject.encode()),
                CONTENT,
                schema,
                ("ce_tcreceived", b"%d" % self._received_ns),
                *self._marks,
            ],
        )
        self._index += 1


def bet_key(customer: str, slip: str | None, code: str | None) -> bytes:
    """Return the key of a bet: by its slip if that is known, else by its code."""
    return pending.slip_key(customer, slip) if slip is not None else pending.code_key(customer, code or "")
