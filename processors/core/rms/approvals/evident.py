"""What the join is told of an approval and of an answer to a look-up."""

from processors.core.processor import Context
from processors.core.rms.approvals.announced import Announced
from processors.core.rms.approvals.lookup import Answer
from processors.core.rms.approvals.source import Source
from processors.core.rms.approvals.watch import watch
from schemas.rms import pending
from schemas.rms.fields import Said

Raw = tuple[int, int, int]
"""Partition, offset and index in ``rms.raw``."""


def approval_evident(announced: Announced, said: Said, raw: Raw, source: Source, context: Context) -> pending.Evident:
    """Return an approval as evidence; one by code alone gets its number among those of the customer."""
    customers = watch(context.store, context.memory).customers
    by_code_before = customers.by_code(source.customer)
    received_ns, after_ns = source.stamps.received_ns, source.after_ns
    return pending.Evident(
        customer=source.customer,
        slip=announced.slip,
        code=announced.code,
        evidence="approval",
        said=said,
        raw=raw,
        received_ns=received_ns,
        decided_ns=announced.decided_ns,
        reason=announced.reason,
        stake=None if announced.stake is None else format(announced.stake, "f"),
        odds=None if announced.odds is None else format(announced.odds, "f"),
        ordinal=customers.count_by_code(source.customer) if announced.slip is None else 0,
        by_code_before=by_code_before,
        after_ns=after_ns if after_ns is not None and after_ns < received_ns else None,
    )


def answer_evident(answer: Answer, raw: Raw, source: Source, context: Context) -> pending.Evident:
    """Return the answer to a look-up as evidence."""
    return pending.Evident(
        customer=source.customer,
        slip=answer.slip,
        code=answer.code,
        evidence="looked_up",
        said=answer.said,
        status=answer.status,
        raw=raw,
        received_ns=source.stamps.received_ns,
        requested_ns=answer.requested_ns,
        by_code_before=watch(context.store, context.memory).customers.by_code(source.customer),
    )
