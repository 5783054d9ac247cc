"""`python -m benchmarks.ingest`: a connector between a vendor that sends all it can and Kafka.

The connector is the one that `tricast connect` runs, in a process of its own on the worker's core. Server and broker
share the other. A frame counts once Kafka has it; afterwards every record is read again and held against what was sent.
"""

import contextlib
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil
from confluent_kafka import KafkaException, TopicPartition

from benchmarks import load
from benchmarks.alone import alone
from benchmarks.conditions import Conditions
from benchmarks.cores import Cores
from benchmarks.flood import CYCLE, FASTPATH_FEEDS, Flood, made
from benchmarks.section import Section, Verdict
from schemas.topics import KAMBI_SHARDS, TOPICS

FLOOR, AIM = 8_000, 15_000
"""Frames/s of the Kambi connector with permessage-deflate, as the vendor grants it."""
LOOK_EVERY_S = 0.05
WARM_UP_FRAMES = 20_000
FRAMES_SHARE = 4
"""A connector does less with a frame than a worker: so many times as many are sent."""
TIMEOUT_S = 180.0
GRACE_S = 30.0
LOG_CHARS = 3_000
HEAD = ("ingest", "frames/s", "min to max", "CPU µs/frame", "core used", "RSS MiB", "spooled", "dropped", "complete")
NOTES = f"""\
Medians of the rounds. Frames per second: from the first frame that the server writes to the moment when the last one is
in raw (end offsets, looked at every {LOOK_EVERY_S:g} s). Kambi: four lines, one a shard, 1.4 kB and 4 children a frame;
FastPath: four feeds, 1.0 kB a packet. Deflate: permessage-deflate with its window kept, as the vendors' servers have
it. CPU: all threads of the connector; core used: its share of one core. Bare client: the same library reads the same
flood on the same core and does nothing: what is left for the connector's own work, and a floor under what the server
can send. Complete: the records read again are byte for byte the frames sent, each once, in order and without a gap in
their numbers. Server and broker share one core."""
_STOPPED = re.compile(r"(?:kambi|fastpath)\.stopped .*spooled=(\d+) dropped=(\{.*?\})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One flood and what became of it."""

    frames: int
    seconds: float
    cpu_seconds: float
    rss_mib: float = 0.0
    spooled: int = 0
    dropped: int = 0
    is_complete: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A feed's connector, or the bare client of its library, with or without compression."""

    feed: str
    deflate: bool
    is_bare: bool

    @property
    def name(self) -> str:
        library = {"kambi": "aiohttp", "fastpath": "websockets"}[self.feed]
        who = f"bare {library} client" if self.is_bare else f"{self.feed} connector"
        return f"{who}, {'deflate' if self.deflate else 'plain'}"


KAMBI = Row(feed="kambi", deflate=True, is_bare=False)
ROWS = (
    KAMBI,
    Row(feed="kambi", deflate=False, is_bare=False),
    Row(feed="kambi", deflate=True, is_bare=True),
    Row(feed="kambi", deflate=False, is_bare=True),
    Row(feed="fastpath", deflate=True, is_bare=False),
    Row(feed="fastpath", deflate=True, is_bare=True),
)
_CONNECTIONS = {"kambi": KAMBI_SHARDS, "fastpath": len(FASTPATH_FEEDS)}


def sections(conditions: Conditions) -> Iterator[Section]:
    """Let each row meet the same flood in interleaved rounds, after a small one; yield the section."""
    cores, rounds, frames = conditions.cores, conditions.scale.rounds, conditions.scale.frames * FRAMES_SHARE
    runs: dict[Row, list[Run]] = {row: [] for row in ROWS}
    with tempfile.TemporaryDirectory() as folder:
        paths = {feed: _written(feed, Path(folder)) for feed in _CONNECTIONS}

        def run(row: Row, frames: int) -> Run:
            connections = _CONNECTIONS[row.feed]
            flood = Flood(
                feed=row.feed,
                deflate=row.deflate,
                connections=connections,
                cycles=max(1, frames // (connections * CYCLE)),
                path=str(paths[row.feed]),
                core=cores.load,
            )
            return _bare(flood, cores) if row.is_bare else _connector(flood, conditions.bootstrap, cores)

        conditions.tell("ingest, warm-up of the broker")
        run(KAMBI, WARM_UP_FRAMES)
        for number in range(1, rounds + 1):
            for row in ROWS:
                runs[row].append(done := run(row, frames))
                rate = f"{done.frames / done.seconds:,.0f} frames/s"
                conditions.tell(f"ingest, round {number} of {rounds}: {row.name}, {rate}")
    yield _section(runs)


def _written(feed: str, folder: Path) -> Path:
    path = folder / f"{feed}.json"
    path.write_text(json.dumps([payload.decode() for payload in made(feed)]), encoding="utf-8")
    return path


def _section(runs: Mapping[Row, list[Run]]) -> Section:
    rate = statistics.median(run.frames / run.seconds for run in runs[KAMBI])
    targets = (("floor", FLOOR), ("aim", AIM))
    return Section(
        title="Connector ingest, socket to acknowledged raw",
        notes=NOTES,
        head=HEAD,
        rows=[_cells(row, of_row) for row, of_row in runs.items()],
        verdicts=[
            Verdict(text=f"{KAMBI.name} ≥ {target:,} frames/s ({name}): {rate:,.0f}", met=rate >= target)
            for name, target in targets
        ],
        is_complete=all(run.is_complete for of_row in runs.values() for run in of_row),
    )


def _cells(row: Row, runs: list[Run]) -> tuple[str, ...]:
    rates = [run.frames / run.seconds for run in runs]
    cells = (
        row.name,
        f"{statistics.median(rates):,.0f}",
        f"{min(rates):,.0f} to {max(rates):,.0f}",
        f"{statistics.median(run.cpu_seconds / run.frames for run in runs) * 1e6:.1f}",
        f"{statistics.median(run.cpu_seconds / run.seconds for run in runs):.0%}",
    )
    if row.is_bare:
        return (*cells, "", "", "", "")
    return (
        *cells,
        f"{statistics.median(run.rss_mib for run in runs):.0f}",
        str(sum(run.spooled for run in runs)),
        str(sum(run.dropped for run in runs)),
        "yes" if all(run.is_complete for run in runs) else "NO",
    )


@contextlib.contextmanager
def _flooding(flood: Flood) -> Iterator["subprocess.Popen[str]"]:
    server = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.flood", flood.to_argument()], stdout=subprocess.PIPE, text=True
    )
    try:
        yield server
    finally:
        server.terminate()
        server.wait(GRACE_S)


def _told(server: "subprocess.Popen[str]", name: str) -> float:
    assert server.stdout is not None
    line = server.stdout.readline()
    if not line:
        raise SystemExit("the flooding server ended")
    return float(json.loads(line)[name])


def _bare(flood: Flood, cores: Cores) -> Run:
    with _flooding(flood) as server:
        port = int(_told(server, "port"))
        client = [sys.executable, "-m", "benchmarks.flood_client", flood.to_argument(), str(port)]
        ended = subprocess.run(
            [*client, json.dumps(cores.worker)], capture_output=True, text=True, timeout=TIMEOUT_S, check=True
        )
        end = json.loads(ended.stdout)
        return Run(frames=flood.frames, seconds=end["ended"] - _told(server, "began"), cpu_seconds=end["cpu_seconds"])


def _connector(flood: Flood, bootstrap: str, cores: Cores) -> Run:
    prefix = f"ingest-{time.time_ns():x}."
    topic = f"{prefix}{flood.feed}.raw"
    load.create_topics(bootstrap, prefix, TOPICS)
    with tempfile.TemporaryDirectory() as folder, _flooding(flood) as server:
        environment = _environment(flood.feed, int(_told(server, "port")), bootstrap, prefix, Path(folder))
        log = Path(folder) / "log"
        with _connecting(flood.feed, environment, log, cores) as process:
            began, used_s = _told(server, "began"), _cpu_s(process)
            _until_there(bootstrap, topic, flood, process, began)
            ended, cpu_s = time.time(), _cpu_s(process) - used_s
            rss_mib = process.memory_info().rss / 2**20
        counts = _STOPPED.findall(log.read_text(encoding="utf-8"))
        overflows, is_complete = _checked(bootstrap, topic, flood)
    load.delete_topics(bootstrap, prefix, TOPICS)
    return Run(
        frames=flood.frames,
        seconds=ended - began,
        cpu_seconds=cpu_s,
        rss_mib=rss_mib,
        spooled=sum(int(spooled) for spooled, _ in counts),
        dropped=overflows,
        is_complete=is_complete and bool(counts) and all(dropped == "{}" for _, dropped in counts),
    )


def _environment(feed: str, port: int, bootstrap: str, prefix: str, folder: Path) -> dict[str, str]:
    own = {
        "kambi": {"PUSH_URL": f"ws://127.0.0.1:{port}", "EVENTS": "", "SNAPSHOTS": "false", "SETTLEMENTS": "false"},
        "fastpath": {"STREAM_URL": f"ws://127.0.0.1:{port}", "TOKEN": "token", "FEEDS": ",".join(FASTPATH_FEEDS)},
    }[feed]
    return {
        **os.environ,
        "TRICAST_TOPIC_PREFIX": prefix,
        "TRICAST_KAFKA__BOOTSTRAP_SERVERS": bootstrap,
        f"TRICAST_{feed.upper()}__SPOOL_DIR": str(folder),
        **{f"TRICAST_{feed.upper()}__{name}": value for name, value in own.items()},
    }


@contextlib.contextmanager
def _connecting(feed: str, environment: Mapping[str, str], log: Path, cores: Cores) -> Iterator[psutil.Process]:
    """Run the connector on the worker's core; at the end of the block it closes, flushes and must end well."""
    with log.open("wb") as sink:
        connector = subprocess.Popen(
            [sys.executable, "-m", "tricast", "connect", feed], env=environment, stdout=sink, stderr=sink
        )
    process = psutil.Process(connector.pid)
    if cores.worker is not None:
        process.cpu_affinity([cores.worker])
    try:
        yield process
    finally:
        connector.terminate()
        if connector.wait(GRACE_S):
            raise SystemExit(f"the connector ended with {connector.returncode}\n{log.read_text()[-LOG_CHARS:]}")


def _cpu_s(process: psutil.Process) -> float:
    used = process.cpu_times()
    return used.user + used.system


def _until_there(bootstrap: str, topic: str, flood: Flood, process: psutil.Process, began: float) -> None:
    """Return when raw holds as many records as frames were sent, and an `opened` of each line."""
    partitions = range(TOPICS[f"{flood.feed}.raw"].partitions)
    with contextlib.closing(load.reader(bootstrap)) as reader:
        while time.time() < began + TIMEOUT_S and process.status() != psutil.STATUS_ZOMBIE:
            with contextlib.suppress(KafkaException):  # its metadata of a new topic may be behind: look again
                ends = (reader.get_watermark_offsets(TopicPartition(topic, partition))[1] for partition in partitions)
                if sum(ends) >= flood.frames + flood.connections:
                    return
            time.sleep(LOOK_EVERY_S)
    raise SystemExit(f"not all of {flood.frames} frames came within {TIMEOUT_S:.0f} s")


def _checked(bootstrap: str, topic: str, flood: Flood) -> tuple[int, bool]:
    """Return how many overflows are on record, and whether each line's frames are those that were sent."""
    sent = [text.encode() for text in json.loads(Path(flood.path).read_bytes())]
    handshake = int(flood.feed == "kambi")  # the packet that accepts the connect is a frame, too
    numbers: dict[bytes, int] = {}
    overflows, is_right = 0, True
    for record in load.messages(bootstrap, topic, TOPICS[f"{flood.feed}.raw"].partitions):
        headers = dict(record.headers())
        kind, line, number = headers["tc-kind"], headers["tc-line"], int(headers["tc-frame"])
        overflows += kind == b"overflow"
        if kind == b"frame":
            before = numbers.get(line, 0)
            numbers[line] = number
            is_handshake = number <= handshake
            is_right &= number == before + 1
            is_right &= is_handshake or record.value() == sent[(number - 1 - handshake) % CYCLE]
    each = flood.frames // flood.connections + handshake
    return overflows, is_right and list(numbers.values()) == [each] * flood.connections


if __name__ == "__main__":
    sys.exit(alone(sections, __doc__))
