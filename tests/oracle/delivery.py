"""From the vendor's changes to raw records: lines with delays, bulks, drops, repeats, holes and standby twins."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from tests.oracle.history import LANGUAGE, START_MS, Change, Json, Vendor

Header = tuple[str, bytes]

SETTLEMENTS: Final = 4
"""Partition of the settlements line."""
LONGEST_STALL_MS: Final = 75_000
"""A socket that stalls and lives on: ping 55 s + 20 s (fact sheet, section 2)."""


@dataclass(frozen=True, slots=True)
class Raw:
    """A raw record as the stream task gets it."""

    partition: int
    offset: int
    value: bytes
    headers: tuple[Header, ...]
    topic: str = "tricast.kambi.raw"
    timestamp: int = START_MS
    key: bytes = b"0"


@dataclass(slots=True)
class Delivered:
    """All records of a history, by partition, and what is in them."""

    partitions: dict[int, list[Raw]]
    restarts: dict[int, set[int]]
    """Partition → offsets before which its task loses its memory."""
    shards: int
    copy_skew_ms: int = 0
    contents: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class _Stamped:
    at_ms: float
    line: str
    connection: str
    number: int
    kind: str
    value: bytes
    more: tuple[Header, ...] = ()


def random_history(seed: int) -> Delivered:
    """Return the history of ``seed``, always the same."""
    random = Random(f"history {seed}")
    skew_ms = random.choice((2, 50, 700)) if random.random() < 0.15 else 0
    vendor = Vendor(random, odd=random.choice((0.0, 0.05, 0.2)), skew_ms=skew_ms)
    changes = vendor.changes(random.randint(5, 45))
    shards = random.choice((1, 1, 2, 4))
    delivered = _Delivery(random, vendor, changes, shards).deliver()
    delivered.copy_skew_ms = skew_ms
    delivered.contents["histories in which the t of copies differs"] = skew_ms > 0
    return delivered


class _Delivery:
    def __init__(self, random: Random, vendor: Vendor, changes: list[Change], shards: int) -> None:
        self._random = random
        self._changes = changes
        self._shards = shards
        self._contents: Counter[str] = Counter()
        self._end_ms = changes[-1].at_ms + 1
        self._standby = random.random() < 0.35
        self._calm = random.random() < 0.2
        self._untold = random.random() < 0.1
        # Some events are on two lines of their own for good, as while they move.
        self._snapshots = self._polled(vendor) if random.random() < 0.5 else []
        self._own_lines = {event: random.choice(((0,), (0,), (1,), (0, 1))) for event in vendor.events}

    def deliver(self) -> Delivered:
        random, contents = self._random, self._contents
        contents["histories"] = 1
        contents["changes"] = len(self._changes)
        contents[f"histories with {self._shards} shards"] = 1
        for change in self._changes:
            contents[f"mt {change.mt if type(change.mt) is int else 'none'}"] += 1
        partitions = {shard: self._partition(shard) for shard in range(self._shards)}
        settled = [change.own or change.general for change in self._changes if change.mt == 24]
        if settled:
            partitions[SETTLEMENTS] = self._settlements()
        ordered = {partition: self._in_order(partition, lines) for partition, lines in partitions.items()}
        restarts: dict[int, set[int]] = {partition: set() for partition in ordered}
        if random.random() < 0.3:
            contents["histories with restarts"] = 1
            for partition, records in ordered.items():
                restarts[partition] = {number for number in range(len(records)) if random.random() < 0.2}
                contents["restarts"] += len(restarts[partition])
        contents["records"] = sum(map(len, ordered.values()))
        return Delivered(ordered, restarts, self._shards, contents=contents)

    def _polled(self, vendor: Vendor) -> list[tuple[float, float, str, int, bytes]]:
        """Return snapshots: requested at, received at, request, status, body."""
        random = self._random
        polled = []
        for _ in range(random.randint(1, 6)):
            requested = random.uniform(START_MS, self._end_ms + 10_000)
            position, status, body = vendor.snapshot()
            value = b"" if body is None else json.dumps(body).encode()
            polled.append((requested, requested + random.choice((0, 300, 2_000)), position, status, value))
        self._contents["snapshots"] += len(polled)
        return sorted(polled, key=lambda snapshot: snapshot[1])

    def _snapshot_line(self, shard: int) -> list[_Stamped]:
        name = f"kambi-{shard}-snapshots"
        return [
            _Stamped(
                received,
                name,
                f"{name}#0",
                number,
                "snapshot",
                value,
                (
                    ("tc-position", position.encode()),
                    ("tc-requested-ns", b"%d" % int(requested * 1_000_000)),
                    ("tc-status", b"%d" % status),
                ),
            )
            for number, (requested, received, position, status, value) in enumerate(self._snapshots, 1)
        ]

    def _partition(self, shard: int) -> list[list[_Stamped]]:
        names = ["", ".b"] if self._standby else [""]
        general = [(change.at_ms, change.general) for change in self._changes if change.general and change.mt != 24]
        lines = [self._line(f"kambi-{shard}-general{twin}", shard, general) for twin in names]
        for number in (0, 1):
            own = [
                (change.at_ms, change.own)
                for change in self._changes
                if change.own
                and change.mt != 24
                and change.event % self._shards == shard
                and number in self._own_lines[change.event]
            ]
            if own:
                lines += [self._line(f"kambi-{shard}-events-{number}{twin}", shard, own) for twin in names]
        return [*lines, self._snapshot_line(shard)]

    def _settlements(self) -> list[list[_Stamped]]:
        said = [(change.at_ms, change.own or change.general or {}) for change in self._changes if change.mt == 24]
        names = ["kambi-settlements", "kambi-settlements.b"] if self._standby else ["kambi-settlements"]
        return [self._line(name, 0, said, shards=1) for name in names]

    # One line.

    def _line(
        self, name: str, shard: int, messages: Sequence[tuple[int, Json]], shards: int | None = None
    ) -> list[_Stamped]:
        random = self._random
        shards = self._shards if shards is None else shards
        stalls = [] if self._calm else self._intervals(0.4, LONGEST_STALL_MS)
        if not self._calm and random.random() < 0.04:
            stalls += self._intervals(1.0, 2 * LONGEST_STALL_MS)
            self._contents["lines that stall longer than facts are remembered"] += 1
        drops = [] if self._calm else self._intervals(0.3, 20_000)
        self._contents["lines"] += 1
        self._contents["stalls"] += len(stalls)
        self._contents["drops"] += len(drops)
        frames: list[tuple[float, bytes]] = []
        for language in (True, False):
            side = [(at_ms, child) for at_ms, child in messages if (child.get("mt") in LANGUAGE) is language]
            frames += self._bulks(side, stalls)
        frames.sort(key=lambda frame: frame[0])
        return self._connections(name, shard, shards, frames, drops)

    def _intervals(self, likely: float, longest_ms: int) -> list[tuple[float, float]]:
        if self._random.random() >= likely:
            return []
        start = self._random.uniform(START_MS - 1000, self._end_ms)
        return [(start, start + self._random.uniform(0, longest_ms))]

    def _bulks(self, side: list[tuple[int, Json]], stalls: list[tuple[float, float]]) -> list[tuple[float, bytes]]:
        random = self._random
        window, most = random.choice((0, 100, 1000, 5000)), random.randint(1, 6)
        frames: list[tuple[float, bytes]] = []
        latest = 0.0
        while side:
            size = 1
            while size < min(most, len(side)) and side[size][0] - side[0][0] <= window:
                size += 1
            bulk, side = side[:size], side[size:]
            arrival = bulk[-1][0] + random.choice((0.0, 0.0, 1.5, random.uniform(0, 300)))
            for start, end in stalls:
                if start <= arrival < end:
                    arrival = end
            latest = arrival = max(arrival, latest)
            children = [child for _, child in bulk]
            frames.append((arrival, _frame(children)))
            self._contents["frames"] += 1
            self._contents["bulks"] += size > 1
            if random.random() < 0.04:
                frames.append((arrival + random.choice((0, 1, 4000)), _frame(children)))
                self._contents["messages sent again in another frame"] += size
                latest = frames[-1][0]
            if random.random() < 0.01:
                junk = random.choice(
                    (b'2["message","hello"]', b"nonsense", b'0{"sid":"x"}', b'2["message","[]"]', b"3[]")
                )
                frames.append((arrival, junk))
                self._contents["frames that are no bulk"] += 1
        return frames

    def _connections(
        self,
        name: str,
        shard: int,
        shards: int,
        frames: list[tuple[float, bytes]],
        drops: list[tuple[float, float]],
    ) -> list[_Stamped]:
        random = self._random
        number, connection, previous = 0, f"{name}#0", None
        records: list[_Stamped] = []

        def control(at_ms: float, kind: str, value: Json) -> None:
            records.append(_Stamped(at_ms, name, connection, number, kind, json.dumps(value).encode()))

        def opened(at_ms: float) -> None:
            told = {"shard": shard, "shards": shards, "url": "", "keys": [], "previous_frame": None}
            control(at_ms, "opened", told | {"previous_connection": previous})

        if not self._untold or random.random() < 0.5:
            opened(START_MS - 1000)
        ticks = sorted(random.uniform(START_MS, self._end_ms + 200_000) for _ in range(random.randint(0, 5)))
        points: list[tuple[float, str, Any]] = [(at_ms, "frame", value) for at_ms, value in frames]
        points += [(at_ms, "tick", None) for at_ms in ticks]
        points += [point for start, end in drops for point in ((start, "closed", None), (end, "opened", None))]
        is_open = True
        for at_ms, kind, value in sorted(points, key=lambda point: point[0]):
            if kind == "closed":
                control(at_ms, "closed", {"code": 1006, "reason": "lost", "frames": number})
                is_open = False
            elif kind == "opened":
                previous, connection, number, is_open = connection, f"{connection}+", 0, True
                opened(at_ms)
            elif not is_open:
                self._contents["frames lost while closed"] += kind == "frame"
            elif kind == "tick":
                control(at_ms, "tick", {"shards": shards})
            else:
                number += 1
                if not self._calm and random.random() < 0.02:
                    self._contents["frames lost by us"] += 1
                    continue
                record = _Stamped(at_ms, name, connection, number, "frame", value)
                records.append(record)
        if random.random() < 0.2:
            records = self._with_repeats(records)
        return records

    def _with_repeats(self, records: list[_Stamped]) -> list[_Stamped]:
        """Send a stretch of records a second time, as a spool does that was not sure."""
        random = self._random
        start = random.randrange(len(records) + 1)
        end = random.randint(start, len(records))
        again = [record for record in records[start:end] if record.kind == "frame"]
        self._contents["repeated frames"] += len(again)
        return records[:end] + again + records[end:]

    # All lines of a partition.

    def _in_order(self, partition: int, lines: Iterable[list[_Stamped]]) -> list[Raw]:
        """Merge lines; in a share of the histories the order in Kafka is not quite that of receipt."""
        jitter = self._random.choice((0, 0, 0, 50, 2_000))
        keyed = []
        for line in lines:
            key = 0.0
            for record in line:
                key = max(key, record.at_ms + self._random.uniform(0, jitter))
                keyed.append((key, record))
        keyed.sort(key=lambda pair: pair[0])
        records = []
        for offset, (_, record) in enumerate(keyed):
            stamps = (
                ("tc-feed", b"kambi"),
                ("tc-line", record.line.encode()),
                ("tc-connection", record.connection.encode()),
                ("tc-frame", b"%d" % record.number),
                ("tc-received-ns", b"%d" % int(record.at_ms * 1_000_000)),
                ("tc-kind", record.kind.encode()),
            )
            records.append(Raw(partition, offset, record.value, stamps + record.more))
        return records


def _frame(children: list[Json]) -> bytes:
    return b"2" + json.dumps(["message", json.dumps(children, separators=(",", ":"))]).encode()
