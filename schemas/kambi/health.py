"""Normalized records of ``kambi.health``: lines and events, and how far to trust them."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from schemas.kambi.fields import HEALTH, EventId, Frame, Nanoseconds
from schemas.normalized import GROWING, Normalized

Doubt = Literal["silent", "never-delivered", "language-silent", "neutral-silent", "copies-unmatched"]
"""Why a line that is open is suspect."""
LineReason = Literal["opened", "reconnected", "hole", "overflow", "resumed", "closed", Doubt]
TrustState = Literal["live", "suspect", "gapped", "stale", "down"]
"""How far what is known of an event can be trusted; the state of the match itself is ``fields.EventState``."""
EventReason = Literal[
    "covered",
    "uncovered",
    "moved",
    "baseline",
    "repaired",
    "push-missed",
    "removed",
    "reconnected",
    "hole",
    "overflow",
    "resumed",
    "closed",
    Doubt,
]
Coverage = Literal["full", "main", "none"]


class LineHealth(Normalized, kw_only=True):
    """State of one connector line. A gapped record is followed by a live one when the line goes on."""

    ce_type = "tricast.kambi.line.health.v1"
    topic = HEALTH

    line: Annotated[str, Meta(description="Connector line, e.g. kambi-0-general; also the record key.")]
    state: Annotated[
        Literal["live", "suspect", "gapped", "down"],
        Meta(
            description="live: frames come; suspect: connected, but what comes is not what should come; gapped: an"
            " interval is lost; down: no connection."
        ),
    ]
    reason: Annotated[
        LineReason,
        Meta(
            description="opened, reconnected: a connect, first or after another; hole: frames that the connector"
            " numbered never came to Kafka; overflow: the connector's spool was full; resumed: frames come again after"
            " a gap, or as they should after suspicion; closed: the connection ended; silent: the line's own records"
            " stopped while others go on; never-delivered: it holds keys and no message ever came on it;"
            " language-silent, neutral-silent: one side of its pairs of keys delivers, the other does not;"
            " copies-unmatched: what the general keys say does not come on the event keys: the vendor changed"
            " something.",
            extra_json_schema=GROWING,
        ),
    ]
    since_ns: Nanoseconds
    connection: Annotated[str, Meta(description="UUID of the connection this is about.")]
    ours: Annotated[bool, Meta(description="True: we lost it, not the vendor or the network.")] | UnsetType = UNSET
    previous_connection: (
        Annotated[str, Meta(description="UUID of the connection whose last frame begins the gap.")] | UnsetType
    ) = UNSET
    previous_frame: (
        Annotated[int, Meta(ge=0, description="Last frame of that connection; the gap ends where this one begins.")]
        | UnsetType
    ) = UNSET
    first_frame: Frame | UnsetType = UNSET
    last_frame: Frame | UnsetType = UNSET
    lost_frames: Annotated[int, Meta(ge=0, description="How many frames are gone.")] | UnsetType = UNSET
    close_code: Annotated[int, Meta(description="As the connector saw it.")] | UnsetType = UNSET
    close_reason: Annotated[str, Meta(description="As the connector saw it.")] | UnsetType = UNSET


class EventHealth(Normalized, kw_only=True):
    """How far what is known of one event can be trusted."""

    ce_type = "tricast.kambi.event.health.v1"
    topic = HEALTH

    event_id: EventId
    state: Annotated[
        TrustState,
        Meta(
            description="live: it is covered and a snapshot was taken since; suspect: a line that carries it is;"
            " gapped: changes may be lost; stale: covered, but no snapshot was asked for since; down: no open line"
            " carries it. gapped becomes stale and then live."
        ),
    ]
    reason: Annotated[
        EventReason,
        Meta(
            description="covered, uncovered, moved: keys of it were subscribed, given up, subscribed elsewhere;"
            " baseline: the first snapshot since it was covered; repaired: a snapshot after a gap; push-missed: a"
            " snapshot showed what push never said, and no gap explains it; removed: it left the offering; the others"
            " as for the line.",
            extra_json_schema=GROWING,
        ),
    ]
    since_ns: Nanoseconds
    coverage: Annotated[
        Coverage,
        Meta(
            description="full: its own keys, all bet offers; main: the general keys only, main and list-view offers;"
            " none."
        ),
    ]
