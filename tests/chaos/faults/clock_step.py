"""The clock of one process is put forward or back, and later back again.

How: ``environment`` puts ``clock_site`` on the process's path. libfaketime was tried first: its 0.9.10 makes
``time.sleep`` of Python 3.11 fail (``clock_nanosleep`` to a moment answers EINVAL), which would be the fault of the
fault. Python programs learn the time of day from ``time`` alone, and those we strike are such.
"""

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tests.chaos.product import Product


_LONG: Final = struct.Struct("=q")
_S: Final = 1_000_000_000
STEP_S: Final = 5


@dataclass(slots=True)
class ClockStep:
    """Time of day of one connector or worker jumps by five seconds, forward or back, and back when it is healed.

    What must hold: stream time never goes back, it stands still for as long as a clock was put back; nothing is lost,
    doubled or reordered; what is waited for (budgets, tokens, heartbeats, time-outs) goes by the monotonic clock and
    is not touched. What a frame was stamped with is wrong by five seconds, and so is what is measured against other
    clocks: an approval of RMS within five seconds of its deadline may count as on the other side of it.
    """

    target: str
    name: str = "clock-step"

    def inject(self, product: "Product", random: Random) -> dict[str, Any]:
        step_s = random.choice((STEP_S, -STEP_S))
        set_offset(product.folder, self.target, step_s * _S)
        return {"pid": product.pid(self.target), "step_s": step_s}

    def heal(self, product: "Product") -> None:
        set_offset(product.folder, self.target, 0)


def environment(folder: Path, process: str) -> dict[str, str]:
    """Return what a process must be told so that its clock can be stepped.

    Args:
        folder: Of the run.
        process: Its name.
    """
    set_offset(folder, process, 0)
    site = str(Path(__file__).with_name("clock_site"))
    paths = [site, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {"PYTHONPATH": os.pathsep.join(paths), "CHAOS_CLOCK": str(_file(folder, process))}


def set_offset(folder: Path, process: str, offset_ns: int) -> None:
    """Put the clock of ``process`` forward by ``offset_ns``, from the right time."""
    file = _file(folder, process)
    file.parent.mkdir(parents=True, exist_ok=True)
    # In place and at once: those who read it have it mapped, and no half of it may be seen.
    number = os.open(file, os.O_WRONLY | os.O_CREAT, 0o644)
    try:
        os.pwrite(number, _LONG.pack(offset_ns), 0)
    finally:
        os.close(number)


def _file(folder: Path, process: str) -> Path:
    return folder / "clocks" / process.replace(":", "-")
