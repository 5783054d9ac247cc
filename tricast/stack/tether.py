"""Run a program that dies with its parent: ``python tether.py PARENT_PID PROGRAM [ARGUMENT…]``.

A supervisor that is killed with -9 cannot end its children, and a worker nobody supervises would keep its partitions
from the next one. On Linux the kernel does it: the parent-death signal survives exec. Run as a file with ``-I -S`` it
costs about ten milliseconds; a ``preexec_fn`` could deadlock in a process that has threads. Elsewhere it only execs.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main() -> None:
    """Tie this process to its parent, then become the program."""
    parent, program = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it died before the call above, so no signal will come
            sys.exit(1)
    os.execv(program[0], program)  # noqa: S606 - the point of this file; no shell is involved


if __name__ == "__main__":
    main()
