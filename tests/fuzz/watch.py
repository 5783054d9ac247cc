"""One input is watched: an exception, a second of computing, or memory that grows by megabytes is a failure.

The second is one of this process's own computing (``ITIMER_PROF``), not of the clock: a busy machine is no hang. Where
compiled code never comes back the signal's handler cannot run; the kernel then ends the process, see ``run.py``.
"""

import resource
import signal
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from tests.fuzz.target import Input, Take

HANG_S = 1.0
GROWTH_KIB = 192 * 1024
"""What one input may take at once: the largest have a megabyte, and a tree of Python's takes 50 times as much."""
ADDRESS_SPACE = 2 * 1024**3
"""Beyond what a process has when it begins: no input may take the machine along."""
_HERE = str(Path(__file__).parent)


class HungError(BaseException):
    """No ``Exception``: what is under test may not swallow it."""


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong; ``kind`` and ``place`` tell one bug from another."""

    kind: str
    place: str
    text: str


def _hung(_: int, __: FrameType | None) -> None:
    raise HungError(f"more than {HANG_S:g} s of computing")


@contextmanager
def watching() -> Iterator[None]:
    """Be ready for :func:`failure_of` in this thread, the main one."""
    before = signal.signal(signal.SIGPROF, _hung)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def limit_memory() -> None:
    """Let this process grow by :data:`ADDRESS_SPACE` and no further; for processes that do nothing else."""
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + ADDRESS_SPACE, resource.RLIM_INFINITY))


def end_after(seconds: int) -> None:
    """Have the kernel end this process when it has computed for ``seconds`` more; for processes of their own."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + seconds, most))


def failure_of(take: Take, given: Input) -> Failure | None:
    """Let ``take`` take ``given``; return what went wrong."""
    before_kib = _forget_peak_kib()
    signal.setitimer(signal.ITIMER_PROF, HANG_S)
    try:
        take(given)
    except (Exception, HungError) as error:
        return _failure(error)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    grown_kib = _peak_kib() - before_kib
    if grown_kib > GROWTH_KIB:
        return Failure("memory", "", f"{grown_kib // 1024} MiB for an input of {len(given.value)} bytes")
    return None


def _peak_kib() -> int:
    """Return the most memory this process had since :func:`_forget_peak_kib`; ``ru_maxrss`` is that of its life."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split(maxsplit=1)[0])


def _forget_peak_kib() -> int:
    """Let the peak begin anew at what this process has now, and return that."""
    Path("/proc/self/clear_refs").write_text("5")
    return _peak_kib()


def _failure(error: BaseException) -> Failure:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if not frame.filename.startswith(_HERE) and "site-packages" not in frame.filename]
    place = f"{ours[-1].filename.rpartition('/')[2]}:{ours[-1].name}" if ours else "?"
    text = "".join(traceback.format_exception(error, limit=-12))
    return Failure(type(error).__name__, place, text[-4000:])
