"""Record what this version leaves in its changelogs, of records that stand in a real Kafka.

    tricast up --for 60 --data-dir DIR && tricast kafka start --data-dir DIR
    python -m tests.upgrade BOOTSTRAP [--prefix tricast.]

Run it before a release, and whenever the layout of a state changed: recordings of older versions stay.
"""

import argparse
from importlib.metadata import version

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition

from processors.core.processor import Processor
from tests.upgrade.recording import Recording, Row
from tricast.processors import PROCESSORS
from tricast.settings import Settings

MOST, LEAST = 550, 60
"""Records of a task."""
BEFORE = 0.7
"""Share of them until the changelog is taken."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.upgrade", description=__doc__)
    parser.add_argument("bootstrap")
    parser.add_argument("--prefix", default="tricast.")
    arguments = parser.parse_args()
    for name, make in PROCESSORS.items():
        processor: Processor = make(Settings())
        partitions = [_read(arguments.bootstrap, arguments.prefix, topic) for topic in processor.sources]
        records = max((rows for found in partitions for rows in found.values()), key=len)
        if len(records) < LEAST:
            raise SystemExit(f"{name}: only {len(records)} records; let `tricast up` run for longer")
        recording = Recording.make(name, version("tricast"), records, int(len(records) * BEFORE))
        recording.write()
        print(
            f"{recording.path.name}: {len(recording.changelog)} entries, {len(recording.records)} records after them,"
            f" {len(recording.outputs)} outputs, {recording.path.stat().st_size:,} bytes"
        )


def _read(bootstrap: str, prefix: str, topic: str) -> dict[int, list[Row]]:
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "tests.upgrade",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
        }
    )
    known = consumer.list_topics(prefix + topic, 10).topics[prefix + topic].partitions
    consumer.assign([TopicPartition(prefix + topic, number, OFFSET_BEGINNING) for number in known])
    found: dict[int, list[Row]] = {number: [] for number in known}
    unread = set(known)
    while unread:
        message = consumer.poll(10)
        if message is None:
            raise SystemExit(f"nothing to read of {prefix + topic} for 10 s")
        error, number = message.error(), message.partition()
        assert number is not None
        if error is not None:
            if error.code() != KafkaError._PARTITION_EOF:
                raise SystemExit(f"{topic}: {error}")
            unread.discard(number)
        elif len(found[number]) < MOST:
            headers = tuple(
                (header, value if isinstance(value, bytes) else b"") for header, value in message.headers() or ()
            )
            place = (topic, number, message.offset() or 0, message.timestamp()[1])
            found[number].append(Row(*place, message.key(), message.value(), headers))
    consumer.close()
    return found


if __name__ == "__main__":
    main()
