"""How far everybody is, asked once a second of the brokers, by another client library than the product's."""

import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, Final

from confluent_kafka import OFFSET_END, Consumer, KafkaException, TopicPartition

from tests.chaos.history import History

_EVERY_S: Final = 1.0
_PATIENCE_S: Final = 3.0
_QUIET: Final = {"log_level": 0, "log.connection.close": False, "enable.auto.commit": False}

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
        self._high = _consumer(bootstrap, "sampler", "read_uncommitted")
        self._stable = _consumer(bootstrap, "sampler", "read_committed")
        # Of a transaction that is not settled yet a coordinator that has just started would tell what was before it.
        self._committed = {group: _consumer(bootstrap, group, "read_committed") for group in groups}
        self._partitions = [(topic, number) for topic, count in topics.items() for number in range(count)]
        self._groups = {
            group: [(source, number) for source in sources for number in range(topics[source])]
            for group, sources in groups.items()
        }
        self._history = history
        self.quit = threading.Event()
        self.latest: dict[str, Any] = {}

    def run(self) -> None:
        with ThreadPoolExecutor(len(self._committed) + 2) as each:
            while not self.quit.wait(_EVERY_S - time.time() % _EVERY_S):
                taken = self.take(each)
                if not taken["unanswered"]:
                    self.latest = taken
                self._history.add("sample", **taken)
        for consumer in (self._high, self._stable, *self._committed.values()):
            consumer.close()

    def take(self, each: Executor) -> dict[str, Any]:
        """Return what brokers say now: ``committed`` by group, ``high`` and ``stable`` ends, by partition.

        What had no answer is not there; ``unanswered`` says why.
        """
        asked = {
            "high": each.submit(self._ends, self._high),
            "stable": each.submit(self._ends, self._stable),
            **{group: each.submit(self._told, group) for group in self._committed},
        }
        answers: dict[str, Offsets] = {}
        unanswered: dict[str, str] = {}
        for name, answer in asked.items():
            try:
                answers[name] = answer.result()
            except KafkaException as error:
                unanswered[name] = str(error)[:200]
        ends = {name: answers.pop(name) for name in ("high", "stable") if name in answers}
        return {"committed": answers, **ends, "unanswered": unanswered}

    def _told(self, group: str) -> Offsets:
        return _offsets(self._committed[group].committed(_places(self._groups[group]), _PATIENCE_S))

    def _ends(self, consumer: Consumer) -> Offsets:
        # Not AdminClient.list_offsets: librdkafka 2.x crashes when a broker does not answer that in time.
        wanted = [TopicPartition(topic, number, OFFSET_END) for topic, number in self._partitions]
        try:
            return _offsets(consumer.offsets_for_times(wanted, _PATIENCE_S))
        except KafkaException:
            # By itself a consumer that reads nothing may take minutes to hear of a new leader.
            consumer.list_topics(timeout=_PATIENCE_S)
            raise


def _consumer(bootstrap: str, group: str, isolation: str) -> Consumer:
    """It never joins its group: it only asks."""
    return Consumer(_QUIET | {"bootstrap.servers": bootstrap, "group.id": group, "isolation.level": isolation})


def _places(partitions: Sequence[tuple[str, int]]) -> list[TopicPartition]:
    return [TopicPartition(topic, number) for topic, number in partitions]


def _offsets(answered: Sequence[TopicPartition]) -> Offsets:
    for place in answered:
        if place.error is not None:
            raise KafkaException(place.error)
    return {f"{place.topic}/{place.partition}": place.offset for place in answered if place.offset >= 0}
