"""The budget: never more than the vendor grants, whatever processes, clocks and disks do."""

import asyncio
import fcntl
import json
import logging
import signal
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.rms.attempts import Attempt, Limits, Moment, Rule
from connectors.rms.budget import RmsBudget
from connectors.rms.config import RmsSettings

MARGIN_S = 10
MINUTE_S = 60 + MARGIN_S
QUARTER_S = 900 + MARGIN_S
NS = 1_000_000_000


class TwoClocks:
    """A machine: its uptime and its wall clock, which the test may set; sleeping advances both at once."""

    def __init__(self, uptime_s=5_000.0, wall_s=1_790_000_000.0):
        self.uptime_s = uptime_s
        self.wall_s = wall_s
        self.slept_s = []

    def now_ns(self):
        return int(self.wall_s * NS)

    def monotonic_s(self):
        return self.uptime_s

    def advance(self, seconds):
        self.uptime_s += seconds
        self.wall_s += seconds

    def reboot(self, *, down_s=30.0):
        self.uptime_s = 20.0
        self.wall_s += down_s

    async def sleep(self, seconds):
        self.slept_s.append(seconds)
        self.advance(seconds)
        await asyncio.sleep(0)


@pytest.fixture
def clock():
    return TwoClocks()


@pytest.fixture
def process(tmp_path, clock):
    """Return what starts a process with the state directory of the test."""

    async def start(**settings):
        configured = RmsSettings(**{"state_dir": tmp_path / "state", "customer_id": "90210", **settings})
        budget = RmsBudget(configured, clock=clock)
        await budget.open()
        return budget

    return start


def most_within(times, window_s):
    return max(sum(start <= other < start + window_s for other in times) for start in times)


async def test_ten_handshakes_a_minute_and_not_one_more(process, clock):
    budget, times = await process(), []
    assert budget.connects_left == 10
    for _ in range(35):
        await budget.connect()
        times.append(clock.uptime_s)
    assert most_within(times, MINUTE_S) == 10
    assert times[9] == times[0]
    assert times[10] == times[0] + MINUTE_S
    assert budget.requests_left == 65


async def test_a_hundred_requests_in_a_quarter_of_an_hour_whatever_they_are_for(process, clock):
    budget, times, lookups = await process(connects_per_minute=60), [], []
    for number in range(220):
        if number % 4 == 3:
            await budget.request()
        elif number % 4 == 2:
            await budget.look_up()
            lookups.append(clock.uptime_s)
        else:
            await budget.connect()
        times.append(clock.uptime_s)
    assert most_within(times, QUARTER_S) <= 100
    assert most_within(lookups, QUARTER_S) <= 50


async def test_a_disk_that_was_full_for_a_while_costs_nothing_once_there_is_room(process, clock, tmp_path):
    budget, full = await process(), tmp_path / "state" / "attempts.new"
    await budget.connect()
    full.mkdir()  # as on a full disk, nothing can be written where the file is made
    await budget.connect()
    assert not (tmp_path / "state" / "attempts.json").exists(), "better none than one that lacks an attempt"
    full.rmdir()
    began_s = clock.uptime_s
    await budget.connect()
    assert (clock.uptime_s, budget.connects_left) == (began_s, 7)
    assert (await process()).connects_left == 7, "all of them are on disk again"


async def test_a_file_that_somebody_else_took_away_is_in_doubt_for_a_process_that_lives_too(process, clock, tmp_path):
    budget = await process()
    await budget.connect()
    (tmp_path / "state" / "attempts.json").unlink()
    began_s = clock.uptime_s
    await budget.connect()
    assert clock.uptime_s >= began_s + MINUTE_S


@pytest.mark.parametrize(("purpose", "at_once"), [("look_up", 15), ("connect", 18), ("request", 20)])
async def test_look_ups_leave_room_for_handshakes_and_these_for_tokens(process, clock, purpose, at_once):
    budget = await process(requests_per_15_min=20, lookups_per_15_min=20, connects_per_minute=20)
    began_s = clock.uptime_s
    for _ in range(at_once):
        await getattr(budget, purpose)()
    assert (clock.uptime_s, budget.requests_left) == (began_s, 20 - at_once)
    await getattr(budget, purpose)()
    assert clock.uptime_s == began_s + QUARTER_S


async def test_each_of_several_replicas_takes_its_part(process):
    budget = await process(replicas_behind_ip=3)
    assert (budget.connects_left, budget.requests_left) == (3, 33)


async def test_a_request_that_waits_for_look_ups_keeps_no_handshake_waiting(process, clock):
    budget = await process(lookups_per_15_min=1)
    await budget.look_up()
    began_s = clock.uptime_s
    gate = asyncio.Event()

    async def asleep(_):
        await gate.wait()

    clock.sleep = asleep
    waiting = asyncio.create_task(budget.look_up())
    while not budget._turns["look-up"].locked():  # noqa: ASYNC110  # nobody there to set an event
        await asyncio.sleep(0)
    await budget.connect()
    assert clock.uptime_s == began_s
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)


