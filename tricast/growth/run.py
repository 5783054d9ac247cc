"""Grow topics: in an order in which whoever is killed, or starts too early, meets a refusal and never a half.

Offsets marked ``GROWING`` say that a processor had read its source to the end when that grew, and that its state is not
divided yet. A new partition whose group has an offset, and whose changelog no checkpoint, is opened by no worker.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from processors.core.processor import Processor
from processors.engine.task import Partition
from schemas.errors import ContractError
from schemas.kafka import KafkaSettings
from schemas.topics import Topic
from tricast.audit.spans import Kafka
from tricast.growth.cluster import Cluster
from tricast.growth.divide import Division
from tricast.growth.plan import (
    FACTS,
    GROWING,
    RAW,
    Growth,
    Reading,
    changelog_of,
    growths,
    is_to_divide,
    obstacles,
    unready,
)
from tricast.progress import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be done.

    Attributes:
        growths: Topics that get more partitions.
        divided: Processors whose state is divided.
        ends: Where each partition of the facts that grow ends: of a key that moves, all before that is older.
        obstacles: Why it cannot be done now.
    """

    growths: Sequence[Growth]
    divided: Sequence[Processor]
    ends: Mapping[Partition, int]
    obstacles: Sequence[str]


class Grow:
    """Plans and does the growth of one deployment's topics.

    Args:
        kafka: How to reach Kafka, as a user that may alter topics and commit offsets of every group.
        prefix: Of topics and groups.
        wanted: The registry with the counts that are wanted.
        processors: All there are.
        passed: Consumer groups whose position does not count.
        progress: Told how far it is.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        *,
        prefix: str,
        wanted: Mapping[str, Topic],
        processors: Sequence[Processor],
        passed: Collection[str],
        progress: Progress,
    ) -> None:
        self._kafka, self._prefix, self._wanted = kafka, prefix, wanted
        self._processors, self._passed, self._progress = processors, passed, progress
        self._spans = Kafka(kafka.client(), timeout_s=30)
        self._cluster = Cluster(kafka, self._spans)

    async def plan(self) -> Plan:
        """Return what would be done; changes nothing.

        Raises:
            ConfigurationError: It can never be done.
            EnvironmentFault: Kafka cannot be asked.
        """
        growing = growths(self._wanted, await self._counts())
        names = {growth.topic.name for growth in growing}
        folding = [each for each in self._processors if FACTS.issuperset(each.sources)]
        grown = sorted(names & {*FACTS, RAW})
        asked = {*grown, *(name for processor in folding for name in processor.sources)}
        readings = await self._readings(asked)
        found: list[str] = []
        for name in grown:
            found += obstacles(name, self._ours(name), readings[name], self._passed)
        divided = []
        for processor in folding:
            group = self._prefix + processor.name
            own = {name: next(one for one in readings[name] if one.group == group) for name in processor.sources}
            if is_to_divide(processor, own, names):
                divided.append(processor)
                found += unready(processor, own, names)
        ends = {
            Partition(self._prefix + name, number): end
            for name in grown
            if name in FACTS
            for number, end in readings[name][0].ends.items()
        }
        return Plan(growths=growing, divided=divided, ends=ends, obstacles=list(dict.fromkeys(found)))

    async def do(self, plan: Plan) -> int:
        """Carry out a plan; return how many entries of states moved.

        Raises:
            ContractError: Something stands in the way.
            EnvironmentFault: Kafka refuses; begin again when it does not.
        """
        if plan.obstacles:
            raise ContractError("; ".join(plan.obstacles), action="nothing was changed")
        sources = [growth for growth in plan.growths if growth.topic.content != "state"]
        changelogs = {growth.topic.name: growth for growth in plan.growths if growth.topic.content == "state"}
        growing = {growth.topic.name for growth in sources}
        for processor in plan.divided:
            await self._mark(processor, new_at_end=growing)
        await self._grow(sources)
        for processor in plan.divided:
            await self._mark(processor)
        # As long as their changelogs are left to grow, this may be left, too.
        await self._begin(
            {name for each in self._processors for name in each.sources if changelog_of(each, name) in changelogs}
        )
        await self._grow(list(changelogs.values()))
        return sum([await self._divide(processor) for processor in plan.divided])

    # -- steps ---------------------------------------------------------------------------------------------------------

    async def _mark(self, processor: Processor, new_at_end: Collection[str] = ()) -> None:
        for name, reading in (await self._own(processor)).items():
            places = reading.places(new_at_end=name in new_at_end)
            await self._cluster.commit(reading.group, self._prefix + name, places, GROWING)

    async def _grow(self, growing: Sequence[Growth]) -> None:
        if growing:
            self._progress(f"growing {', '.join(growth.topic.name for growth in growing)}", 0, 0)
            await self._cluster.grow({self._prefix + one.topic.name: one.topic.partitions for one in growing})

    async def _begin(self, names: Collection[str]) -> None:
        """Have other groups begin new partitions at their beginning, whatever their clients do without an offset."""
        for name, readings in (await self._readings(names)).items():
            ours = self._ours(name)
            for reading in readings:
                if reading.group not in ours and not reading.members:
                    await self._cluster.commit(reading.group, self._prefix + name, reading.places())

    async def _divide(self, processor: Processor) -> int:
        prefix = self._prefix
        offsets = {
            Partition(prefix + name, number): offset
            for name, reading in (await self._own(processor)).items()
            for number, offset in reading.offsets.items()
        }
        changelogs = {prefix + name: prefix + changelog_of(processor, name) for name in processor.sources}
        division = Division(self._kafka, self._spans, prefix + processor.name, self._progress)
        return await division.do(changelogs, offsets)

    # -- what there is -------------------------------------------------------------------------------------------------

    async def _counts(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for tp in await self._spans.partitions(*(self._prefix + name for name in self._wanted)):
            name = tp.topic.removeprefix(self._prefix)
            counts[name] = counts.get(name, 0) + 1
        return counts

    def _ours(self, name: str) -> set[str]:
        """Return the groups of the processors that read or write a topic."""
        return {self._prefix + each.name for each in self._processors if name in (*each.sources, *each.outputs)}

    async def _readings(self, names: Collection[str]) -> dict[str, list[Reading]]:
        """Return how all groups stand to topics: ours, and those that committed something of them."""
        if not names:
            return {}
        ours = {name: self._ours(name) for name in sorted(names)}
        groups = sorted({*await self._cluster.groups(), *(group for own in ours.values() for group in own)})
        found = await self._cluster.readings([self._prefix + name for name in ours], groups)
        return {
            name: [one for one in found[self._prefix + name] if one.offsets or one.group in own]
            for name, own in ours.items()
        }

    async def _own(self, processor: Processor) -> dict[str, Reading]:
        topics = [self._prefix + name for name in processor.sources]
        found = await self._cluster.readings(topics, [self._prefix + processor.name])
        return {name: found[self._prefix + name][0] for name in processor.sources}
