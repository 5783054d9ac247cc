"""Normalized records of ``fastpath.sequence``: what the account of a feed and fixture found."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from schemas.fastpath.fields import (
    SEQUENCE,
    Connection,
    FeedPath,
    FixtureId,
    Line,
    Milliseconds,
    Position,
    Reason,
    Sequence,
    VendorSequence,
)
from schemas.normalized import Normalized

FindingKind = Literal[
    "baseline",
    "gap_suspected",
    "gap_closed",
    "gap_repaired",
    "not_repairable",
    "reordered",
    "duplicate",
    "conflict",
    "restarted",
]
Range = Annotated[tuple[Sequence, Sequence], Meta(description="First and last number, both belong to it.")]


class Finding(Normalized, kw_only=True):
    """One finding about the numbers of a fixture. Numbers are the account's unless the name says vendor."""

    ce_type = "tricast.fastpath.sequence.finding.v1"
    topic = SEQUENCE

    finding: Annotated[
        FindingKind,
        Meta(
            description="baseline: the first packet of the account; gap_suspected: numbers are missing and were given"
            " up; gap_closed: they came by themselves; gap_repaired: they came by a replay asked for; not_repairable:"
            " they will not come, missing names exactly them; reordered: they came on the connection that skipped"
            " them; duplicate: said twice on one connection, passed over; conflict: a number that says something else"
            " already; restarted: the vendor's numbers began anew."
        ),
    ]
    feed: FeedPath
    fixture_id: FixtureId
    series: Annotated[
        Literal["actions", "statistics"],
        Meta(description="Which packets are numbered; statistics have numbers of their own, on any URL."),
    ]
    line: Line
    connection: Connection
    first: Sequence | UnsetType = UNSET
    last: Sequence | UnsetType = UNSET
    missing: Annotated[list[Range], Meta(description="Exactly the numbers that are not there.")] | UnsetType = UNSET
    count: Annotated[int, Meta(ge=0, description="How many numbers.")] | UnsetType = UNSET
    by: Annotated[str, Meta(description="Line that brought what was missing.")] | UnsetType = UNSET
    reason: (
        Annotated[
            Reason,
            Meta(
                description="conflict: body-differs, other-action, implausible-jump; not_repairable: not-in-replay,"
                " timeout, budget, no-replay, forgotten; open."
            ),
        ]
        | UnsetType
    ) = UNSET
    repair: (
        Annotated[Literal["asked", "none"], Meta(description="none: aggregates, the next holds all that is missing.")]
        | UnsetType
    ) = UNSET
    attempt: Annotated[int, Meta(ge=1, description="Which attempt to repair.")] | UnsetType = UNSET
    after_ms: Milliseconds | UnsetType = UNSET
    ours: Annotated[Literal[True], Meta(description="We lost frames of that connection in between.")] | UnsetType = (
        UNSET
    )
    vendor_first: VendorSequence | UnsetType = UNSET
    old_last: Annotated[Sequence, Meta(description="restarted: the greatest number before.")] | UnsetType = UNSET
    asked: Position | UnsetType = UNSET
    aligned: (
        Annotated[bool, Meta(description="Whether the numbers before and after could be laid over each other.")]
        | UnsetType
    ) = UNSET
    scope: (
        Annotated[
            Literal["unknown", "fixture", "connection"],
            Meta(description="What the vendor's numbers turned out to count, so far."),
        ]
        | UnsetType
    ) = UNSET
