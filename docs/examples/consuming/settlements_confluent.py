"""Keep every settled outcome once, in a database: positions are stored with the results, so nothing is done twice.

Needs ``tricast[confluent]``. Try it: ``python settlements_confluent.py 127.0.0.1:9092 tricast. settled.sqlite``.
"""

import contextlib
import sqlite3
import sys

from schemas.kambi.settlements import OutcomeSettled
from tricast.consumer import Done, KafkaSettings, Place
from tricast.consumer.confluent import Reader

TOPIC = "kambi.settlements"
TABLES = """
CREATE TABLE IF NOT EXISTS settled (outcome INTEGER, status TEXT, at TEXT, source TEXT, id TEXT);
CREATE TABLE IF NOT EXISTS positions (topic TEXT, partition INTEGER, next INTEGER, PRIMARY KEY (topic, partition));
"""


def main(bootstrap_servers: str, prefix: str, file: str, most: int | None = None) -> None:
    """Store settlements; ``most``: how many records are read."""
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.executescript(TABLES)
        stored = database.execute("SELECT topic, partition, next FROM positions")
        done = Done({Place(topic, partition): position for topic, partition, position in stored})
        kafka = KafkaSettings(bootstrap_servers=bootstrap_servers)
        with Reader(kafka, TOPIC, prefix=prefix, positions=done.next_offsets) as reader:
            for event in reader:
                if done.is_new(event):
                    with database:  # one transaction: the result and how far we are, or neither
                        if isinstance(settled := event.data, OutcomeSettled):
                            status = settled.status or "unknown"
                            row = (settled.outcome_id, status, str(event.time), event.source, event.id)
                            database.execute("INSERT INTO settled VALUES (?, ?, ?, ?, ?)", row)
                            print(f"outcome {settled.outcome_id}: {status}")
                        position = (*event.place, event.offset + 1)
                        database.execute("INSERT OR REPLACE INTO positions VALUES (?, ?, ?)", position)
                if most is not None and (most := most - 1) <= 0:
                    return


if __name__ == "__main__":
    servers, prefix, file, *most = sys.argv[1:]
    with contextlib.suppress(KeyboardInterrupt):
        main(servers, prefix, file, *map(int, most))
