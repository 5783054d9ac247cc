"""The supervisor over real processes."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from tricast.stack.backoff import Backoff
from tricast.stack.child import Child, ChildSpec, last_lines
from tricast.stack.supervisor import Supervisor

QUICK = Backoff(first_s=0.02, cap_s=0.05)


def script(tmp_path: Path, name: str, body: str) -> ChildSpec:
    path = tmp_path / f"{name}.py"
    path.write_text(textwrap.dedent(body))
    return ChildSpec(name=name, command=[sys.executable, str(path)], log=tmp_path / f"{name}.log")


async def until(condition, timeout_s=10.0):
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 - what is waited for is another process
            await asyncio.sleep(0.01)


async def test_crashing_child_is_started_again_and_others_are_left_alone(tmp_path):
    crashing = script(tmp_path, "crashing", "print('boom'); raise SystemExit(70)")
    steady = script(tmp_path, "steady", "import time; print('up'); time.sleep(600)")
    supervisor = Supervisor([crashing, steady], backoff=QUICK, grace_s=5)
    running = asyncio.create_task(supervisor.run())
    await until(lambda: supervisor.children[0].starts >= 4)
    assert supervisor.children[1].starts == 1
    assert supervisor.children[1].state == "running"
    supervisor.stop()
    await running
    assert "boom" in last_lines(tmp_path / "crashing.log")


@pytest.mark.parametrize("code", [2, 78])
async def test_final_exit_code_stops_that_child_only(tmp_path, code):
    ended = []
    wrong = script(tmp_path, "wrong", f"raise SystemExit({code})")
    steady = script(tmp_path, "steady", "import time; time.sleep(600)")
    supervisor = Supervisor([wrong, steady], backoff=QUICK, grace_s=5, on_exit=ended.append)
    running = asyncio.create_task(supervisor.run())
    await until(lambda: ended)
    assert [(child.spec.name, child.exit_code, child.starts) for child in ended] == [("wrong", code, 1)]
    assert supervisor.children[1].state == "running"
    supervisor.stop()
    assert await running == code


async def test_worst_code_when_all_have_ended(tmp_path):
    specs = [script(tmp_path, f"exit{code}", f"raise SystemExit({code})") for code in (0, 2, 78)]
    assert await Supervisor(specs, backoff=QUICK).run() == 78


async def test_child_that_ignores_term_is_killed_after_the_grace(tmp_path):
    stubborn = script(
        tmp_path,
        "stubborn",
        """
        import signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("deaf", flush=True)
        time.sleep(600)
        """,
    )
    supervisor = Supervisor([stubborn], grace_s=0.3)
    running = asyncio.create_task(supervisor.run())
    await until(lambda: "deaf" in last_lines(tmp_path / "stubborn.log"))
    supervisor.stop()
    assert await running == 1
    assert supervisor.children[0].exit_code == -signal.SIGKILL


async def test_cancelled_supervisor_ends_its_children(tmp_path):
    supervisor = Supervisor([script(tmp_path, "steady", "import time; time.sleep(600)")], grace_s=5)
    running = asyncio.create_task(supervisor.run())
    await until(lambda: supervisor.children[0].pid is not None)
    pid = supervisor.children[0].pid
    assert pid is not None
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not psutil.pid_exists(pid)


async def test_stop_while_waiting_for_a_restart_is_immediate(tmp_path):
    supervisor = Supervisor(
        [script(tmp_path, "crashing", "raise SystemExit(1)")], backoff=Backoff(first_s=600, cap_s=600)
    )
    running = asyncio.create_task(supervisor.run())
    await until(lambda: supervisor.children[0].state == "waiting")
    supervisor.stop()
    async with asyncio.timeout(5):
        assert await running == 1


@pytest.mark.skipif(sys.platform != "linux", reason="the parent-death signal is Linux's")
def test_killed_supervisor_leaves_no_child(tmp_path):
    program = tmp_path / "supervise.py"
    pid_file = tmp_path / "pid"
    program.write_text(
        textwrap.dedent(
            f"""
            import asyncio, sys
            from tricast.stack.child import ChildSpec
            from tricast.stack.supervisor import Supervisor
            child = "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);" \\
                    "open({str(pid_file)!r} + '.new', 'w').write(str(os.getpid()));" \\
                    "os.rename({str(pid_file)!r} + '.new', {str(pid_file)!r}); time.sleep(600)"
            asyncio.run(Supervisor([ChildSpec(name="c", command=[sys.executable, "-c", child])]).run())
            """
        )
    )
    supervisor = subprocess.Popen([sys.executable, str(program)], cwd=Path(__file__).parents[2])
    try:
        wait_for(pid_file.exists)
        child = int(pid_file.read_text())
        supervisor.kill()
        supervisor.wait()
        wait_for(lambda: not _alive(child))
    finally:
        supervisor.kill()


def _alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_for(condition, timeout_s=10.0):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


async def test_environment_is_added_to(tmp_path):
    spec = script(tmp_path, "env", "import os; print(os.environ['A_NEW_ONE'], os.environ['PATH'] != '')")
    child = await Child.start(ChildSpec(name="env", command=spec.command, environment={"A_NEW_ONE": "x"}, log=spec.log))
    assert await child.wait() == 0
    assert last_lines(tmp_path / "env.log") == ["x True"]
    assert os.environ.get("A_NEW_ONE") is None


def test_backoff_doubles_to_a_cap_and_forgets_after_a_healthy_run():
    backoff = Backoff(first_s=1, cap_s=10, healthy_s=60)
    chance = random.Random(1)
    delays = [backoff.delay_s(crashes, chance) for crashes in (1, 2, 3, 4, 5, 1000)]
    for delay, whole in zip(delays, (1, 2, 4, 8, 10, 10), strict=True):
        assert whole / 2 <= delay <= whole
    assert backoff.crashes(7, ran_s=1) == 8
    assert backoff.crashes(7, ran_s=60) == 1
