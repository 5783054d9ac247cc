"""What ends a command that runs until it is told to end."""

import asyncio
import os
import signal

import pytest

from tricast.cli.invocation import stop_on_signals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda number: number.name)
async def test_a_signal_ends_it_in_order(number):
    before = signal.signal(number, signal.default_int_handler)  # whoever runs the tests may ignore it, as nohup does
    stopping = asyncio.Event()
    try:
        stop_on_signals(stopping.set)
        os.kill(os.getpid(), number)
        async with asyncio.timeout(30):
            await stopping.wait()
    finally:
        signal.signal(number, before)


async def test_nohup_outlives_its_terminal():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    stopping = asyncio.Event()
    try:
        stop_on_signals(stopping.set)
        os.kill(os.getpid(), signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
    assert not stopping.is_set()
