"""Page, ``tricast status``, ``/readyz`` and alerts, as they stand each second."""

import contextlib
import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from tests.chaos.processes import outside
from tests.scenarios.product import Product
from tests.scenarios.prometheus import Prometheus
from tricast.stack import tether

GONE: Final = "gone"
"""Of a process that does not answer."""
ALL: Final = "*"
"""For the worst of all processes."""
_WORST: Final = (GONE, "unready", "degraded", "ready")
_READYZ_S: Final = 4.0
"""A process that stands does not answer; one that lives answers at once, save on a machine that is very busy."""
_AGAIN_S: Final = 0.5
_SILENT_S: Final = 15.0
"""The page says something every two seconds."""
_STATE: Final = re.compile(r'data-state="(\w+)"')
_CODE: Final = re.compile(r'<li data-key="([a-z-]+) ')


@dataclass(frozen=True, slots=True)
class Said:
    """The verdict, as somebody says it: ``state`` is empty before it has said anything."""

    state: str = ""
    codes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Moment:
    """What was said at a time.

    Attributes:
        at_s: UTC.
        readyz: State of the part that is struck.
        firing: Codes of alerts.
    """

    at_s: float
    page: Said
    status: Said
    readyz: str
    firing: frozenset[str]


class Witnesses:
    """They listen all the time, in threads; :meth:`look` says what they heard last.

    Args:
        product: Is asked.
        prometheus: Is asked.
        part: Whose ``/readyz``; :data:`ALL`, or empty for none.
    """

    def __init__(self, product: Product, prometheus: Prometheus, part: str) -> None:
        self._product = product
        self._prometheus = prometheus
        self._part = part
        self._page = Said()
        self._status = Said()

    def look(self) -> Moment:
        """Return what they say now."""
        parts = self._product.observed if self._part == ALL else [self._part] if self._part else []
        readyz = {self._readyz(part) for part in parts}
        worst = next((state for state in _WORST if state in readyz), "")
        return Moment(time.time(), self._page, self._status, worst, self._prometheus.firing())

    def _readyz(self, part: str) -> str:
        try:
            return str(self._product.ask(part, "/readyz", timeout_s=_READYZ_S)["state"])
        except OSError:
            return GONE

    @contextlib.contextmanager
    def listening(self) -> Iterator["Witnesses"]:
        """Listen until the end of the block; yield these."""
        with self._watching() as process, contextlib.ExitStack() as ending:
            over = threading.Event()
            ending.callback(over.set)
            for follow in (lambda: self._follow_page(over), lambda: self._follow_status(process)):
                threading.Thread(target=follow, daemon=True).start()
            yield self

    @contextlib.contextmanager
    def _watching(self) -> "Iterator[subprocess.Popen[bytes]]":
        with (self._product.folder / "logs" / "status.log").open("ab") as log:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-S", tether.__file__, str(os.getpid())),
                    *(sys.executable, "-m", "tricast", "status", "--watch", "--json"),
                ],
                stdout=subprocess.PIPE,
                stderr=log,
                env=outside() | self._product.environment,
            )
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def _follow_status(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdout is not None
        for line in process.stdout:
            with contextlib.suppress(ValueError):  # half a line of one that was killed
                self._status = status_said(line)

    def _follow_page(self, over: threading.Event) -> None:
        url = f"http://127.0.0.1:{self._product.ports['page']}/events"
        while not over.wait(_AGAIN_S):
            with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=_SILENT_S) as events:
                for line in events:
                    if (said := page_said(line)) is not None:
                        self._page = said
            self._page = Said()


def page_said(line: bytes) -> Said | None:
    """Return the verdict that a line of the page's events brings, if it brings one."""
    if not line.startswith(b"data: "):
        return None
    verdict = json.loads(line.removeprefix(b"data: "))["sections"].get("verdict")
    state = None if verdict is None else _STATE.search(verdict)
    return None if verdict is None or state is None else Said(state[1], frozenset(_CODE.findall(verdict)))


def status_said(line: bytes) -> Said:
    """Return the verdict of a line of ``tricast status --watch --json``."""
    picture = json.loads(line)
    return Said(picture["state"], frozenset(reason["code"] for reason in picture["reasons"]))


def kept(path: Path) -> Callable[[Moment], None]:
    """Return what appends moments to a file, one JSON object a line."""

    def keep(moment: Moment) -> None:
        with path.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(asdict(moment), default=sorted) + "\n")

    return keep
