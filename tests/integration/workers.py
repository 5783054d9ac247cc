"""A worker as users run it: a process of its own, with the settings of a test and no others."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

_QUICK: Final = {
    "TRICAST_ENGINE__SESSION_TIMEOUT_S": "6",
    "TRICAST_ENGINE__HEARTBEAT_INTERVAL_S": "0.5",
    "TRICAST_ENGINE__TRANSACTION_TIMEOUT_S": "8",
    "TRICAST_ENGINE__WORKER_NAME": "w0",
}
"""A worker that takes a killed one's place has its partitions within seconds."""


class Worker:
    """A running worker; leaving the context kills it.

    Args:
        processor: Its name.
        bootstrap: Kafka.
        prefix: Of topics and groups.
        folder: Where it runs, and where its log is kept over all its lives.
        settings: Variables of its own.
    """

    def __init__(self, processor: str, *, bootstrap: str, prefix: str, folder: Path, **settings: str) -> None:
        self._processor = processor
        self._log = folder / f"{processor}.log"
        outside = {name: value for name, value in os.environ.items() if not name.startswith("TRICAST_")}
        here = {"TRICAST_KAFKA__BOOTSTRAP_SERVERS": bootstrap, "TRICAST_TOPIC_PREFIX": prefix}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tricast", "work-one", processor],
                cwd=folder,
                env=outside | here | _QUICK | settings,
                stdout=log,
                stderr=log,
            )

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        """End it, in the middle of whatever it does."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """Ask it to end, and see it end well."""
        self._process.terminate()
        assert self.exit_code(30) == 0

    def exit_code(self, patience_s: float) -> int:
        """Wait until it has ended by itself; return what it ended with."""
        return self._process.wait(patience_s)

    def check(self) -> None:
        """Fail when it has ended by itself."""
        log = self._log.read_text(errors="replace")[-4000:]
        assert self._process.poll() is None, f"{self._processor} ended: {log}"
