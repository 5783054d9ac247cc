"""Which physical topics a processor reads, writes and keeps its state in."""

from collections.abc import Mapping
from dataclasses import dataclass

from processors.core.processor import Processor
from schemas.topics import Topic


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """Names of one processor's topics on a real Kafka.

    Attributes:
        prefix: Topic prefix setting, e.g. ``tricast.``.
        group: Consumer group id.
        sources: Registry name to physical name.
        outputs: Registry entry of every output, dead letters included, by registry name.
        registry: The topic registry.
    """

    prefix: str
    group: str
    sources: Mapping[str, str]
    outputs: Mapping[str, Topic]
    registry: Mapping[str, Topic]

    def topics(self, processor: Processor) -> dict[str, Topic]:
        """Return every topic the processor reads or writes, by physical name."""
        names = [*self.sources, *self.outputs, *(f"changelog.{processor.name}.{name}" for name in self.sources)]
        return {self.prefix + name: self.registry[name] for name in names}

    @classmethod
    def of(cls, processor: Processor, prefix: str, registry: Mapping[str, Topic]) -> "Topology":
        """Return the topology of ``processor`` under ``prefix``."""
        outputs = (*processor.outputs, f"{processor.feed}.dead-letters")
        return cls(
            prefix=prefix,
            group=prefix + processor.name,
            sources={name: prefix + name for name in processor.sources},
            outputs={name: registry[name] for name in outputs},
            registry=registry,
        )

    def changelogs(self, processor: Processor) -> dict[str, str]:
        """Return physical source topic to physical changelog topic."""
        return {physical: f"{self.prefix}changelog.{processor.name}.{name}" for name, physical in self.sources.items()}
