"""The reader whose eyes count: follows every topic with ``read_committed`` while the faults happen.

    python -m tests.chaos.checker.follow FOLDER --bootstrap HOST:PORT --prefix PREFIX

Writes ``FOLDER/records.sqlite``. At SIGTERM it reads on to what the partitions end with then, and exits 0; 1 when it
came no further for a minute.
"""

import argparse
import signal
import sys
import time
from pathlib import Path

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from tests.chaos.checker.cabinet import Cabinet
from tests.chaos.checker.record import Record

DATABASE = "records.sqlite"
PATIENCE_S = 60.0
_FEEDS = ("kambi.", "fastpath.", "rms.")
_ASK_S = 5.0
_LOOK_FOR_TOPICS_S = 5.0

_CLIENT: dict[str, str | int | bool] = {
    "isolation.level": "read_uncommitted",
    "enable.auto.commit": False,
    "log_level": 2,
    "log.connection.close": False,
    "reconnect.backoff.max.ms": 2000,
}


class Follower:
    """Reads each partition from where the cabinet has it.

    Args:
        bootstrap: Brokers.
        prefix: Of the topics that count; those of changelogs do not.
        cabinet: Where records go.
    """

    def __init__(self, bootstrap: str, prefix: str, cabinet: Cabinet) -> None:
        self._bootstrap = bootstrap
        self._prefix = prefix
        self._cabinet = cabinet
        self._consumer = Consumer(
            _CLIENT
            | {
                "bootstrap.servers": bootstrap,
                "group.id": f"{prefix}checker",
                "isolation.level": "read_committed",
                "auto.offset.reset": "earliest",
                "enable.partition.eof": True,
                "fetch.message.max.bytes": 9 * 1024 * 1024,
                "queued.max.messages.kbytes": 65536,
            }
        )
        self._known: set[tuple[str, int]] = set()
        self._reached: dict[tuple[str, int], int] = {}
        self._looked_s = 0.0

    def step(self) -> int:
        """Read what there is; return how many records that was."""
        if time.monotonic() - self._looked_s > _LOOK_FOR_TOPICS_S:
            self.look()
        if not self._known:
            time.sleep(0.2)
            return 0
        records = [self._record(message) for message in self._consumer.consume(5_000, 0.5) if self._is_record(message)]
        return self._cabinet.put(records)

    def look(self) -> None:
        """Take up partitions that are new."""
        self._looked_s = time.monotonic()
        try:
            listed = self._consumer.list_topics(timeout=_ASK_S).topics
        except KafkaException:
            return
        found = {
            (name, partition)
            for name, topic in listed.items()
            if name.startswith(tuple(self._prefix + feed for feed in _FEEDS))
            for partition in topic.partitions
        }
        new = found - self._known
        if new:
            at = self._cabinet.positions()
            self._consumer.incremental_assign(
                [
                    TopicPartition(name, part, at.get((name.removeprefix(self._prefix), part), OFFSET_BEGINNING))
                    for name, part in sorted(new)
                ]
            )
            self._known |= new

    def finish(self) -> bool:
        """Read to what the partitions end with now; return whether that was reached."""
        self.look()
        ends = self._ends()
        waits_until = time.monotonic() + PATIENCE_S
        while any(self._reached.get(place, 0) < end for place, end in ends.items()):
            if self.step():
                waits_until = time.monotonic() + PATIENCE_S
            elif time.monotonic() > waits_until:
                return False
        return True

    def close(self) -> None:
        """Leave Kafka."""
        self._consumer.close()

    def _ends(self) -> dict[tuple[str, int], int]:
        # Of a reader with read_committed an end is the last stable offset; here what is still open counts, too.
        asker = Consumer(_CLIENT | {"bootstrap.servers": self._bootstrap, "group.id": f"{self._prefix}checker-ends"})
        ends: dict[tuple[str, int], int] = {}
        deadline = time.monotonic() + PATIENCE_S
        while left := self._known - ends.keys():
            for name, partition in sorted(left):
                try:
                    asker.list_topics(name, timeout=_ASK_S)  # or librdkafka goes on saying that it had no leader
                    _, ends[name, partition] = asker.get_watermark_offsets(TopicPartition(name, partition), _ASK_S)
                except KafkaException:
                    if time.monotonic() > deadline:
                        raise
        asker.close()
        return ends

    def _is_record(self, message: Message) -> bool:
        error = message.error()
        # The end of a partition lies behind its transaction markers, which are no messages.
        if error is not None and error.code() == KafkaError._PARTITION_EOF:
            topic, partition, offset = _place(message)
            self._reached[topic, partition] = offset
        return error is None

    def _record(self, message: Message) -> Record:
        headers = {name: content for name, content in message.headers() or () if isinstance(content, bytes)}
        topic, partition, offset = _place(message)
        key, value = message.key(), message.value()
        return Record(
            topic=topic.removeprefix(self._prefix),
            partition=partition,
            offset=offset,
            timestamp_ms=message.timestamp()[1],
            key=key.encode() if isinstance(key, str) else key,
            value=value.encode() if isinstance(value, str) else value,
            headers=headers,
        )


def _place(message: Message) -> tuple[str, int, int]:
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    assert topic is not None
    assert partition is not None
    assert offset is not None
    return topic, partition, offset


def main() -> int:
    """Follow until SIGTERM, then to the end."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.checker.follow", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--prefix", required=True)
    arguments = parser.parse_args()
    ends: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: ends.append(number))
    follower = Follower(arguments.bootstrap, arguments.prefix, Cabinet(arguments.folder / DATABASE))
    while not ends:
        follower.step()
    reached = follower.finish()
    follower.close()
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
