"""Normalized records of ``fastpath.statistics``."""

from typing import Annotated

from msgspec import UNSET, Meta, UnsetType

from schemas.fastpath.fields import STATISTICS, Details, PacketRecord


class Statistics(PacketRecord, kw_only=True):
    """Aggregates of a fixture, whole: the last one holds."""

    ce_type = "tricast.fastpath.statistics.v1"
    topic = STATISTICS

    version: Annotated[int, Meta(description="Version of the vendor's payload.")] | UnsetType = UNSET
    finished: Annotated[bool, Meta(description="As sent; also true after a dropped collection.")] | UnsetType = UNSET
    details: Details
