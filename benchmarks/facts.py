"""What feeds' processors write, as the source of others: their cores run in memory over the frames of the road."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks import fastpath_frames, road_frames
from benchmarks.road_frames import Frame
from benchmarks.sizes import Record
from processors.core.fastpath.processor import FastpathProcessor
from processors.core.kambi.processor import KambiProcessor
from processors.core.processor import Processor
from processors.engine.cycle import Partitioner
from processors.engine.task import Batch, Partition, StreamTask
from schemas.topics import TOPICS

_ENDLESS = 10**9


@dataclass(frozen=True, slots=True)
class Facts:
    """Records that a processor makes of its source, for one of its outputs.

    Attributes:
        processor: Makes a new one.
        source: Topic of ``frames``.
        frames: Makes records of it, until so many of them are frames.
        topic: The output.
    """

    processor: Callable[[], Processor]
    source: str
    frames: Callable[[int], Iterator[Frame]]
    topic: str

    def __call__(self, count: int) -> Iterator[Frame]:
        """Yield the first ``count`` records of the output."""
        partitioner = Partitioner()
        partitioner.set_count(self.topic, TOPICS[self.topic].partitions, TOPICS[self.topic].partition_until)
        tasks: dict[int, StreamTask] = {}
        left = count
        for partition, key, value, headers in self.frames(_ENDLESS):
            task = tasks.get(partition)
            if task is None:
                task = tasks[partition] = self._task(partition)
            received_ms = int(dict(headers)["tc-received-ns"]) // 1_000_000
            record = Record(self.source, partition, task.position, received_ms, key, value, headers)
            task.process(Batch(0, task.position, task.position + 1, [record]))
            task.store.take_changes()
            for topic, fact_key, fact, fact_headers, _ in task.take_outputs():
                if topic == self.topic and fact_key is not None and fact is not None:
                    yield partitioner.partition(topic, fact_key), fact_key, fact, fact_headers
                    left -= 1
                    if not left:
                        return

    def _task(self, partition: int) -> StreamTask:
        processor = self.processor()
        outputs = (*processor.outputs, f"{processor.feed}.dead-letters")
        return StreamTask(
            Partition(self.source, partition),
            processor,
            topics={name: TOPICS[name] for name in outputs},
            version="bench",
            stop_ratio=1.0,
            window=1_000,
        )


OFFERS = Facts(KambiProcessor, "kambi.raw", road_frames.frames, "kambi.offers")
ACTIONS = Facts(FastpathProcessor, "fastpath.raw", fastpath_frames.frames, "fastpath.actions")
