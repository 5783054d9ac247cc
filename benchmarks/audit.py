"""`python -m benchmarks.audit --millions 4`: what `tricast audit kambi` costs over so many raw records, and once more.

Raw frames of one change each, the record that the processor makes of each, and its offsets are written straight into a
broker of this run: nothing here depends on how fast a processor is. The second audit goes on from the certificate of
the first after a tenth more. CPU time and memory are the audit's alone, as the system counts them.
"""

import argparse
import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
from confluent_kafka import Consumer, Producer, TopicPartition
from msgspec.json import encode
from rich.console import Console
from rich.table import Table

from benchmarks import load, machine
from schemas.raw import Kind, RawHeaders
from schemas.topics import TOPICS
from tricast.kafka import Cluster

PREFIX = "audit."
GROUP = PREFIX + "kambi"
RAW, OFFERS = PREFIX + "kambi.raw", PREFIX + "kambi.offers"
EVENTS = range(1_020_000_000, 1_020_000_400)
STEP_MS = 20
LINE = "kambi-0-general"
MORE = 1 / 10
"""Share that comes on top before the second audit."""
BY_KEY = -1
"""As confluent-kafka has it: the partitioner chooses."""
LOOK_S = 0.05
"""How often its memory is looked at."""
TIMEOUT_S = 300
"""How long an audit may wait for the group's offsets; they are there."""
_Headers = list[tuple[str, str | bytes | None]]
_CLOUDEVENT: _Headers = [
    ("content-type", b"application/json"),
    ("ce_specversion", b"1.0"),
    ("ce_source", f"tricast/kambi/{LINE}".encode()),
    ("ce_type", b"tricast.kambi.odds.changed.v1"),
]
_Record = tuple[str, bytes, bytes, _Headers, int]
"""Topic, key, value, headers, timestamp (ms)."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one audit took."""

    name: str
    records: int
    seconds: float
    cpu_s: float
    peak_mib: float
    verdict: int
    """Its exit code."""


def records(first: int, end: int, began_ms: int) -> Iterator[_Record]:
    """Yield raw records ``first`` to ``end`` of the one partition, and what the processor makes of each."""
    for number in range(first, end):
        at_ms = began_ms + number * STEP_MS
        if number == 0:
            yield RAW, b"0", b'{"shard":0,"shards":1}', _stamps("opened", number, at_ms), at_ms
            continue
        event, odds = EVENTS[number % len(EVENTS)], 1000 + number % 5000
        changed = {"eventId": event, "outcomes": [{"id": event + 7, "betOfferId": event + 3, "odds": odds}]}
        children = encode([{"t": str(at_ms), "mt": 11, "boou": changed}]).decode()
        yield RAW, b"0", b"2" + encode(["message", children]), _stamps("frame", number, at_ms), at_ms
        made = {
            "event_id": event,
            "vendor_time_ms": at_ms,
            "offer_id": event + 3,
            "outcomes": [{"id": event + 7, "odds_thousandths": odds}],
        }
        yield OFFERS, b"%d" % event, encode(made), [*_CLOUDEVENT, ("ce_id", f"{RAW}/0/{number}/0".encode())], at_ms


def write(bootstrap: str, first: int, end: int, began_ms: int) -> None:
    """Write them, and that the processor has read them."""
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "enable.idempotence": True,
            "compression.type": "lz4",
            "linger.ms": 50,
            "partitioner": "murmur2_random",  # as the engine places records
            "queue.buffering.max.messages": 200_000,
        }
    )
    for topic, key, value, headers, at_ms in records(first, end, began_ms):
        partition = 0 if topic == RAW else BY_KEY
        while True:
            try:
                producer.produce(topic, value, key, partition, headers=headers, timestamp=at_ms)
                break
            except BufferError:
                producer.poll(0.1)
    if left := producer.flush(60):
        raise SystemExit(f"{left} records could not be written")
    group = Consumer({"bootstrap.servers": bootstrap, "group.id": GROUP, "enable.auto.commit": False})
    group.commit(offsets=[TopicPartition(RAW, 0, end)], asynchronous=False)
    group.close()


def audited(name: str, bootstrap: str, certificate: Path, count: int) -> Cost:
    """Run the audit as a process of its own."""
    told = {"TRICAST_KAFKA__BOOTSTRAP_SERVERS": bootstrap, "TRICAST_TOPIC_PREFIX": PREFIX}
    command = [sys.executable, "-m", "tricast", "audit", "kambi", "--timeout", str(TIMEOUT_S)]
    began = time.perf_counter()
    process = os.posix_spawn(sys.executable, [*command, "--certificate", str(certificate)], os.environ | told)
    watched, peak = psutil.Process(process), 0
    # ``ru_maxrss`` of a process that was spawned begins with what its parent had.
    while (ended := os.wait4(process, os.WNOHANG))[0] == 0:
        with contextlib.suppress(psutil.Error):
            peak = max(peak, watched.memory_info().rss)
        time.sleep(LOOK_S)
    _, status, usage = ended
    return Cost(
        name,
        count,
        time.perf_counter() - began,
        usage.ru_utime + usage.ru_stime,
        peak / 2**20,
        os.waitstatus_to_exitcode(status),
    )


def _stamps(kind: Kind, number: int, at_ms: int) -> _Headers:
    headers = RawHeaders(
        feed="kambi", line=LINE, connection="c-1", frame=number, received_ns=at_ms * 1_000_000, kind=kind
    )
    return [*headers.to_kafka()]


def main() -> int:
    """Return 1 when an audit did not come to `clean`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.audit", description=__doc__)
    parser.add_argument("--millions", type=float, default=4.0, help="raw records of the first audit")
    arguments = parser.parse_args()
    count = int(arguments.millions * 1e6)
    end = count + int(count * MORE)
    began_ms = time.time_ns() // 1_000_000 - end * STEP_MS
    progress = Console(stderr=True, log_path=False)
    costs: list[Cost] = []
    with Cluster(ephemeral=True, brokers=1) as kafka, tempfile.TemporaryDirectory() as folder:
        bootstrap, certificate = kafka.bootstrap_servers, Path(folder) / "audit.json"
        load.create_topics(bootstrap, PREFIX, {name: topic for name, topic in TOPICS.items() if "kambi" in name})
        for name, first, last in (("first", 0, count), ("second, from its certificate", count, end)):
            progress.log(f"{name}: writing {last - first:,} raw records")
            write(bootstrap, first, last, began_ms)
            progress.log(f"{name}: auditing")
            costs.append(audited(name, bootstrap, certificate, last - first))
    table = Table("audit", title=f"load per core at the end: {machine.load_per_core():.1f}")
    for column in ("raw records", "wall, s", "CPU, s", "CPU µs/record", "peak, MiB", "exit code"):
        table.add_column(column, justify="right")
    for cost in costs:
        each_us = cost.cpu_s / cost.records * 1e6
        took = (f"{cost.seconds:,.0f}", f"{cost.cpu_s:,.1f}", f"{each_us:,.0f}", f"{cost.peak_mib:,.0f}")
        table.add_row(cost.name, f"{cost.records:,}", *took, str(cost.verdict))
    Console(width=140).print(table)
    return int(any(cost.verdict for cost in costs))


if __name__ == "__main__":
    raise SystemExit(main())
