"""Imported by Python before anything else where this folder is on its path: for a connector days pass at a stroke.

How many nanoseconds stands in the file that ``SCENARIO_LATER`` names, and counts at once. Only what is waited and
measured with (``monotonic``) is changed, and only in ``tricast connect``: all others live on as before.
"""

import mmap
import os
import struct
import sys
import time

_FILE = os.environ.get("SCENARIO_LATER")
_LONG = struct.Struct("=q")


def _pass(file: str) -> None:
    with open(file, "rb") as opened:
        later = mmap.mmap(opened.fileno(), _LONG.size, access=mmap.ACCESS_READ)
    real, unpack = time.monotonic_ns, _LONG.unpack

    def monotonic_ns() -> int:
        return real() + unpack(later[: _LONG.size])[0]

    def monotonic() -> float:
        return monotonic_ns() / 1e9

    time.monotonic_ns, time.monotonic = monotonic_ns, monotonic


if _FILE is not None and "connect" in sys.orig_argv:
    _pass(_FILE)
