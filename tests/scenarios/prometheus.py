"""A real Prometheus on loopback, with the product's own rules and scrape configuration."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from tests.endurance.stack import free_port
from tricast.stack import tether

FOLDER: Final = Path(__file__).parents[2] / "deploy/prometheus"
CONFIG: Final = FOLDER / "prometheus.yml"
RULES: Final = FOLDER / "alerts.yml"
_START_S: Final = 60.0
_LOOK_S: Final = 0.1
_ASK_S: Final = 10.0


def is_there() -> bool:
    """Whether there is one on this machine (Debian: ``apt install prometheus``)."""
    return shutil.which("prometheus") is not None


def interval_s() -> float:
    """Return how often it scrapes and evaluates, seconds."""
    stated = yaml.safe_load(CONFIG.read_text())["global"]
    assert stated["scrape_interval"] == stated["evaluation_interval"]
    return float(stated["scrape_interval"].removesuffix("s"))


def config_of(ports: Mapping[str, int]) -> dict[str, Any]:
    """Return the product's configuration with the processes that there are, at the ports that they have."""
    config: dict[str, Any] = yaml.safe_load(CONFIG.read_text())
    config["rule_files"] = [str(RULES)]
    for job in config["scrape_configs"]:
        job["static_configs"] = [
            target | {"targets": [f"127.0.0.1:{ports[name]}"]}
            for target in job["static_configs"]
            if (name := target["labels"]["instance"]) in ports
        ]
    return config


class Prometheus:
    """One that runs."""

    def __init__(self, url: str) -> None:
        self._url = url

    def firing(self) -> frozenset[str]:
        """Return the codes of the alerts that fire."""
        alerts = self.ask("alerts")["alerts"]
        return frozenset(alert["labels"]["code"] for alert in alerts if alert["state"] == "firing")

    def series(self, query: str, begin_s: float, end_s: float, step_s: float) -> list[dict[str, Any]]:
        """Return series as of every step; a value that was not there is left out."""
        found: list[dict[str, Any]] = self.ask("query_range", query=query, start=begin_s, end=end_s, step=step_s)[
            "result"
        ]
        return found

    def ask(self, what: str, **parameters: str | float) -> Any:
        """Ask its API.

        Raises:
            OSError: It does not answer.
        """
        url = f"{self._url}/api/v1/{what}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=_ASK_S) as answer:
            return json.loads(answer.read())["data"]


@contextlib.contextmanager
def prometheus(folder: Path, ports: Mapping[str, int]) -> Iterator[Prometheus]:
    """Run one that scrapes ``ports``, until the end of the block.

    Raises:
        TimeoutError: It does not start.
    """
    program = shutil.which("prometheus")
    assert program is not None
    folder.mkdir()
    config = folder / "prometheus.yml"
    config.write_text(yaml.safe_dump(config_of(ports)))
    port = free_port()
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-I", "-S", tether.__file__, str(os.getpid()), program),
                f"--config.file={config}",
                f"--storage.tsdb.path={folder / 'tsdb'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        running = Prometheus(f"http://127.0.0.1:{port}")
        deadline = time.monotonic() + _START_S
        while True:
            try:
                running.ask("status/buildinfo")
                break
            except OSError as error:
                if time.monotonic() > deadline or process.poll() is not None:
                    raise TimeoutError(f"Prometheus does not start: {folder / 'prometheus.log'}") from error
                time.sleep(_LOOK_S)
        yield running
    finally:
        process.kill()
        process.wait()
