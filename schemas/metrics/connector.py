"""Metrics of connectors: from the vendor's socket to the acknowledgement of the raw record."""

from typing import Final

from schemas.metrics.metric import LATENCY_S, Metric

FEEDS: Final = ("kambi", "fastpath", "rms")
DROPS: Final = ("queue-full", "spool-full", "spool-failed", "too-large", "over-limit", "spool-damaged")
"""Why a frame is not in Kafka: memory full; the spool on disk full, or broken; larger than the topic takes, or than we
read; or it was on disk and cannot be read any more."""
ENDS: Final = ("closed", "lost", "silent", "too-large", "refused", "broke", "ours")
"""Why a connection ended: the server closed it in order; it went without a word; nothing came for too long; a frame was
larger than we read; the server refused us on it; a bug of ours; or we ended it on purpose: a repair, a fresh token, a
fixture that is over, the end of the process."""
FAILURES: Final = (
    "connect-failed",
    "upgrade-refused",
    "connect-refused",
    "closed-early",
    "socket-refused",
    "handshake-refused",
    "unauthorised",
    "other",
    "bug",
)
"""Codes of the errors that an attempt to connect ends with."""
LINE_STATES: Final = ("live", "open", "connecting", "waiting", "ended", "refused")
"""``live``: subscribed or joined; ``open``: connected and not yet that; ``waiting``: for a fixture to begin; ``ended``:
its fixture is over; ``refused``: the vendor does not take our token for it, and it is not tried again."""
BUDGETS: Final = ("connects", "requests")
TOKENS: Final = ("access", "refresh")
REQUESTS: Final = ("recorded", "unchanged", "skipped", "failed")
COVERAGES: Final = ("full", "main")

_PLACE: Final = ("feed", "partition")

METRICS: Final = (
    Metric(
        name="tricast_connector_received_frames_total",
        part="connector",
        kind="counter",
        labels=_PLACE,
        unit="frames",
        meaning="Messages of the vendor's sockets, by the raw partition they go to.",
    ),
    Metric(
        name="tricast_connector_received_bytes_total",
        part="connector",
        kind="counter",
        labels=_PLACE,
        unit="bytes",
        meaning="Their bytes after transport decompression; of one over our limit nothing is known.",
    ),
    Metric(
        name="tricast_connector_pushed_frames_total",
        part="connector",
        kind="counter",
        labels=_PLACE,
        unit="frames",
        meaning="Frames and snapshots that all replicas of Kafka have; those an earlier process left on disk included.",
    ),
    Metric(
        name="tricast_connector_pushed_bytes_total",
        part="connector",
        kind="counter",
        labels=_PLACE,
        unit="bytes",
        meaning="Their bytes.",
    ),
    Metric(
        name="tricast_connector_spooled_frames_total",
        part="connector",
        kind="counter",
        labels=_PLACE,
        unit="frames",
        meaning="Frames and snapshots that went to disk first, because Kafka did not take them in time.",
    ),
    Metric(
        name="tricast_connector_dropped_frames_total",
        part="connector",
        kind="counter",
        labels=(*_PLACE, "reason"),
        unit="frames",
        meaning="Frames that are not in Kafka and never will be; a record in the raw topic says which. After"
        " `spool-damaged` control records count, too.",
        values={"reason": DROPS},
    ),
    Metric(
        name="tricast_connector_records_waiting",
        part="connector",
        kind="gauge",
        labels=(*_PLACE, "place"),
        unit="records",
        meaning="Records that Kafka has not acknowledged, control records included: in memory, or on disk.",
        values={"place": ("memory", "disk")},
    ),
    Metric(
        name="tricast_connector_spool_free_bytes",
        part="connector",
        kind="gauge",
        labels=_PLACE,
        unit="bytes",
        meaning="What the spool of this partition may still take of the disk; absent when there is none.",
    ),
    Metric(
        name="tricast_connector_unacknowledged_seconds",
        part="connector",
        kind="gauge",
        labels=_PLACE,
        unit="seconds",
        meaning="How long the batch that is on its way to Kafka has waited for its acknowledgement; 0: none is.",
    ),
    Metric(
        name="tricast_connector_received_to_acknowledged_seconds",
        part="connector",
        kind="histogram",
        labels=("feed",),
        unit="seconds",
        meaning="From the receipt of a frame or snapshot to the acknowledgement of its raw record by all replicas.",
        buckets=LATENCY_S,
    ),
    Metric(
        name="tricast_connector_connects_total",
        part="connector",
        kind="counter",
        labels=("feed",),
        unit="attempts",
        meaning="Attempts to open a socket.",
    ),
    Metric(
        name="tricast_connector_connect_failures_total",
        part="connector",
        kind="counter",
        labels=("feed", "reason"),
        unit="attempts",
        meaning="Attempts that failed, by the code of their error; one that waits for a fixture to begin is none.",
        values={"reason": FAILURES},
    ),
    Metric(
        name="tricast_connector_reconnects_total",
        part="connector",
        kind="counter",
        labels=("feed", "reason"),
        unit="connections",
        meaning="Connections that ended, by why; each is followed by another, unless its line or the process ends.",
        values={"reason": ENDS},
    ),
    Metric(
        name="tricast_connector_lines",
        part="connector",
        kind="gauge",
        labels=("feed", "state"),
        unit="lines",
        meaning="Lines of this process by how they stand now.",
        values={"state": LINE_STATES},
    ),
    Metric(
        name="tricast_connector_budget_left",
        part="connector",
        kind="gauge",
        labels=("feed", "budget"),
        unit="attempts",
        meaning="What this process may attempt at once within its share of the vendor's limits; requests: RMS only.",
        values={"budget": BUDGETS},
    ),
    Metric(
        name="tricast_connector_token_age_seconds",
        part="connector",
        kind="gauge",
        labels=("feed", "token"),
        unit="seconds",
        meaning="RMS: age of the access token (good for 30 minutes), and of the exchange that the refresh token stems"
        " from (good for 7 days); absent while there is none.",
        values={"token": TOKENS},
    ),
    Metric(
        name="tricast_connector_requests_total",
        part="connector",
        kind="counter",
        labels=("feed", "outcome"),
        unit="requests",
        meaning="Kambi: requests for lists and snapshots; RMS: look-ups of bets. By what became of them: an answer on"
        " record, no change, no room in the queue to Kafka, or a failure.",
        values={"outcome": REQUESTS},
    ),
    Metric(
        name="tricast_connector_lookups_waiting",
        part="connector",
        kind="gauge",
        labels=("feed",),
        unit="bets",
        meaning="RMS: look-ups that wait for their turn.",
    ),
    Metric(
        name="tricast_connector_events",
        part="connector",
        kind="gauge",
        labels=("feed", "coverage"),
        unit="events",
        meaning="Kambi: events that are followed with all their keys, or by the general keys alone for want of room.",
        values={"coverage": COVERAGES},
    ),
)
