"""`python -m benchmarks.growth`: the job over more and more partitions, and on two workers.

Seen from outside: what the group has committed and what the workers' processes have used, between two moments when all
of them are at work.
"""

import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import psutil
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from benchmarks import load
from benchmarks.alone import alone
from benchmarks.conditions import Conditions
from benchmarks.cores import Cores
from benchmarks.frames import Frames
from benchmarks.growth_worker import registry
from benchmarks.job import CHILDREN, OUT, RAW
from benchmarks.peer import Assignment
from benchmarks.section import Section, Verdict
from schemas.raw import Header, RawHeaders

FROM, TO = 0.2, 0.75
"""Share of the frames committed when the clock starts, so that every worker has its partitions, and when it stops: a
worker computes up to two transactions ahead of what is committed, and must have frames for that at both ends."""
FRAMES_TIMES = 2
"""How many times the frames of the benchmark's scale. Positions move by whole transactions, of up to 3,000 frames; with
two workers the clock may take one too many or too few, which must be little of all."""
MOST_COST = 1.5
LOOK_EVERY_S = 0.02
TIMEOUT_S = 180.0
LOG_CHARS = 3_000
GRACE_S = 30.0
_STARTING = (KafkaError.NOT_COORDINATOR, KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.COORDINATOR_LOAD_IN_PROGRESS)
"""While the broker sets up its place for a group's offsets."""
HEAD = ("de-bulk over partitions", "frames/s", "min to max", "CPU µs/frame", "RSS MiB", "complete")
NOTES = f"""\
The job of the throughput table, frames of {CHILDREN} children; source, outputs and changelog have so many partitions.
Medians of the rounds, which are interleaved. Measured while {FROM:.0%} to {TO:.0%} of the frames are committed, by what
the group has committed; CPU and RSS: of all workers. Two workers on one core show what sharing a group costs, not what
a second core gains. With the second beside the broker, both compete with it: on two cores this shows less than another
machine for the second worker would give. Complete: every child of every frame is there, once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How many partitions, and which worker stands where: ``worker`` or ``broker`` is the core of that."""

    partitions: int
    places: tuple[str, ...] = ("worker",)

    @property
    def name(self) -> str:
        partitions = f"{self.partitions} partition" + "s" * (self.partitions > 1)
        if len(self.places) == 1:
            return partitions
        return f"{partitions}, 2 workers, " + ("one core" if "broker" not in self.places else "one beside the broker")


BASE, LARGEST = Shape(partitions=4), Shape(partitions=48)
SHAPES = (
    Shape(partitions=1),
    BASE,
    Shape(partitions=12),
    LARGEST,
    Shape(partitions=12, places=("worker", "worker")),
    Shape(partitions=12, places=("worker", "broker")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One shape's way through its frames: those of the measured part, and what the reader found after the last."""

    frames: int
    seconds: float
    cpu_seconds: float
    rss_mib: float
    is_complete: bool

    @property
    def frames_per_second(self) -> float:
        return self.frames / self.seconds

    @property
    def cpu_us_per_frame(self) -> float:
        return self.cpu_seconds / self.frames * 1e6


def sections(conditions: Conditions) -> Iterator[Section]:
    """Measure every shape in interleaved rounds; yield the section."""
    runs: dict[Shape, list[Run]] = {shape: [] for shape in SHAPES}
    rounds = conditions.scale.rounds
    for number in range(1, rounds + 1):
        for shape in SHAPES:
            run = measure(shape, conditions)
            runs[shape].append(run)
            rate = f"{run.frames_per_second:,.0f} frames/s"
            conditions.tell(f"growth, round {number} of {rounds}: {shape.name}, {rate}")
    yield _section(runs)


def measure(shape: Shape, conditions: Conditions) -> Run:
    """Let the workers of ``shape`` empty a topic of ``FRAMES_TIMES`` times the frames of ``conditions``."""
    bootstrap, cores = conditions.bootstrap, conditions.cores
    frames = FRAMES_TIMES * conditions.scale.frames
    prefix = f"growth-{time.time_ns():x}."
    topics = registry(shape.partitions)
    load.create_topics(bootstrap, prefix, topics)
    _preload(bootstrap, prefix, frames, shape.partitions)
    with contextlib.ExitStack() as stack:
        workers = [
            stack.enter_context(_working(_assignment(shape, number, bootstrap, prefix, cores)))
            for number in range(len(shape.places))
        ]
        began, ended = _watched(bootstrap, prefix, shape.partitions, frames, workers)
        rss_mib = sum(worker.memory_info().rss for worker in workers) / 2**20
    outputs = load.messages(bootstrap, prefix + OUT, shape.partitions)
    identities = [dict(message.headers())["ce_id"] for message in outputs]
    load.delete_topics(bootstrap, prefix, topics)
    return Run(
        frames=ended.committed - began.committed,
        seconds=ended.at_s - began.at_s,
        cpu_seconds=ended.cpu_s - began.cpu_s,
        rss_mib=rss_mib,
        is_complete=len(identities) == len(set(identities)) == frames * CHILDREN,
    )


def _section(runs: Mapping[Shape, list[Run]]) -> Section:
    def cpu_us(shape: Shape) -> float:
        return statistics.median(run.cpu_us_per_frame for run in runs[shape])

    def rate(shape: Shape) -> float:
        return statistics.median(run.frames_per_second for run in runs[shape])

    costs = {"CPU a frame": cpu_us(LARGEST) / cpu_us(BASE), "time a frame": rate(BASE) / rate(LARGEST)}
    return Section(
        title="Growth: partitions and workers",
        notes=NOTES,
        head=HEAD,
        rows=[
            (
                shape.name,
                f"{rate(shape):,.0f}",
                " to ".join(f"{end(run.frames_per_second for run in of_shape):,.0f}" for end in (min, max)),
                f"{cpu_us(shape):.1f}",
                f"{statistics.median(run.rss_mib for run in of_shape):.0f}",
                "yes" if all(run.is_complete for run in of_shape) else "NO",
            )
            for shape, of_shape in runs.items()
        ],
        verdicts=[
            Verdict(
                text=f"floor: {what} of 48 partitions ≤ {MOST_COST} times that of 4: {cost:.2f}", met=cost <= MOST_COST
            )
            for what, cost in costs.items()
        ],
        is_complete=all(run.is_complete for of_shape in runs.values() for run in of_shape),
    )


class _Frames:
    """The job's frames over any number of partitions, each a line of its own."""

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        self._frames = Frames()
        self._connections = [str(uuid.uuid4()) for _ in range(partitions)]

    def frame(self, number: int) -> tuple[int, bytes, list[Header]]:
        nth, partition = divmod(number, self._partitions)
        _, value, _ = self._frames.frame(number, 0)
        headers = RawHeaders(
            feed="kambi",
            line=f"kambi-{partition}-general",
            connection=self._connections[partition],
            frame=nth + 1,
            received_ns=time.time_ns(),
            kind="frame",
        )
        return partition, value, headers.to_kafka()


def _preload(bootstrap: str, prefix: str, frames: int, partitions: int) -> None:
    producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 20})
    made = _Frames(partitions)
    for number in range(frames):
        partition, value, headers = made.frame(number)
        while True:
            try:
                producer.produce(prefix + RAW, value, b"%d" % partition, partition, headers=headers)
                break
            except BufferError:
                producer.poll(0.1)
    if left := producer.flush(60):
        raise SystemExit(f"{left} frames could not be written")


