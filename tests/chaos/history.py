"""What happened, in order, one JSON object a line: what the checker knows of a run besides Kafka and the ledgers."""

import json
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self


class History:
    """``history.jsonl`` of a run; any thread may add.

    Args:
        path: Where it is written.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._file.close()

    def add(self, event: str, **facts: Any) -> int:
        """Write an event and return its time, UTC nanoseconds."""
        with self._lock:
            at_ns = time.time_ns()
            self._file.write(json.dumps({"at_ns": at_ns, "event": event, **facts}) + "\n")
            self._file.flush()
        return at_ns


def read(path: Path) -> list[dict[str, Any]]:
    """Return the events of a history, in order."""
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
