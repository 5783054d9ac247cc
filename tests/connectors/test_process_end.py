"""A process ends when its work does, whatever its threads wait for."""

import subprocess
import sys

import pytest

from connectors import process

LOOKUPS_THAT_HANG = """
import asyncio, time
from connectors import process

async def main():
    loop = asyncio.get_running_loop()
    for _ in range(50):
        loop.run_in_executor(None, time.sleep, 3600)
    print(await loop.run_in_executor(None, lambda: "free"))

process.run(main())
"""


def test_lookups_that_hang_hold_up_neither_others_nor_the_end():
    done = subprocess.run([sys.executable, "-c", LOOKUPS_THAT_HANG], capture_output=True, timeout=30, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, b"free"), done.stderr


def test_errors_come_out():
    async def fails():
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        process.run(fails())
