"""How far everybody is, asked once a second of the brokers, by another client library than the product's."""

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

from confluent_kafka import ConsumerGroupTopicPartitions, IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from tests.chaos.history import History

_EVERY_S: Final = 1.0
_PATIENCE_S: Final = 4.0
_QUIET: Final = {"log_level": 0, "log.connection.close": False}

Offsets = dict[str, int]
"""By ``<physical topic>/<partition>``."""


class Sampler(threading.Thread):
    """Adds a ``sample`` to the history each second; ``latest`` is the last one that had an answer.

    Args:
        bootstrap: Kafka.
        topics: Partition counts by physical name, of the topics whose ends are asked.
        groups: Sources by consumer group.
        history: Where samples go.
    """

    def __init__(
        self, bootstrap: str, topics: Mapping[str, int], groups: Mapping[str, Sequence[str]], history: History
    ) -> None:
        super().__init__(name="sampler", daemon=True)
        self._admin = AdminClient(_QUIET | {"bootstrap.servers": bootstrap})
        self._partitions = [TopicPartition(topic, number) for topic, count in topics.items() for number in range(count)]
        self._groups = {
            group: [TopicPartition(source, number) for source in sources for number in range(topics[source])]
            for group, sources in groups.items()
        }
        self._history = history
        self.quit = threading.Event()
        self.latest: dict[str, Any] = {}

    def run(self) -> None:
        while not self.quit.wait(_EVERY_S - time.time() % _EVERY_S):
            try:
                taken = self.take()
            except KafkaException as error:
                self._history.add("sample", unanswered=str(error)[:200])
            else:
                self.latest = taken
                self._history.add("sample", **taken)

    def take(self) -> dict[str, Any]:
        """Return what brokers say now: ``committed`` by group, ``high`` and ``stable`` by partition.

        Raises:
            KafkaException: They do not answer.
        """
        latest = {partition: OffsetSpec.latest() for partition in self._partitions}
        high = self._admin.list_offsets(latest, request_timeout=_PATIENCE_S)
        stable = self._admin.list_offsets(
            latest, request_timeout=_PATIENCE_S, isolation_level=IsolationLevel.READ_COMMITTED
        )
        groups = {
            group: self._admin.list_consumer_group_offsets(
                [ConsumerGroupTopicPartitions(group, partitions)], request_timeout=_PATIENCE_S
            )[group]
            for group, partitions in self._groups.items()
        }
        committed = {
            group: {
                _name(place): place.offset
                for place in future.result().topic_partitions
                if place.error is None and place.offset >= 0
            }
            for group, future in groups.items()
        }
        return {
            "committed": committed,
            "high": {_name(place): future.result().offset for place, future in high.items()},
            "stable": {_name(place): future.result().offset for place, future in stable.items()},
        }


def _name(place: TopicPartition) -> str:
    return f"{place.topic}/{place.partition}"