def _assignment(shape: Shape, number: int, bootstrap: str, prefix: str, cores: Cores) -> Assignment:
    return Assignment(
        bootstrap=bootstrap,
        prefix=prefix,
        frames=0,
        core=cores.worker if shape.places[number] == "worker" else cores.broker,
        options={"partitions": shape.partitions, "worker": f"bench-{number}"},
    )


@contextlib.contextmanager
def _working(assignment: Assignment) -> Iterator[psutil.Process]:
    with tempfile.TemporaryFile() as log:
        worker = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.growth_worker", assignment.to_argument()], stdout=log, stderr=log
        )
        try:
            yield psutil.Process(worker.pid)
            if worker.poll() is not None:
                log.seek(0)
                tail = log.read().decode(errors="replace")[-LOG_CHARS:]
                raise SystemExit(f"the worker ended with {worker.returncode}\n{tail}")
        finally:
            worker.terminate()
            worker.wait(GRACE_S)


@dataclass(frozen=True, slots=True)
class _Moment:
    at_s: float
    committed: int
    cpu_s: float


def _watched(
    bootstrap: str, prefix: str, partitions: int, frames: int, workers: list[psutil.Process]
) -> tuple[_Moment, _Moment]:
    """Return the beginning and the end of the measured part once all is committed."""
    group = Consumer({"bootstrap.servers": bootstrap, "group.id": f"{prefix}bench", "enable.auto.commit": False})
    places = [TopicPartition(prefix + RAW, partition) for partition in range(partitions)]
    began: _Moment | None = None
    ended: _Moment | None = None
    deadline = time.monotonic() + TIMEOUT_S
    committed = 0
    with contextlib.closing(group):
        while committed < frames:
            if time.monotonic() > deadline or any(worker.status() == psutil.STATUS_ZOMBIE for worker in workers):
                raise SystemExit(f"{committed} of {frames} frames were committed within {TIMEOUT_S:.0f} s")
            time.sleep(LOOK_EVERY_S)
            committed = _committed(group, places)
            if began is None and committed >= frames * FROM:
                began = _Moment(time.monotonic(), committed, _cpu_s(workers))
            if ended is None and committed >= frames * TO:
                ended = _Moment(time.monotonic(), committed, _cpu_s(workers))
    assert began is not None
    assert ended is not None
    return began, ended


def _committed(group: Consumer, places: list[TopicPartition]) -> int:
    try:
        return sum(max(0, place.offset) for place in group.committed(places, timeout=10))
    except KafkaException as error:
        if error.args[0].code() in _STARTING:
            return 0
        raise


def _cpu_s(workers: list[psutil.Process]) -> float:
    used = [worker.cpu_times() for worker in workers]
    return sum(times.user + times.system for times in used)


if __name__ == "__main__":
    sys.exit(alone(sections, __doc__))
