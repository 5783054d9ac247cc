"""A topic as a ``read_committed`` reader sees it, once, to its end."""

import time
from collections.abc import Mapping
from contextlib import closing

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition


def committed(bootstrap: str, topic: str, since: Mapping[int, int], *, patience_s: float = 60.0) -> list[Message]:
    """Return what stands in ``topic`` from the offsets ``since`` on, in order by partition.

    Args:
        bootstrap: Servers.
        topic: Its name, prefix included.
        since: Offset by partition; others are not read.
        patience_s: It fails when it has not come to the end by then.
    """
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "reader",
            "isolation.level": "read_committed",
            "enable.partition.eof": True,
            "enable.auto.commit": False,
            "fetch.wait.max.ms": 10,
        }
    )
    left, found = set(since), list[Message]()
    deadline = time.monotonic() + patience_s
    with closing(consumer):
        consumer.assign([TopicPartition(topic, partition, offset) for partition, offset in since.items()])
        while left:
            assert time.monotonic() < deadline, f"{topic}: the ends of {sorted(left)} are not reached"
            for message in consumer.consume(1000, 0.05):
                error = message.error()
                if error is None:
                    found.append(message)
                elif error.code() == KafkaError._PARTITION_EOF:
                    left.discard(message.partition() or 0)
    return sorted(found, key=lambda message: (message.partition() or 0, message.offset() or 0))
