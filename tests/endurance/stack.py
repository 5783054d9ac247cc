"""The whole product as processes, each of which can be killed: simulator, two connectors (hot standby), two workers."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from tricast.stack import tether

GRACE_S = 30.0


class Stack:
    """Processes by name; one that ended is started again by :meth:`tend`, as a supervisor would.

    Args:
        bootstrap: Kafka.
        prefix: Topic prefix.
        folder: Logs, ledger, spools.
        port: Where the simulator listens.
        settings: Further environment variables for all of them.
    """

    def __init__(self, bootstrap: str, prefix: str, folder: Path, port: int, settings: dict[str, str]):
        self.folder = folder
        self.ledger = folder / "ledger.jsonl"
        self._url = f"http://127.0.0.1:{port}"
        common = {
            "TRICAST_KAFKA__BOOTSTRAP_SERVERS": bootstrap,
            "TRICAST_TOPIC_PREFIX": prefix,
            "TRICAST_KAMBI__PUSH_URL": f"ws://127.0.0.1:{port}",
            "TRICAST_KAMBI__OFFERING_URL": self._url,
            "TRICAST_SIMULATOR__KAMBI__PORT": str(port),
            "TRICAST_SIMULATOR__KAMBI__LEDGER": str(self.ledger),
            **settings,
        }
        spool = "TRICAST_KAMBI__SPOOL_DIR"
        self._plans: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
            "simulate": (("simulate", "kambi"), common),
            "worker-0": (("work-one", "kambi"), common | {"TRICAST_ENGINE__WORKER_NAME": "w0"}),
            "worker-1": (("work-one", "kambi"), common | {"TRICAST_ENGINE__WORKER_NAME": "w1"}),
            "connect-a": (("connect", "kambi"), common | {spool: str(folder / "spool-a")}),
            "connect-b": (
                ("connect", "kambi"),
                common | {spool: str(folder / "spool-b"), "TRICAST_KAMBI__REPLICA": "b"},
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
