"""The brokers' log directories: which partitions there are, and all that is judged of them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tests.chaos.checker.cabinet import Cabinet
from tests.chaos.checker.group_offsets import TOPIC, Committed, committed, judge_commits
from tests.chaos.checker.segments import UnreadableError, read_partition
from tests.chaos.checker.transactions import follow, judge_output, judge_replicas, judge_seen
from tests.chaos.checker.verdict import Verdict

INPUTS = frozenset({"kambi.raw", "fastpath.raw", "rms.raw", "rms.bets"})
"""Written by connectors, and by whoever has bets: at least once, in no transaction."""
COMPACTED = ("changelog.", "kambi.health", "fastpath.health", "fastpath.connections", "rms.health")
"""Each broker compacts by itself, so their replicas need not have the same batches."""
_FEEDS = ("kambi.", "fastpath.", "rms.", "changelog.")


def partitions(folders: Sequence[Path], prefix: str) -> dict[tuple[str, int], dict[str, Path]]:
    """Return topic (without prefix) and partition to the folders of its replicas, by broker."""
    found: defaultdict[tuple[str, int], dict[str, Path]] = defaultdict(dict)
    for folder in folders:
        places = [place for place in folder.rglob(f"{prefix}*") if place.is_dir()]
        for place in places:
            topic, _, number = place.name.removeprefix(prefix).rpartition("-")
            if number.isdigit() and topic.startswith(_FEEDS):
                found[topic, int(number)][str(folder)] = place
    return dict(found)


def judge_logs(folders: Sequence[Path], prefix: str, cabinet: Cabinet, verdict: Verdict) -> set[Committed]:
    """Judge every partition of the product; return what its groups committed."""
    for (topic, number), replicas in sorted(partitions(folders, prefix).items()):
        judge_partition(topic, number, replicas, cabinet.offsets(topic, number), verdict)
    return judge_groups(folders, prefix, verdict)


def judge_groups(folders: Sequence[Path], prefix: str, verdict: Verdict) -> set[Committed]:
    """Judge what groups committed, of each partition on the replica that has most; return it."""
    kept: set[Committed] = set()
    replicas: defaultdict[str, list[Path]] = defaultdict(list)
    for folder in folders:
        for place in folder.rglob(f"{TOPIC}-*"):
            replicas[place.name].append(place)
    for places in replicas.values():
        longest = max(places, key=lambda place: sum(segment.stat().st_size for segment in place.glob("*.log")))
        try:
            commits = [*committed(read_partition(longest, whole=True))]
        except UnreadableError as error:
            verdict.find("unreadable", str(error))
            continue
        judge_commits(commits, prefix, verdict)
        kept.update(commits)
    return kept


def judge_partition(
    topic: str, number: int, replicas: Mapping[str, Path], seen: Iterable[int], verdict: Verdict
) -> None:
    """Judge one: its transactions, what the reader saw of it, its replicas."""
    name = f"{topic}/{number}"
    try:
        helds = {broker: follow(read_partition(place)) for broker, place in replicas.items()}
        broker = max(helds, key=lambda broker: helds[broker].end)
        if topic not in INPUTS:
            judge_output(name, helds[broker], verdict)
        if not topic.startswith("changelog."):
            judge_seen(name, helds[broker], seen, verdict)
        if not topic.startswith(COMPACTED):
            reads = {broker: lambda place=place: read_partition(place) for broker, place in replicas.items()}
            judge_replicas(name, reads, verdict)
    except UnreadableError as error:
        verdict.find("unreadable", str(error))