# -- over processes --------------------------------------------------------------------------------------------------


async def test_a_crash_loop_never_makes_more(process, clock):
    times = []
    for _ in range(40):
        budget = await process()
        await budget.connect()
        times.append(clock.uptime_s)
        clock.advance(0.3)
    assert most_within(times, MINUTE_S) == 10


async def test_an_attempt_counts_before_it_is_made_and_if_its_process_dies_at_once(process):
    await (await process()).connect()
    assert (await process()).connects_left == 9


async def test_two_processes_with_one_file_share_one_part(process, clock):
    budgets, times = [await process(), await process()], []
    for number in range(30):
        await budgets[number % 2].connect()
        times.append(clock.uptime_s)
    assert most_within(times, MINUTE_S) == 10


async def test_a_replica_has_a_file_of_its_own(process):
    await (await process()).connect()
    assert (await process(replica="b")).connects_left == 10


WORK = """
import asyncio, os, signal, sys
from pathlib import Path
from connectors.clock import SystemClock
from connectors.rms.budget import RmsBudget
from connectors.rms.config import RmsSettings

async def main(directory, attempts):
    budget = RmsBudget(RmsSettings(state_dir=Path(directory)), clock=SystemClock())
    await budget.open()
    print("ready", flush=True)
    sys.stdin.readline()
    for _ in range(attempts):
        await budget.connect()
        print("connect", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


class Processes:
    """Processes with one directory that make handshakes as fast as they may, and kill themselves after so many."""

    def __init__(self, folder, *attempts):
        self._told = [folder / f"told-{number}" for number in range(len(attempts))]
        self._started = []
        for path, number in zip(self._told, attempts, strict=True):
            with path.open("w") as told:
                self._started.append(
                    subprocess.Popen(
                        [sys.executable, "-c", WORK, folder / "state", str(number)], stdin=subprocess.PIPE, stdout=told
                    )
                )
        self._until(lambda: all(path.read_text() for path in self._told))  # they are ready
        for process in self._started:
            process.stdin.close()

    @property
    def made(self):
        return sum(path.read_text().count("connect") for path in self._told)

    def run_until_made(self, number):
        self._until(lambda: self.made >= number)
        for process in self._started:
            process.kill()

    def wait(self):
        return [process.wait() for process in self._started]

    def _until(self, holds):
        deadline_s = time.monotonic() + 30
        while not holds():
            assert time.monotonic() < deadline_s
            time.sleep(0.01)


async def test_processes_that_race_for_one_part_get_no_more_and_leave_what_they_took_and_no_lock_when_killed(
    tmp_path,
):
    racing = await asyncio.to_thread(Processes, tmp_path, 3, 20)
    await asyncio.to_thread(racing.run_until_made, 10)
    assert await asyncio.to_thread(racing.wait) == [-signal.SIGKILL] * 2  # the first by itself, while it went on
    written = json.loads((tmp_path / "state" / "attempts.json").read_text())
    assert [each["counts_as"] for each in written["attempts"]] == [["connect", "request"]] * 10
    assert racing.made == 10


async def test_who_holds_the_lock_is_waited_for_and_told_after_a_while(process, clock, tmp_path, caplog):
    budget = await process()
    with (tmp_path / "state" / "attempts.lock").open("a+b") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        waiting = asyncio.create_task(budget.connect())
        while "rms.budget_locked" not in caplog.text:  # noqa: ASYNC110
            await asyncio.sleep(0)
        assert not waiting.done()
    await waiting
    assert budget.connects_left == 9


# -- clocks ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jump_s", [-86_400, -30, 30, 86_400], ids=["day-back", "back", "forth", "day-forth"])
async def test_a_wall_clock_that_is_set_frees_nothing_and_costs_a_window_at_most(process, clock, jump_s):
    budget = await process()
    for _ in range(10):
        await budget.connect()
    began_s = clock.uptime_s
    clock.advance(20)
    clock.wall_s += jump_s
    assert (await process()).connects_left == 0  # another process
    await budget.connect()
    assert began_s + MINUTE_S <= clock.uptime_s <= began_s + 20 + MINUTE_S + 0.001


async def test_processes_that_only_look_do_not_keep_old_attempts_alive_under_a_clock_set_back(process, clock):
    budget = await process()
    for _ in range(10):
        await budget.connect()
    clock.wall_s -= 86_400
    for _ in range(8):
        await process()
        clock.advance(10)
    assert (await process()).connects_left == 10


async def test_a_reboot_frees_nothing_before_its_time(process, clock):
    budget = await process()
    for _ in range(10):
        await budget.connect()
    clock.reboot(down_s=15)
    budget = await process()
    assert budget.connects_left == 0
    await budget.connect()
    assert clock.slept_s == [MINUTE_S]


async def test_a_directory_that_moves_to_a_machine_with_a_longer_uptime_frees_nothing(process, clock):
    for _ in range(10):
        await (await process()).connect()
    clock.uptime_s += 1_000_000
    assert (await process()).connects_left == 0


async def test_a_reboot_with_a_wall_clock_gone_wrong_frees_nothing(process, clock):
    budget = await process()
    for _ in range(10):
        await budget.connect()
    clock.reboot()
    clock.wall_s += 1_000_000
    assert (await process()).connects_left == 0


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["attempt", "wait", "wall", "reboot", "restart"]),
            st.floats(min_value=0, max_value=100, allow_nan=False),
        ),
        max_size=60,
    )
)
def test_in_any_history_of_one_machine_no_window_holds_too_many(history):
    """Model: what the disk keeps, read anew at each step; the true time is the model's own."""
    limits = Limits({"connect": Rule(most=3, window_s=60)})
    true_s, uptime_s, wall_s = 0.0, 1_000.0, 1_790_000_000.0
    kept, times = [], []
    for number, (what, amount) in enumerate(history):
        match what:
            case "wait":
                true_s, uptime_s, wall_s = true_s + amount, uptime_s + amount, wall_s + amount
            case "wall":
                wall_s += (amount - 50) * 10
            case "reboot":
                true_s, uptime_s, wall_s = true_s + 5 + amount, 5.0, wall_s + 5 + amount
            case _:
                now = Moment(wall_ns=int(wall_s * NS), uptime_s=uptime_s)
                kept = list(limits.in_force(kept, now).values())
                if what == "attempt" and limits.wait_s("connect", kept, now) <= 0:
                    kept.append(Attempt(name=str(number), counts_as=frozenset({"connect"}), at=now))
                    times.append(true_s)
    for start in times:
        assert sum(start <= other < start + 60 - 1e-3 for other in times) <= 3


