"""Who takes part in the throughput comparison, what each promises, and how its process is started."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from benchmarks.environments import STREAMS, python_of, streams_class_path
from benchmarks.peer import Assignment

STATE_LOST = "its state is a dict and starts empty"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Peer:
    """One row: a worker program with its options.

    Attributes:
        name: In tables.
        module: The program.
        exactly_once: It promises that every output is there once to a ``read_committed`` reader.
        restart: What it has after a crash, in words.
        environment: Name of its own; ``None`` is ours.
        options: Of the program.
        share: Of the frames: fewer keep slow peers' runs as long as ours.
        warm_up: Frames before the clock, as a share of the measured ones.
    """

    name: str
    module: str
    exactly_once: bool
    restart: str
    environment: str | None = None
    options: Mapping[str, bool | int | str] = field(default_factory=dict)
    share: float = 1.0
    warm_up: float = 0.1

    def prepare(self, tell: Callable[[str], None]) -> Callable[[Assignment], Sequence[str]]:
        """Make its environment where that is missing; return what makes the command of an assignment.

        Raises:
            NotMade: The environment is not there and cannot be made.
        """
        if self.environment is None:
            return lambda assignment: [sys.executable, "-m", self.module, assignment.to_argument()]
        if self.environment == STREAMS:
            class_path = streams_class_path(tell)
            return lambda assignment: [
                *(sys.executable, "-m", self.module),
                replace(assignment, options={"class_path": class_path}).to_argument(),
            ]
        python = python_of(self.environment, tell)
        return lambda assignment: [str(python), "-m", self.module, assignment.to_argument()]


ENGINE = Peer(
    name="tricast engine, exactly once",
    module="benchmarks.engine_worker",
    exactly_once=True,
    restart="state and positions are read back from the changelog",
)
STREAMS_JOB = Peer(
    name="Kafka Streams (Java), exactly once",
    module="benchmarks.peers.streams",
    environment=STREAMS,
    exactly_once=True,
    restart="state is read back from the changelog into RocksDB (an unclean end wipes the local store)",
    warm_up=1.0,
)
CONFLUENT_CHANGELOG = Peer(
    name="confluent-kafka, transactional, changelog",
    module="benchmarks.peers.confluent_loop",
    environment="confluent",
    options={"transactional": True, "changelog": True},
    exactly_once=True,
    restart="its state is in the changelog, but it has no code that would read it back",
)
CONFLUENT_TRANSACTIONAL = Peer(
    name="confluent-kafka, transactional",
    module="benchmarks.peers.confluent_loop",
    environment="confluent",
    options={"transactional": True},
    exactly_once=True,
    restart=STATE_LOST,
)
CONFLUENT_AT_LEAST_ONCE = Peer(
    name="confluent-kafka, at least once",
    module="benchmarks.peers.confluent_loop",
    environment="confluent",
    exactly_once=False,
    restart=f"what was not committed is done again; {STATE_LOST}",
)
AIOKAFKA = Peer(
    name="aiokafka, transactional",
    module="benchmarks.peers.aiokafka_loop",
    environment="aiokafka",
    exactly_once=True,
    restart=STATE_LOST,
)
QUIX_EXACTLY_ONCE = Peer(
    name="Quix Streams, exactly once",
    module="benchmarks.peers.quix_app",
    environment="quix",
    options={"guarantee": "exactly-once"},
    exactly_once=True,
    restart="RocksDB on disk, or the changelog where the disk is new",
    share=0.3,
)
QUIX_AT_LEAST_ONCE = Peer(
    name="Quix Streams, at least once",
    module="benchmarks.peers.quix_app",
    environment="quix",
    options={"guarantee": "at-least-once"},
    exactly_once=False,
    restart="what was not committed is done again, on a state that may have it already",
    share=0.3,
)
BYTEWAX = Peer(
    name="bytewax, at least once",
    module="benchmarks.peers.bytewax_flow",
    environment="bytewax",
    exactly_once=False,
    restart="positions and state of the last epoch, from SQLite; outputs since then are there again",
)
ARROYO = Peer(
    name="arroyo, at least once",
    module="benchmarks.peers.arroyo_processor",
    environment="arroyo",
    exactly_once=False,
    restart=f"what was not committed is done again; {STATE_LOST}",
    share=0.3,
)
FAUST = Peer(
    name="stock Faust, at least once",
    module="benchmarks.peers.faust_agent",
    environment="faust",
    exactly_once=False,
    restart=f"what was not committed is done again; {STATE_LOST}",
    share=0.1,
)
FAUST_TUNED = Peer(
    name="Faust with tuned settings, at least once",
    module="benchmarks.peers.faust_agent",
    environment="faust",
    options={"tuned": True},
    exactly_once=False,
    restart=f"what was not committed is done again; {STATE_LOST}",
    share=0.15,
)
PEERS = (
    ENGINE,
    STREAMS_JOB,
    CONFLUENT_CHANGELOG,
    CONFLUENT_TRANSACTIONAL,
    CONFLUENT_AT_LEAST_ONCE,
    AIOKAFKA,
    QUIX_EXACTLY_ONCE,
    QUIX_AT_LEAST_ONCE,
    BYTEWAX,
    ARROYO,
    FAUST,
    FAUST_TUNED,
)
