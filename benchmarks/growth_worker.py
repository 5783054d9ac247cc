"""The job on the engine, over any number of partitions and beside other workers: runs until it is terminated."""

import logging
import sys
from types import MappingProxyType

from benchmarks.engine_worker import BenchProcessor
from benchmarks.job import OUT, RAW
from benchmarks.peer import Assignment, Stopwatch
from processors.engine.app import build_app
from processors.engine.config import EngineSettings
from processors.engine.worker import run_worker
from schemas.kafka import KafkaSettings
from schemas.topics import Topic, changelog


def registry(partitions: int) -> MappingProxyType[str, Topic]:
    """Return the job's topics, each of so many partitions."""
    topics = (
        Topic(name=RAW, description="Kambi-shaped frames.", key="shard", partitions=partitions),
        Topic(name=OUT, description="One record per child.", key="event id", partitions=partitions),
        Topic(name="bench.dead-letters", description="Must stay empty.", key="shard", partitions=partitions),
        changelog("bench", RAW, partitions),
    )
    return MappingProxyType({topic.name: topic for topic in topics})


def main() -> None:
    assignment = Assignment.taken()
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    run_worker(
        build_app(
            BenchProcessor(Stopwatch()),
            prefix=assignment.prefix,
            registry=registry(int(assignment.options["partitions"])),
            kafka=KafkaSettings(bootstrap_servers=assignment.bootstrap),
            settings=EngineSettings(worker_name=str(assignment.options["worker"])),
            version="bench",
        )
    )


if __name__ == "__main__":
    main()
