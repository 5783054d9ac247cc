"""A temporary SQLite database: what the audit must sort or look up lies there, not in memory."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager


@contextmanager
def scratch_database() -> Iterator[sqlite3.Connection]:
    """Yield a database that is gone afterwards, whatever ends this process: its file never has a name."""
    with closing(sqlite3.connect("", isolation_level=None)) as database:
        # Nothing here must survive: no journal, no waiting for the disk.
        database.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA temp_store=FILE;")
        yield database
