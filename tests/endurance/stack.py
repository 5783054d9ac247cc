"""The whole product as processes, each of which can be killed: simulator, two connectors (hot standby), two workers."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from tricast.stack import tether

GRACE_S = 30.0


Plans = dict[str, tuple[tuple[str, ...], dict[str, str]]]
"""Arguments of ``tricast`` and environment, by name of the process."""


class Stack:
    """Processes by name; one that ended is started again by :meth:`tend`, as a supervisor would.

    Args:
        feed: Name of the feed.
        processor: Name of its processor.
        bootstrap: Kafka.
        prefix: Topic prefix.
        folder: Logs, ledger, spools.
        port: Where the simulator listens.
        settings: Further environment variables for all of them.
    """

    def __init__(
        self, feed: str, processor: str, bootstrap: str, prefix: str, folder: Path, port: int, settings: dict[str, str]
    ):
        self.folder = folder
        self.ledger = folder / f"{feed}-ledger.jsonl"
        self._url = f"http://127.0.0.1:{port}"
        upper = feed.upper()
        common = {
            "TRICAST_KAFKA__BOOTSTRAP_SERVERS": bootstrap,
            "TRICAST_TOPIC_PREFIX": prefix,
            f"TRICAST_SIMULATOR__{upper}__PORT": str(port),
            f"TRICAST_SIMULATOR__{upper}__LEDGER": str(self.ledger),
            **settings,
        }
        spool = f"TRICAST_{upper}__SPOOL_DIR"
        self._plans: Plans = {
            "simulate": (("simulate", feed), common),
            "worker-0": (("work-one", processor), common | {"TRICAST_ENGINE__WORKER_NAME": "w0"}),
            "worker-1": (("work-one", processor), common | {"TRICAST_ENGINE__WORKER_NAME": "w1"}),
            "connect-a": (("connect", feed), common | {spool: str(folder / "spool-a")}),
            "connect-b": (
                ("connect", feed),
                common | {spool: str(folder / "spool-b"), f"TRICAST_{upper}__REPLICA": "b"},
            ),
        }
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.environment = common
        self.restarts: list[tuple[str, int]] = []

    def start(self, name: str) -> None:
        arguments, environment = self._plans[name]
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-S", tether.__file__, str(os.getpid())),
                    *(sys.executable, "-m", "tricast", *arguments),
                ],
                stdout=log,
                stderr=log,
                env=os.environ | environment,
            )

    def start_all(self) -> None:
        for name in self._plans:
            self.start(name)
            if name == "simulate":
                self._await_simulator()

    def kill(self, name: str) -> None:
        """SIGKILL and start again."""
        self.processes[name].kill()
        self.processes[name].wait()
        self.start(name)

    def end(self, name: str) -> int:
        """SIGTERM; return the exit code."""
        self.processes[name].send_signal(signal.SIGTERM)
        return self.processes[name].wait(GRACE_S)

    def tend(self) -> None:
        for name, process in self.processes.items():
            if process.poll() is not None:
                self.restarts.append((name, process.returncode))
                self.start(name)

    def close(self) -> None:
        for process in self.processes.values():
            if process.poll() is None:
                process.kill()
                process.wait()

    def ask(self, path: str, body: Any = None) -> Any:
        """Ask the simulator beside its vendor's API; a body makes it a POST."""
        content = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(f"{self._url}{path}", data=content), timeout=30) as answer:
            return json.loads(answer.read() or b"null")

    def tricast(self, *arguments: str, check: bool = True) -> str:
        """Run a command of ``tricast`` to its end and return what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "tricast", *arguments],
            env=os.environ | self.environment,
            stdout=subprocess.PIPE,
            check=check,
        )
        return done.stdout.decode()

    def _await_simulator(self) -> None:
        deadline = time.monotonic() + GRACE_S
        while True:
            try:
                self.ask("/simulator/state")
            except OSError:
                if time.monotonic() > deadline or self.processes["simulate"].poll() is not None:
                    raise
                time.sleep(0.1)
            else:
                return


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
