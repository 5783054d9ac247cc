"""End an ephemeral cluster when its owner dies, even by SIGKILL.

A child process holds the reading end of a pipe whose writing end only the owner has: end of file means that the owner
is gone. (Linux' parent-death signal would not do: it fires when the *thread* that started the broker ends.)
"""

import subprocess
import sys
from pathlib import Path


class Watchdog:
    """Watches the process that made it, on behalf of the cluster in ``data_dir``."""

    def __init__(self, data_dir: Path) -> None:
        self._child = subprocess.Popen(  # noqa: S603 - our own command line, no shell
            [sys.executable, "-m", "tricast.kafka.outlive", str(data_dir)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def dismiss(self) -> None:
        """The cluster has been stopped; the watchdog finds nothing to do and ends."""
        if self._child.stdin:
            self._child.stdin.close()
        self._child.wait()
