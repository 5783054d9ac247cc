"""One broker's Java process: start it, find it again, signal it, and never touch another one."""

import json
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from tricast.kafka.java import java_command, java_environment
from tricast.kafka.layout import NodeFiles, write_atomically

_TOKEN = "-Dtricast.kafka.token="  # noqa: S105 - a mark on the command line, no secret
# The kernel counts start times in ticks since boot; the wall clock may have been stepped since.
_START_TOLERANCE_S = 5.0
_EXEC_TIMEOUT_S = 5.0


def spawn(
    files: NodeFiles, jars: Sequence[Path], options: Sequence[str], cpus: Sequence[int] | None
) -> "subprocess.Popen[bytes]":
    """Start a broker on ``files`` and record which process it is.

    Args:
        files: Its directory; ``server.properties`` and storage are ready.
        jars: The class path.
        options: Options of the Java runtime.
        cpus: Run it on these processors only; ``None`` for all.
    """
    shutil.rmtree(files.scratch, ignore_errors=True)
    files.scratch.mkdir(parents=True)
    files.logs.mkdir(exist_ok=True)
    token = _TOKEN + secrets.token_hex(8)
    own = (
        token,
        f"-Dlog4j2.configurationFile={files.log4j2}",
        f"-Djava.io.tmpdir={files.scratch}",
        f"-XX:ErrorFile={files.logs}/crash-%p.log",
    )
    # Before there is a process: whoever starts it may be killed right after, and the broker goes on.
    write_atomically(files.process, json.dumps({"token": token}) + "\n")
    command = java_command(jars, (*own, *options), "kafka.Kafka", str(files.properties))
    with files.console.open("wb") as console, _affinity(cpus):
        child = subprocess.Popen(  # noqa: S603 - our own command line, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            env=java_environment(),
            cwd=files.root,
            start_new_session=True,  # Ctrl-C in a terminal is for whoever started us; they stop us in order
        )
    with suppress(psutil.NoSuchProcess):  # gone already: the caller sees that from the child
        record = {"pid": child.pid, "started": psutil.Process(child.pid).create_time(), "token": token}
        write_atomically(files.process, json.dumps(record) + "\n")
    return child


def find(files: NodeFiles) -> psutil.Process | None:
    """Return the live broker process that was recorded for ``files``.

    It is ours only if process id, start time and the random token on its command line agree: ids are reused. Where the
    token alone is on record, whoever started it died before the rest was.
    """
    try:
        record = json.loads(files.process.read_text())
        if set(record) == {"token"}:
            return _with_token(str(record["token"]))
        process = psutil.Process(int(record["pid"]))
        if abs(process.create_time() - float(record["started"])) > _START_TOLERANCE_S:
            return None
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        return process if str(record["token"]) in command_line(process) else None
    except (FileNotFoundError, ValueError, KeyError, TypeError, psutil.NoSuchProcess, psutil.AccessDenied):
        # No record, a torn one, or a process that is not ours to look at: then it is not our broker.
        return None


def command_line(process: psutil.Process) -> list[str]:
    """Return the command line of ``process``, waiting for the moment in which it has none.

    Inside ``exec`` the kernel shows an empty one, and ``Popen`` returns before that is over: one start in five on a
    busy machine. Taken at its word, a broker that was just started would count as gone and be left behind.
    """
    deadline = time.monotonic() + _EXEC_TIMEOUT_S
    while not (line := process.cmdline()) and time.monotonic() < deadline:
        time.sleep(0.001)
    return list(line)


def end(processes: Sequence[psutil.Process], grace_s: float) -> None:
    """End ``processes``: SIGTERM, up to ``grace_s`` for all of them, then SIGKILL."""
    if grace_s > 0:
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGCONT)  # a stopped process would not see the next one
                process.terminate()
        _, processes = psutil.wait_procs(processes, timeout=grace_s)
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, timeout=10)


def _with_token(token: str) -> psutil.Process | None:
    if not token.startswith(_TOKEN):
        return None
    for process in psutil.process_iter(["cmdline", "status"]):
        if token in (process.info["cmdline"] or ()) and process.info["status"] != psutil.STATUS_ZOMBIE:
            return process
    return None


@contextmanager
def _affinity(cpus: Sequence[int] | None) -> Iterator[None]:
    # A child inherits the affinity of the thread that starts it; set before, so that all its threads have it.
    if cpus is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
