"""Which dead letters are replayed and which are not; what would come of them; and asking for it."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from importlib.metadata import version

from processors.core.processor import Processor
from processors.engine.task import Partition, StreamTask
from schemas.replay import Position
from tricast.audit.spans import Kafka
from tricast.dlq import reader
from tricast.dlq.dry_run import Outcome, task_of, would_come
from tricast.dlq.guard import refusal
from tricast.dlq.letters import Choice, Letter
from tricast.dlq.oldest import Oldest
from tricast.dlq.requests import completed, lacks, request_of
from tricast.dlq.writer import write
from tricast.processors import PROCESSORS
from tricast.progress import Progress
from tricast.settings import Settings


@dataclass(slots=True)
class Taken:
    """A letter that is replayed; ``outcome``: what would come of it, if that was tried out."""

    letter: Letter
    outcome: Outcome | None = None


@dataclass(slots=True)
class Plan:
    """What is to be done.

    Attributes:
        taken: Letters to be replayed, in order.
        refused: Letters that are not, without their bytes, and why; no more than might be taken.
        refused_more: How many more are not.
        left: How many more were meant than may be taken at once.
        missing: Named positions at which no letter is that is meant.
    """

    taken: list[Taken] = field(default_factory=list)
    refused: list[tuple[Letter, str]] = field(default_factory=list)
    refused_more: int = 0
    left: int = 0
    missing: list[Position] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        """Whether nothing is refused, as far as is known."""
        return not (self.refused or self.missing) and not any(
            one.outcome is not None and one.outcome.refused for one in self.taken
        )


class Replays:
    """Plans replays, tries them out, and asks for them.

    Args:
        settings: Of this process.
        kafka: The cluster.
        even_if_unchanged: Also letters that this version could not process.
    """

    def __init__(self, settings: Settings, kafka: Kafka, *, even_if_unchanged: bool) -> None:
        self._settings = settings
        self._kafka = kafka
        self._even_if_unchanged = even_if_unchanged
        self._version = version("tricast")

    async def plan(self, feeds: Iterable[str], choice: Choice, limit: int, progress: Progress) -> Plan:
        """Return what is to be done with the letters of ``choice``: the oldest ``limit`` that may be replayed."""
        prefix = self._settings.topic_prefix
        plan, oldest, missing = Plan(), Oldest(limit), set(choice.positions)
        async for letter in reader.letters(self._kafka, prefix, feeds, choice, progress):
            missing.discard(letter.position)
            why = refusal(letter, prefix=prefix, version=self._version, even_if_unchanged=self._even_if_unchanged)
            if why is None:
                oldest.put(letter)
            elif len(plan.refused) < limit:
                plan.refused.append((replace(letter, value=b""), why))
            else:
                plan.refused_more += 1
        plan.left, plan.missing = oldest.left, sorted(missing)
        for letter in oldest.letters:
            whole = await completed(self._kafka, letter) if lacks(letter, prefix) else letter
            if isinstance(whole, str):
                plan.refused.append((letter, whole))
            else:
                plan.taken.append(Taken(whole))
        return plan

    async def try_out(self, plan: Plan, now_ms: int, progress: Progress) -> None:
        """Note for each letter what would come of it now; they are tried one after the other, as they would be done."""
        tasks: dict[Partition, StreamTask] = {}
        for one in plan.taken:
            row = request_of(one.letter)
            partition = Partition(row.topic, row.partition)
            task = tasks.get(partition)
            if task is None:
                task = tasks[partition] = await self._task(partition, progress)
            one.outcome = would_come(task, row, now_ms)

    async def ask(self, plan: Plan, rate: float | None, progress: Progress) -> list[str]:
        """Write the requests; return their positions, in the order of the letters."""
        written = 0

        def done(number: int) -> None:
            nonlocal written
            written += number
            progress("asking", written, len(plan.taken))

        rows = (request_of(one.letter) for one in plan.taken)
        return await write(self._settings.kafka.client(), rows, rate=rate, done=done)

    async def _task(self, partition: Partition, progress: Progress) -> StreamTask:
        source = partition.topic.removeprefix(self._settings.topic_prefix)
        processor = self._processor(source)
        task = task_of(processor, partition, self._version)
        changelog = f"{self._settings.topic_prefix}changelog.{processor.name}.{source}"
        await reader.restore(self._kafka, task, changelog, progress)
        return task

    def _processor(self, source: str) -> Processor:
        made = (make(self._settings) for make in PROCESSORS.values())
        return next(processor for processor in made if source in processor.sources)
