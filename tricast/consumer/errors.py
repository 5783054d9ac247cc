"""What can keep a reader from its records, each with what to do about it.

EnvironmentFault
├── TopicMissing     Kafka has no such topic
├── MissingRight     this user may not read a topic, or use a group (schemas/errors.py)
└── RecordsGone      what was to be read next is not kept any more
ConfigurationError
└── ExtraMissing     confluent-kafka is not installed
"""

import difflib
from collections.abc import Iterable

from schemas.errors import ConfigurationError, EnvironmentFault
from tricast.consumer.event import Place


class TopicMissing(EnvironmentFault):
    """Kafka has no such topic, or does not show it to this user."""

    code = "consumer.topic-missing"
    retryable = False

    def __init__(self, topic: str, there: Iterable[str]) -> None:
        near = difflib.get_close_matches(topic, list(there), n=1, cutoff=0.9)
        super().__init__(
            f"Kafka has no topic {topic} that this user may see",
            action=f"did you mean {near[0]}?"
            if near
            else "compare the name and its prefix with docs/topics.md; `tricast topics create` makes what is missing",
        )
        self.topic = topic


class RecordsGone(EnvironmentFault):
    """A position lies outside of what Kafka keeps: the reader was away for longer than that, or the topic is new."""

    code = "consumer.records-gone"
    retryable = False

    def __init__(self, place: Place, wanted: int, first: int, end: int) -> None:
        super().__init__(
            f"{place}: to be read next is {wanted}, and Kafka has {first} to {end}",
            action="what lies between is lost to this reader: take the state anew from where you have it, then start "
            "with other positions, or another group",
        )
        self.place = place
        self.wanted = wanted
        self.first = first
        self.end = end


class ExtraMissing(ConfigurationError):
    """The variant for confluent-kafka was asked for without it."""

    code = "consumer.extra-missing"

    def __init__(self) -> None:
        super().__init__(
            "tricast.consumer.confluent needs confluent-kafka, which is not installed",
            action="pip install 'tricast[confluent]', or use tricast.consumer.Reader (aiokafka)",
        )
