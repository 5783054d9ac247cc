"""What messages and snapshots say about health, taken from what processing them found."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from processors.core.kambi import shards
from processors.core.kambi.dedupe import Copies, line_number
from processors.core.kambi.event_health import SnapshotKind
from processors.core.kambi.frames import FrameFinding
from processors.core.kambi.snapshot import SnapshotFinding
from processors.core.kambi.state import tidy
from processors.core.kambi.watch import Health, watch
from processors.core.processor import Context
from schemas.kambi.codes import Count

_REMOVED: Final = "event.removed"
_COUNTS: Final[dict[SnapshotKind, Count]] = {
    "baseline": Count.SNAPSHOT_BASELINE,
    "repaired": Count.SNAPSHOT_REPAIRED,
    "push-missed": Count.SNAPSHOT_PUSH_MISSED,
}


def watch_frame(
    finding: FrameFinding, line: str, connection: str, *, received_ns: int, context: Context
) -> Sequence[Health]:
    """Return what a message on ``line`` says about the health of lines and events."""
    health = watch(context)
    found = health.frame(
        line,
        connection,
        finding.messages,
        received_ns=received_ns,
        now_s=context.stream_time_ns // 1_000_000_000,
        share=finding.share,
    )
    if finding.removed:
        found = [*found, *(told for event in finding.removed for told in health.removed(event, received_ns))]
    return found


def watch_copies(context: Context) -> None:
    """Delete what ended, and count of it which facts of general lines met their copies on the events' own keys."""
    health, now_s = watch(context), context.stream_time_ns // 1_000_000_000
    general = {line_number(line.name.encode()): line.name for line in health.lines.all() if shards.GENERAL in line.name}
    copies = Copies(general)
    tidy(context, now_s, copies)
    for number in sorted(copies.met.keys() | copies.unmet.keys()):
        health.copies(general[number], copies.met[number], copies.unmet[number], now_s)
    if copies.unmet:
        context.count(Count.COPY_UNMATCHED, copies.unmet.total())


def watch_snapshot(finding: SnapshotFinding, received_ns: int, context: Context) -> Sequence[Health]:
    """Count what ``finding`` says that push lost, and return what it says about the health of events."""
    health = watch(context)
    counts: Counter[SnapshotKind] = Counter()
    differing: list[int] = []
    removed: list[int] = []
    for event in finding.events:
        number = event.differences.total()
        if number:
            counts[health.snapshot_kind(event.event_id, finding.what)] += number
            (removed if _REMOVED in event.differences else differing).append(event.event_id)
    for kind, number in counts.items():
        context.count(_COUNTS[kind], number)
    said = [event.event_id for event in finding.events if event.is_there or finding.what == "offers"]
    found = health.snapshot(
        said if finding.is_complete else (),
        differing,
        what=finding.what,
        requested_ns=finding.requested_ns,
        received_ns=received_ns,
        now_s=context.stream_time_ns // 1_000_000_000,
    )
    for event_id in removed:
        found += health.removed(event_id, received_ns)
    return found
