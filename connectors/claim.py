"""One connector at a time: lock files in the spool directory, held as long as its process lives.

Two with the same settings would write under the same line names, which nobody notices while Kafka is well: lines seem
to lose and find each other's connections. The kernel lets go of a lock when its process ends, however it ends; so the
files may stay, and say only who held them last.
"""

import contextlib
import fcntl
import logging
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, TextIO

from schemas.errors import EnvironmentFault

log = logging.getLogger(__name__)

WAIT_S: Final = 5.0
"""How long to wait for one that just ends."""
_POLL_S: Final = 0.05


class AlreadyRunning(EnvironmentFault):
    """Another process runs the same connector here."""

    code = "already-running"
    retryable = False


@contextmanager
def claimed(directory: Path, names: Iterable[str], *, feed: str, wait_s: float = WAIT_S) -> Iterator[None]:
    """Hold the lock of each of ``names`` in ``directory``, spool or not.

    A directory that cannot be used is told and no reason to record nothing, as with the spool itself.

    Args:
        directory: Made when it is not there.
        names: What only one process may write: topic, partition, replica.
        feed: Whose settings could tell two connectors apart.
        wait_s: Time for all of them, seconds.

    Raises:
        AlreadyRunning: Another process held one of them all that time.
    """
    deadline_s = time.monotonic() + wait_s
    with ExitStack() as held:
        for name in sorted(names):  # in one order: two that start together must not each hold a part
            path = directory / f"{name}.lock"
            try:
                directory.mkdir(parents=True, exist_ok=True)
                file = held.enter_context(path.open("a+", encoding="utf-8"))
                is_ours = _locked(file, deadline_s)
            except OSError as error:
                log.error(
                    "connector.unclaimed path=%s error=%s Operator action: nothing stops a second connector with these "
                    "settings; look at the directory: may this process write there?",
                    path,
                    error,
                )
                continue
            if not is_ours:
                raise AlreadyRunning(
                    f"{path}: another connector with these settings runs ({_holder(file)})",
                    action=f"stop the other one first; for a hot standby set TRICAST_{feed.upper()}__REPLICA, for a "
                    f"connector of another offering or account TRICAST_{feed.upper()}__SPOOL_DIR",
                )
        yield


def _locked(file: TextIO, deadline_s: float) -> bool:
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline_s:
                return False
            time.sleep(_POLL_S)
        else:
            break
    with contextlib.suppress(OSError):  # a full disk: the lock holds, and nobody is told the number
        file.truncate(0)
        file.write(f"process {os.getpid()}\n")
        file.flush()
    return True


def _holder(file: TextIO) -> str:
    file.seek(0)
    return file.read(40).strip() or "process unknown"
