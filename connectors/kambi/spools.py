"""Where the spools of a connector lie: one file for each raw partition, shard count and replica.

The shard count is in the name because what was recorded under another count has to be in Kafka, and processed, before
lines of this one begin.
"""

import re
from collections.abc import Sequence
from math import inf
from pathlib import Path

from connectors.backlog import Backlog
from connectors.kambi.config import KambiSettings
from connectors.producer import RawWriter
from connectors.sink import FrameSink
from schemas.topics import KAMBI_SETTLEMENTS_PARTITION


class Spools:
    """The files of one connector's settings.

    Args:
        settings: Directory, bound, shard count, replica.
        topic: Physical name of the raw topic.
    """

    def __init__(self, settings: KambiSettings, *, topic: str) -> None:
        self._settings = settings
        self._topic = topic
        self._ending = f".{settings.replica}.sqlite" if settings.replica else ".sqlite"

    def backlog(self, partition: int) -> Backlog | None:
        """Return where records of ``partition`` wait when Kafka is away; ``None``: the spool is switched off."""
        if not self._settings.spool_bytes:
            return None
        # Settlements have no shards, whatever the count.
        shards = "" if partition == KAMBI_SETTLEMENTS_PARTITION else f"of{self._settings.shards}"
        return self._at(self._settings.spool_dir / f"{self._topic}-{partition}{shards}{self._ending}")

    def left_by_another_count(self) -> Sequence[tuple[int, Backlog]]:
        """Return partition and content of what a connector with another shard count left."""
        name = re.compile(rf"{re.escape(self._topic)}-(\d+)of(\d+){re.escape(self._ending)}")
        found = []
        for path in sorted(self._settings.spool_dir.glob("*.sqlite")):
            match = name.fullmatch(path.name)
            if match and int(match[2]) != self._settings.shards:
                found.append((int(match[1]), self._at(path)))
        return found

    def _at(self, path: Path) -> Backlog:
        return Backlog(path, max_bytes=self._settings.spool_bytes)


async def drain(backlog: Backlog, writer: RawWriter) -> None:
    """Return when all of ``backlog`` is in Kafka; ``writer`` is closed then.

    Raises:
        SpoolLocked: Another process has the file.
    """
    sink = FrameSink(writer, max_bytes=1, backlog=backlog, patience_s=inf)
    try:
        await sink.open()
        sink.close()
        await sink.run()
    finally:
        await sink.release()
        await writer.close()
