"""One stream task of the engine, run over records without Kafka, Faust or a group.

State, repeats, rollback of a failed record, dead letters: all of it is ``StreamTask``'s, so what comes out is what the
engine would write. Only its cycles are missing, which never show in what is written.
"""

from collections.abc import Iterator, Mapping, Sequence

from processors.core.processor import Processor, SourceRecord
from processors.engine.changelog import REPEATS_PREFIX, STATE_PREFIX, state_records
from processors.engine.cycle import Partitioner
from processors.engine.task import Batch, Partition, StreamTask
from schemas.topics import Topic
from tricast.replay.written import Written

_NEVER_STOPS = 2.0
"""Both a hole and its record may fail; a replay shows what a broken core does, to the end."""
_WINDOW = 1


class Player:
    """Runs one source partition of one processor.

    Args:
        processor: The pure core.
        partition: Source partition, physical name.
        begin: First offset that will be played.
        outputs: Registry entries by registry name, dead letters included.
        version: For dead letters.
        partitioner: Knows the partition counts of the outputs, by registry name.
    """

    def __init__(
        self,
        processor: Processor,
        partition: Partition,
        *,
        begin: int,
        outputs: Mapping[str, Topic],
        version: str,
        partitioner: Partitioner,
    ) -> None:
        self._task = StreamTask(
            partition, processor, topics=dict(outputs), version=version, stop_ratio=_NEVER_STOPS, window=_WINDOW
        )
        self._task.position = begin
        self._repeats: dict[bytes, bytes] = {}
        self._partitioner = partitioner

    def play(self, records: Sequence[SourceRecord], end: int) -> list[Written]:
        """Process consecutive records; return what they wrote, in order.

        Args:
            records: The next ones of the partition.
            end: Offset that is covered with them: of the next record, or higher where there is none.
        """
        task = self._task
        task.process(Batch(0, task.position, end, records))
        # The changelog is not written here; what it would get is let go, or memory would grow with the window.
        for key, value in state_records(task.repeats.take_changes(), task.store.take_changes()):
            if key.startswith(REPEATS_PREFIX) and value is not None:
                self._repeats[key] = value
        return [
            Written(
                topic=topic,
                partition=self._partitioner.partition(topic, key),
                key=key,
                value=value,
                headers=headers,
                timestamp=timestamp,
            )
            for topic, key, value, headers, timestamp in task.take_outputs()
        ]

    def state(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield the state as the changelog has it, folded."""
        yield from self._repeats.items()
        for key, value in self._task.store.items():
            yield STATE_PREFIX + key, value

    @property
    def failures(self) -> int:
        """Records that ended with an exception of the processor."""
        return self._task.counts.failures
