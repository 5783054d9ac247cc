"""A temporary SQLite file: what the audit must sort or look up lies there, not in memory."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path


@contextmanager
def scratch_database() -> Iterator[sqlite3.Connection]:
    """Yield a database that is gone afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix="tricast-audit-") as directory,
        closing(sqlite3.connect(Path(directory) / "scratch.sqlite", isolation_level=None)) as database,
    ):
        # Nothing here must survive: no journal, no waiting for the disk.
        database.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA temp_store=FILE;")
        yield database
