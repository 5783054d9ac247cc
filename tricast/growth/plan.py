"""What has to grow, who must stand still for it, and what stands in the way. Pure."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from processors.core.processor import Processor
from schemas.errors import ConfigurationError
from schemas.topics import TOPICS, Partitions, Topic, registry

GROWING: Final = "growing"
"""Metadata of the offsets of a processor whose state is not divided yet, since before its source began to grow."""
RAW: Final = "kambi.raw"
"""Grows by partitions that are named; the key decides nothing there."""
_GROWN: Final = registry(Partitions(kambi_shards=8, kambi_facts=8, fastpath_actions=8))
_GROWABLE: Final = frozenset(
    name for name, topic in registry(Partitions()).items() if topic.partitions != _GROWN[name].partitions
)
FACTS: Final = frozenset(name for name in _GROWABLE if _GROWN[name].content == "events")
"""Topics that grow and whose keys move by that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """One topic that gets more partitions.

    Attributes:
        topic: Its registry entry, with the count that is wanted.
        have: Partitions in Kafka now.
    """

    topic: Topic
    have: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a consumer group stands to one topic.

    Attributes:
        group: Its name.
        members: Client ids of its members.
        offsets: What it committed there, by partition.
        behind: Partitions with records that it has not read.
        marked: Whether an offset there is marked ``GROWING``.
        begins: Where each partition begins.
        ends: Where each ends.
    """

    group: str
    members: tuple[str, ...]
    offsets: Mapping[int, int]
    behind: tuple[int, ...]
    marked: bool
    begins: Mapping[int, int]
    ends: Mapping[int, int]

    def places(self, *, new_at_end: bool = False) -> dict[int, int]:
        """Return where the group goes on in each partition; where it committed nothing, at its beginning (or end)."""
        return (dict(self.ends) if new_at_end else dict(self.begins)) | dict(self.offsets)

    @property
    def alive(self) -> str:
        """That it has members, in words; empty when it has none."""
        names = ", ".join(sorted(self.members))
        return f"group {self.group} has living members ({names}): stop them" if names else ""


def caution(processor: Processor, registry: Mapping[str, Topic]) -> str:
    """Return what to know before ``processor`` begins at the earliest of its sources again; empty when it is nothing.

    Args:
        processor: Which.
        registry: With the counts of this deployment.
    """
    grown = [
        name for name in processor.sources if name in FACTS and registry[name].partitions > TOPICS[name].partitions
    ]
    if not grown:
        return ""
    return (
        f"{', '.join(grown)}: more partitions than in the beginning, and Kafka does not say since when. While it keeps"
        " facts from before they grew, two tasks would fold one key: wait until retention has taken those, or reset to"
        " what is committed"
    )


def changelog_of(processor: Processor, source: str) -> str:
    """Return the registry name of a changelog."""
    return f"changelog.{processor.name}.{source}"


def growths(wanted: Mapping[str, Topic], have: Mapping[str, int]) -> list[Growth]:
    """Return what has to grow, changelogs included.

    Args:
        wanted: The registry with the counts that are wanted.
        have: Partitions in Kafka by registry name; a topic that is missing is left out.

    Raises:
        ConfigurationError: A topic is missing, cannot grow, would shrink, or get no multiple of what it has.
    """
    found = []
    for name, topic in wanted.items():
        if name not in have:
            raise ConfigurationError(f"topic {name} is not there", action="`tricast topics create`")
        if have[name] == topic.partitions:
            continue
        counts = f"{name} has {have[name]} partitions, {topic.partitions} are wanted"
        if name not in _GROWABLE:
            raise ConfigurationError(f"{counts}: it cannot grow", action="docs/deployment.md says why, and what can")
        if have[name] > topic.partitions:
            raise ConfigurationError(
                f"{counts}: topics never shrink", action="set what Kafka has (TRICAST_PARTITIONS__…)"
            )
        if name in FACTS and topic.partitions % have[name]:
            raise ConfigurationError(f"{counts}: that is no multiple", action=f"choose a multiple of {have[name]}")
        found.append(Growth(topic=topic, have=have[name]))
    return found


def obstacles(topic: str, ours: Collection[str], readings: Sequence[Reading], passed: Collection[str]) -> Iterator[str]:
    """Yield what stands in the way of more partitions for ``topic``, in words.

    Args:
        topic: Registry name.
        ours: Groups of the processors that read or write it.
        readings: Of these, and of every other group that reads it.
        passed: Others that do not count, by decision of a person.
    """
    for reading in readings:
        if reading.group not in ours and reading.group in passed:
            continue
        if reading.alive:
            yield reading.alive
        elif topic in FACTS and reading.behind:
            where = ", ".join(map(str, reading.behind))
            yield f"group {reading.group} has not read {topic} to the end (partitions {where}): let it, then stop it"


def is_to_divide(processor: Processor, own: Mapping[str, Reading], growing: Collection[str]) -> bool:
    """Return whether the state of a processor of facts has to be divided: it grows, or was not divided yet.

    Of one that never ran, too: it is to begin where its facts grew, for before that keys stand in other partitions.

    Args:
        processor: Which.
        own: How it stands to each source.
        growing: Registry names of what has to grow.
    """
    names = {*processor.sources, *(changelog_of(processor, name) for name in processor.sources)}
    return not names.isdisjoint(growing) or any(reading.marked for reading in own.values())


def unready(processor: Processor, own: Mapping[str, Reading], growing: Collection[str]) -> Iterator[str]:
    """Yield why a state cannot be divided now; see ``is_to_divide``."""
    for name, reading in own.items():
        if reading.alive:
            yield reading.alive
        if name not in growing and reading.behind and not reading.marked:
            yield (
                f"{name} grew, by whatever means, before group {reading.group} had read it to the end:"
                f" `tricast reset {processor.name}`"
            )
