"""When each record reached its source topic, as the checker's reader kept it: what recovery is measured from."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Final

from tests.chaos.recovery import Arrivals

RECORDS: Final = "records.sqlite"
_MILLISECOND_NS: Final = 1_000_000
_ASKED: Final = """
SELECT partition, position, timestamp_ms, json_extract(headers, '$."tc-received-ns"'),
json_extract(headers, '$."tc-kind"') FROM records WHERE topic = ?
"""


def arrivals(records: Path, sources: Iterable[str], prefix: str) -> Arrivals:
    """Return when the records of ``sources``, topics by their physical names, came.

    Of raw topics only frames count: control records come whether or not a vendor is heard.
    """
    found: dict[str, list[tuple[int, int]]] = defaultdict(list)
    with closing(sqlite3.connect(f"{records.absolute().as_uri()}?mode=ro", uri=True)) as database:
        for source in sources:
            for partition, offset, timestamp_ms, received_ns, kind in database.execute(
                _ASKED, (source.removeprefix(prefix),)
            ):
                if received_ns is None:
                    found[f"{source}/{partition}"].append((timestamp_ms * _MILLISECOND_NS, offset))
                elif kind == "frame":
                    found[f"{source}/{partition}"].append((int(received_ns), offset))
    return {place: sorted(of_place) for place, of_place in found.items()}
