"""A process ends when its work does, whatever its threads wait for."""

import asyncio
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


def test_what_runs_beside_may_fail_and_is_told_of_while_the_work_goes_on(caplog):
    async def works():
        while "process.beside_failed" not in caplog.messages:  # noqa: ASYNC110 - a log has no event
            await asyncio.sleep(0)
        done.append(True)

    async def fails():
        raise OSError("no")

    done = []
    process.run(works(), beside=fails())
    assert done
    assert "OSError: no" in caplog.text