# -- disks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"null",
        b"{}",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'{"version":2,"attempts":[]}',
        b'{"version":1,"attempts":[{"name":"a"}]}',
        b'{"version":1,"attempts":[{"name":"a","counts_as":["other"],"wall_ns":1,"uptime_s":1}]}',
        b" " * (2 * 1024 * 1024),
    ],
)
async def test_a_file_that_cannot_be_read_counts_as_a_full_window_and_is_told(process, clock, tmp_path, caplog, text):
    await process()
    (tmp_path / "state" / "attempts.json").write_bytes(text)
    budget = await process()
    assert "rms.budget_in_doubt" in caplog.text
    assert (budget.connects_left, budget.requests_left) == (0, 0)
    began_s = clock.uptime_s
    await budget.connect()
    assert clock.uptime_s == began_s + QUARTER_S
    caplog.clear()
    assert (await process()).connects_left == 9
    assert caplog.text == ""


async def test_a_file_that_is_cut_short_or_damaged_later_counts_as_a_full_window(process, clock, tmp_path, caplog):
    budget = await process()
    await budget.connect()
    path = tmp_path / "state" / "attempts.json"
    path.write_bytes(path.read_bytes()[:-10])
    began_s = clock.uptime_s
    await budget.connect()
    assert clock.uptime_s == began_s + QUARTER_S
    assert caplog.text.count("rms.budget_in_doubt") == 1


async def test_a_file_that_is_gone_is_in_doubt_for_the_next_process_but_not_before_anything_was_written(
    process, tmp_path
):
    assert (await process()).connects_left == 10
    (tmp_path / "state" / "attempts.json").unlink()
    assert (await process()).connects_left == 0


async def test_times_of_another_century_only_cost_a_window(process, tmp_path):
    await process()
    far = {"name": "a", "counts_as": ["connect", "request"], "wall_ns": 2**200, "uptime_s": 1e300}
    old = {"name": "b", "counts_as": ["connect", "request"], "wall_ns": -1, "uptime_s": -1e300}
    (tmp_path / "state" / "attempts.json").write_text(json.dumps({"version": 1, "attempts": [old, far]}))
    budget = await process()
    assert (budget.connects_left, budget.requests_left) in {(9, 99), (0, 0)}


async def test_without_a_usable_directory_each_process_waits_first_and_then_goes_on(process, clock, tmp_path, caplog):
    (tmp_path / "file").write_text("")
    budget = await process(state_dir=tmp_path / "file" / "state")
    assert "rms.budget_not_kept" in caplog.text
    assert (budget.connects_left, budget.requests_left) == (0, 0)
    times = []
    for _ in range(25):
        await budget.connect()
        times.append(clock.uptime_s)
    assert most_within(times, MINUTE_S) == 10
    assert caplog.text.count("rms.budget_not_kept") == 1


async def test_a_disk_that_fills_while_we_run_leaves_no_file_that_lacks_an_attempt(process, tmp_path, caplog):
    caplog.set_level(logging.WARNING)
    budget = await process()
    blocked = tmp_path / "state" / "attempts.new"
    blocked.mkdir()  # what cannot be opened for writing
    await budget.connect()
    assert budget.connects_left == 9
    assert not (tmp_path / "state" / "attempts.json").exists()
    assert (await process()).connects_left == 0
    blocked.rmdir()
    await budget.request()
    assert "rms.budget_kept_again" in caplog.text
