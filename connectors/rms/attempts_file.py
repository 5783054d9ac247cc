"""Where attempts are remembered: a small file, replaced as a whole, that several processes may share.

Who holds the lock reads what is there, adds its own attempt and has it on disk before it makes it; the kernel lets go
of the lock when a process ends, however it ends. What is there is in doubt when it cannot be read, and also when it is
gone although it was once written: then nobody knows what was attempted.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from connectors.rms.attempts import Attempt, Limit, Moment

_VERSION: Final = 1
_MOST_BYTES: Final = 1024 * 1024
"""A limit of 1,000 attempts takes a tenth of that."""


class _Kept(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    counts_as: tuple[Limit, ...]
    wall_ns: int
    uptime_s: float


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    version: int
    attempts: tuple[_Kept, ...]


_DECODER: Final = msgspec.json.Decoder(_File)


@dataclass(frozen=True, slots=True)
class Remembered:
    """What was attempted, as far as it matters."""

    attempts: Sequence[Attempt]


@dataclass(frozen=True, slots=True)
class Doubt:
    """What was attempted is not known; ``why`` says what is wrong with the file."""

    why: str


@dataclass(frozen=True, slots=True)
class Gone(Doubt):
    """It was there once and is not any more: somebody took it away, or could not write it."""


class Busy(Exception):
    """Another process has the lock."""


class AttemptsFile:
    """The file at ``path``; use it only inside :meth:`locked`. Everything here may raise ``OSError``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: BinaryIO | None = None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock; do not wait for it.

        Raises:
            Busy: Another process, or another thread of this one, holds it.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_suffix(".lock").open("a+b") as lock:  # of its own: what is replaced cannot be locked
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Busy from error
            self._lock = lock
            try:
                yield
            finally:
                self._lock = None

    def read(self) -> Remembered | Doubt:
        """Return what is there; nothing, when nothing was ever written."""
        try:
            with self.path.open("rb") as file:
                text = file.read(_MOST_BYTES + 1)
        except FileNotFoundError:
            return Gone("it was there and is gone") if self._was_written else Remembered(())
        if len(text) > _MOST_BYTES:
            return Doubt(f"it has more than {_MOST_BYTES} bytes")
        try:
            kept = _DECODER.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return Doubt(str(error))
        if kept.version != _VERSION:
            return Doubt(f"it has version {kept.version}, known is {_VERSION}")
        return Remembered([_attempt(each) for each in kept.attempts])

    def write(self, attempts: Iterable[Attempt]) -> None:
        """Replace what is there; it is on disk, and so is its name, when this returns.

        When it fails the file is gone if that can be: better none, which is in doubt, than one that lacks an attempt.
        """
        kept = _File(version=_VERSION, attempts=tuple(_kept(attempt) for attempt in attempts))
        beside = self.path.with_suffix(".new")
        try:
            with beside.open("wb") as file:
                file.write(msgspec.json.encode(kept))
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self.path)
            _sync_directory(self.path.parent)
            self._note_written()
        except OSError:
            with contextlib.suppress(OSError):
                self.path.unlink(missing_ok=True)
            raise

    @property
    def _was_written(self) -> bool:
        assert self._lock is not None
        return self._lock.seek(0, os.SEEK_END) > 0

    def _note_written(self) -> None:
        if not self._was_written:
            assert self._lock is not None
            self._lock.write(b"written\n")
            self._lock.flush()
            os.fsync(self._lock.fileno())


def _sync_directory(directory: Path) -> None:
    number = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _attempt(kept: _Kept) -> Attempt:
    at = Moment(wall_ns=kept.wall_ns, uptime_s=kept.uptime_s)
    return Attempt(name=kept.name, counts_as=frozenset(kept.counts_as), at=at)


def _kept(attempt: Attempt) -> _Kept:
    return _Kept(
        name=attempt.name,
        counts_as=tuple(sorted(attempt.counts_as)),
        wall_ns=attempt.at.wall_ns,
        uptime_s=attempt.at.uptime_s,
    )
