"""That faults strike what they say, and undo it; what needs no product."""

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from random import Random

import psutil
import pytest

from simulators.fastpath.config import FastpathFaultSettings
from simulators.kambi.config import KambiFaultSettings
from simulators.rms.config import RmsFaultSettings
from tests.chaos.faults import KINDS, clock_step, spool, vendor
from tests.chaos.faults.descriptors import limit
from tests.chaos.faults.revival import lift
from tests.chaos.gate import Gate

S = 1_000_000_000
SETTINGS = {"kambi": KambiFaultSettings, "fastpath": FastpathFaultSettings, "rms": RmsFaultSettings}
TABLES = {"refusing": vendor.REFUSING, "slow": vendor.SLOW, "flooding": vendor.FLOODING, "silent": vendor.SILENT}


@pytest.mark.parametrize("feed", SETTINGS)
@pytest.mark.parametrize("table", TABLES)
def test_what_vendors_are_told_means_something_to_them(feed, table):
    for seed in range(20):
        told = TABLES[table][feed](Random(seed))
        settings = SETTINGS[feed].model_validate(told)
        assert {name: getattr(settings, name) for name in told} == {
            name: tuple(value) if isinstance(value, list) else value for name, value in told.items()
        }


def test_faults_are_named_as_their_kinds():
    assert {kind.make(kind.targets[0]).name == kind.name for kind in KINDS} == {True}


class Vendor:
    """A simulator's control, of faults alone."""

    def __init__(self):
        self.faults = {"refuse_every": 0, "refuse_status": 429, "junk_every": 7, "stall_every_s": 0}
        self.cuts = 0
        self.processes = self
        self.ended = []

    def end(self, name, number, timeout_s):
        self.ended.append((name, number))

    def ask(self, feed, path, body=None):
        if path.startswith("/simulator/cut"):
            self.cuts += 1
            return {"ended": {"socket": 3}} if feed == "fastpath" else {"ended": 3}
        self.faults = self.faults if body is None else body
        return dict(self.faults)


def test_a_vendor_has_its_own_faults_back_and_keeps_what_others_told_it_meanwhile():
    product = Vendor()
    before = dict(product.faults)
    fault = vendor.VendorRefusing("vendor:kambi")
    told = fault.inject(product, Random(1))  # pyright: ignore[reportArgumentType]
    assert (told["refuse_every"], told["how"], told["ended"], product.cuts) == (1, "cut", 3, 1)
    assert product.faults == before | {"refuse_every": 1, "refuse_status": told["refuse_status"]}
    product.faults["stall_every_s"] = 9
    fault.heal(product)  # pyright: ignore[reportArgumentType]
    assert product.faults == before | {"stall_every_s": 9}


@pytest.mark.parametrize(
    ("seed", "ended"), [(1, []), (5, [("connector:fastpath", signal.SIGTERM)])], ids=["429", "token"]
)
def test_after_a_wrong_token_the_operator_starts_the_connector_again(seed, ended):
    product, fault = Vendor(), vendor.VendorRefusing("vendor:fastpath")
    told = fault.inject(product, Random(seed))  # pyright: ignore[reportArgumentType]
    assert (told["refuse_status"] is None) == bool(ended)
    fault.heal(product)  # pyright: ignore[reportArgumentType]
    assert product.ended == ended


CLOCK = """
import sys, time
from time import time_ns
for _ in sys.stdin:
    print(time_ns(), time.time_ns(), int(time.time() * 1e9), time.monotonic_ns(), flush=True)
"""
OPENER = """
import os, sys
for _ in sys.stdin:
    try:
        os.dup(0)
        print("more", flush=True)
    except OSError as error:
        print(error.errno, flush=True)
"""


@contextmanager
def talking(program, environment=None):
    """Run a program that answers each line with one; yield what asks it, and the process."""
    with subprocess.Popen(
        [sys.executable, "-c", program], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        asks, answers = process.stdin, process.stdout
        assert asks is not None
        assert answers is not None

        def told():
            print(file=asks, flush=True)
            return answers.readline().strip()

        yield told, process
        asks.close()


def test_a_stepped_clock_tells_another_time_and_waits_by_the_same(tmp_path):
    environment = os.environ | clock_step.environment(tmp_path, "worker:kambi:1")
    with talking(CLOCK, environment) as (told, _):
        before = [int(number) for number in told().split()]
        for step_s in (5, -5, 0):
            clock_step.set_offset(tmp_path, "worker:kambi:1", step_s * S)
            now = [int(number) for number in told().split()]
            waited_ns = now.pop() - before[-1]
            assert all(
                abs(later - earlier - waited_ns - step_s * S) < S / 10
                for earlier, later in zip(before[:-1], now, strict=True)
            )


@pytest.mark.parametrize(("spare", "most"), [(True, 4), (False, 3)], ids=["as-it-closes", "nothing"])
def test_a_process_at_its_limit_opens_nothing_more_until_that_is_lifted(spare, most):
    with talking(OPENER) as (told, process):
        assert told() == "more"
        assert limit(process.pid, spare=spare) == most
        assert told() == "24"
        lift(process.pid, psutil.RLIMIT_NOFILE)
        assert told() == "more"
    lift(process.pid, psutil.RLIMIT_NOFILE)  # gone: nothing to lift


@pytest.mark.skipif(spool.why_not() is not None, reason="needs root to mount")
def test_a_small_disk_is_full_but_for_what_is_left(tmp_path):
    disk = tmp_path / "spool"
    with spool.small_disk(disk):
        spool._fill(disk, 100_000)
        with pytest.raises(OSError, match="No space"):
            (disk / "file").write_bytes(b"x" * 200_000)
        (disk / "file").unlink()
        (disk / "file").write_bytes(b"x" * 50_000)
    assert not any(disk.iterdir())


async def echoing(reader, writer):
    with suppress(OSError):
        while chunk := await reader.read(100):
            writer.write(chunk)
            await writer.drain()
    writer.close()


@pytest.mark.parametrize("cut", [False, True], ids=["passing", "cut"])
async def test_through_a_frozen_gate_nothing_passes_and_afterwards_all_or_none(cut):
    server = await asyncio.start_server(echoing, "127.0.0.1", 0)
    async with server, asyncio.timeout(20):
        with Gate(server.sockets[0].getsockname()[1]) as gate:
            reader, writer = await asyncio.open_connection("127.0.0.1", gate.port)
            writer.write(b"before")
            assert await reader.readexactly(6) == b"before"
            assert gate.freeze() == 1
            writer.write(b"during")
            late_reader, late_writer = await asyncio.open_connection("127.0.0.1", gate.port)
            late_writer.write(b"late")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(late_reader.read(1), 0.05)
            gate.thaw(cut=cut)
            if cut:
                with suppress(ConnectionError):
                    assert await reader.read() == b""
                with suppress(ConnectionError):
                    assert await late_reader.read() == b""
                reader, writer = await asyncio.open_connection("127.0.0.1", gate.port)
                writer.write(b"during")
            else:
                assert await late_reader.readexactly(4) == b"late"
            assert await reader.readexactly(6) == b"during"
            for each in (writer, late_writer):
                each.close()
