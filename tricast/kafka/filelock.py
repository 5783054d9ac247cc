"""One process at a time: a lock that ends with its holder, however the holder ends."""

import fcntl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tricast.kafka.errors import DataDirBusy, named_disk_faults

_POLL_S = 0.05


@contextmanager
def exclusive(path: Path, timeout_s: float) -> Iterator[None]:
    """Hold the lock file ``path``; the kernel releases it when this process dies.

    Raises:
        DataDirBusy: Somebody else held it for ``timeout_s``.
        NotWritable: Its directory cannot be made or written.
    """
    with named_disk_faults(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a")
    with file:
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise DataDirBusy(path, timeout_s) from None
                time.sleep(_POLL_S)
        yield
