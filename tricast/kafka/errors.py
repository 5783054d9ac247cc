"""What can go wrong around the embedded Kafka, each with what to do about it.

EnvironmentFault
├── NoNetwork           the first fetch could not reach Maven Central
├── JarMismatch         a jar is not the one that was pinned
├── NoDiskSpace         cache or data directory is full
├── NotWritable         cache or data directory cannot be written
├── NoFreePort          a port is taken and must not change, or none is free
├── BrokerDidNotStart   the broker ended or did not answer in time; its last log lines are in the message
└── DataDirBusy         another start or stop holds the data directory
ConfigurationError
└── BrokerCountMismatch the data directory was made for another number of brokers
"""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schemas.errors import ConfigurationError, EnvironmentFault


class NoNetwork(EnvironmentFault):
    """The jars could not be fetched."""

    code = "kafka.no-network"

    def __init__(self, coordinate: str, reason: str) -> None:
        super().__init__(
            f"could not fetch {coordinate} from Maven Central: {reason}",
            action="connect this machine to the internet once (the jars are kept afterwards), or copy the cache "
            "directory of a machine that has them and name it in TRICAST_CACHE_DIR",
        )


class JarMismatch(EnvironmentFault):
    """A jar has another checksum than the pinned one; it was not used."""

    code = "kafka.jar-mismatch"
    retryable = False

    def __init__(self, path: Path, expected: str, found: str) -> None:
        super().__init__(
            f"{path} has sha256 {found}, pinned is {expected}",
            action=f"remove {path} and start again; if it comes back, something between here and Maven Central "
            "alters downloads, or this disk is failing",
        )
        self.path = path


class NoDiskSpace(EnvironmentFault):
    """Not enough room for the jars or for a broker's data."""

    code = "kafka.no-disk-space"

    def __init__(self, path: Path, free_bytes: int, needed_bytes: int | None = None) -> None:
        needed = f", {needed_bytes / 1e6:,.0f} MB are needed" if needed_bytes else ": it ran full"
        super().__init__(
            f"{path} has {free_bytes / 1e6:,.0f} MB free{needed}",
            action="free some space, or choose another place (TRICAST_CACHE_DIR for the jars, --data-dir for the data)",
        )


class NotWritable(EnvironmentFault):
    """A directory that must be written is not writable."""

    code = "kafka.not-writable"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"cannot write {path}: {reason}",
            action="make it writable, or choose another place: TRICAST_CACHE_DIR for the jars, --data-dir for the data",
        )


class NoFreePort(EnvironmentFault):
    """A port that a broker needs is taken."""

    code = "kafka.no-free-port"

    def __init__(self, message: str) -> None:
        super().__init__(message, action="end what listens there (`ss -ltnp` shows it) and start again")


class BrokerDidNotStart(EnvironmentFault):
    """A broker ended while starting, or did not answer in time."""

    code = "kafka.broker-did-not-start"

    def __init__(self, broker: int, reason: str, log: Path, tail: str) -> None:
        super().__init__(
            f"Kafka broker {broker} did not come up: {reason}. Last lines of {log}:\n{tail or '(the log is empty)'}",
            action=f"read {log}; when the data is of no worth, remove the data directory and start again",
        )
        self.tail = tail


class DataDirBusy(EnvironmentFault):
    """Another process is starting or stopping this Kafka."""

    code = "kafka.data-dir-busy"

    def __init__(self, lock: Path, waited_s: float) -> None:
        super().__init__(
            f"another process has held {lock} for more than {waited_s:.0f} s",
            action="wait for the other start or stop to end, or end it, and try again",
        )


class BrokerCountMismatch(ConfigurationError):
    """The number of brokers of a data directory is fixed when it is made."""

    code = "kafka.broker-count"

    def __init__(self, data_dir: Path, has: int, wanted: int) -> None:
        super().__init__(
            f"{data_dir} was made for {has} broker(s), {wanted} wanted",
            action=f"start it with --brokers {has}, or choose another --data-dir",
        )


def require_space(path: Path, needed_bytes: int) -> None:
    """Raise ``NoDiskSpace`` when the file system of ``path`` has less than ``needed_bytes`` free."""
    free = shutil.disk_usage(path).free
    if free < needed_bytes:
        raise NoDiskSpace(path, free, needed_bytes)


@contextmanager
def named_disk_faults(path: Path) -> Iterator[None]:
    """Turn what the disk says while writing under ``path`` into ``NoDiskSpace`` or ``NotWritable``."""
    try:
        yield
    except OSError as error:
        match error.errno:
            case errno.ENOSPC | errno.EDQUOT:
                raise NoDiskSpace(path, shutil.disk_usage(path).free) from error
            case errno.EACCES | errno.EPERM | errno.EROFS | errno.ENOTDIR | errno.EEXIST:
                raise NotWritable(path, error.strerror or str(error)) from error
            case _:
                raise
