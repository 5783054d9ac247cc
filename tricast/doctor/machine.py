"""Is this machine fit, and are the settings whole? Asks nobody else; writes nothing that stays."""

import ctypes
import os
import platform
import resource
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

from tricast.doctor.answer import Answer, Verdict
from tricast.settings import Settings, variable

_LIBRARIES: Final = ("tricast", "aiokafka", "faust-streaming", "python-socketio", "websockets", "aiohttp", "msgspec")
FILES_WANTED: Final = 4096
"""A connector has a socket for each line, a worker some for each broker."""
SPACE_WANTED_BYTES: Final = 2 * 1024**3
_TIME_ERROR: Final = 5
"""What Linux answers of a clock that nothing keeps right."""

_SECRETS: Final = {
    "kambi": (),
    "fastpath": ("token",),
    "rms": ("customer_id", "client_id", "secret"),
}
"""Settings without which a feed's real vendor lets nobody in."""


def examine(settings: Settings, real: Sequence[str]) -> Iterator[Answer]:
    """Yield the answers.

    Args:
        settings: Of this process.
        real: Feeds whose real vendor is named in them.
    """
    yield Answer(
        question="environment", verdict="ok", found=f"Python {platform.python_version()} on {platform.platform()}"
    )
    yield Answer(question="libraries", verdict="ok", found=", ".join(f"{name} {version(name)}" for name in _LIBRARIES))
    yield open_files(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    yield clock(_kernel_clock())
    for setting, folder in _folders(settings, real).items():
        yield place(setting, folder, shutil.disk_usage(_existing(folder)).free)
    yield from vendors(settings, real)


def open_files(limit: int) -> Answer:
    """Return whether a process may have enough open files."""
    if limit == resource.RLIM_INFINITY or limit >= FILES_WANTED:
        return Answer(question="open files", verdict="ok", found=f"up to {limit}")
    action = f"raise it to {FILES_WANTED} or more (`ulimit -n`, LimitNOFILE= of a unit)"
    return Answer(question="open files", verdict="warning", found=f"only {limit} for each process", action=action)


def clock(state: int | None) -> Answer:
    """Return whether something keeps this machine's clock right.

    Args:
        state: As Linux tells it; ``None`` where nothing tells.
    """
    question = "clock"
    if state is None:
        return Answer(question=question, verdict="ok", found="this system does not tell whether it is kept right")
    if state == _TIME_ERROR:
        action = "run chrony, ntpd or systemd-timesyncd: times of receipt and time-outs of bets rest on this clock"
        return Answer(question=question, verdict="warning", found="nothing keeps it right", action=action)
    return Answer(question=question, verdict="ok", found="it is kept right")


def place(setting: str, folder: Path, free_bytes: int) -> Answer:
    """Return whether a folder can be written and has room."""
    question, found = setting, f"{folder.absolute()}, {free_bytes / 1e9:.1f} GB free"
    try:
        with tempfile.NamedTemporaryFile(dir=_existing(folder), prefix=".tricast-doctor-"):
            pass
    except OSError as error:
        action = f"make it writable for user {os.geteuid()}, or set {setting} to another place"
        return Answer(question=question, verdict="failed", found=f"{folder}: {error.strerror}", action=action)
    if free_bytes < SPACE_WANTED_BYTES:
        action = "free some: a spool that is full loses frames while Kafka is away"
        return Answer(question=question, verdict="warning", found=found, action=action)
    return Answer(question=question, verdict="ok", found=found)


def vendors(settings: Settings, real: Sequence[str]) -> Iterator[Answer]:
    """Yield whether what each feed needs is set; a feed that is simulated needs nothing."""
    for feed, needed in _SECRETS.items():
        question = f"settings of {feed}"
        if feed not in real:
            found = "no real vendor is named: `tricast up` simulates it"
            yield Answer(question=question, verdict="ok", found=found)
            continue
        lacking = [variable((feed, name)) for name in needed if not _is_set(settings, feed, name)]
        verdict: Verdict = "failed" if lacking else "ok"
        found = f"not set: {', '.join(lacking)}" if lacking else "all that is needed is set"
        action = (
            "set it, or the same with _FILE to read it from a file" if lacking else f"`tricast doctor {feed}` asks it"
        )
        yield Answer(question=question, verdict=verdict, found=found, action=action)


def _is_set(settings: Settings, feed: str, name: str) -> bool:
    value = getattr(getattr(settings, feed), name)
    if name == "secret" and getattr(settings.rms, "secret_file", None) is not None:
        return True
    return bool(value.get_secret_value() if hasattr(value, "get_secret_value") else value)


def _folders(settings: Settings, real: Sequence[str]) -> dict[str, Path]:
    folders = {variable(("data_dir",)): settings.data_dir}
    return folders | {variable((feed, "spool_dir")): getattr(settings, feed).spool_dir for feed in real}


def _existing(folder: Path) -> Path:
    """Return the folder, or the nearest above it that is there already."""
    whole = folder.absolute()
    return next(path for path in (whole, *whole.parents) if path.exists())


def _kernel_clock() -> int | None:
    if not sys.platform.startswith("linux"):
        return None
    asked = ctypes.create_string_buffer(512)  # struct timex; all zero asks and changes nothing
    state = int(ctypes.CDLL(None).adjtimex(asked))
    return None if state < 0 else state
