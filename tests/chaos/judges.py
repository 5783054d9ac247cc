"""Who judges a run: the checker, which knows nothing of us, and ``tricast audit`` as a second opinion."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.chaos.peers import without_gate
from tests.chaos.product import Product
from tests.chaos.progress import Screen
from tricast.stack import tether

_NOTHING_FOUND, _FOUND = 0, 1
"""Exit codes of the checker; any other says that it failed itself."""
_READ_ON_S: Final = 300.0
VERDICT: Final = "verdict.json"


@dataclass(slots=True, kw_only=True)
class Result:
    """What a run came to.

    Attributes:
        problems: What speaks against it besides the judges: a fault that failed, a product that did not come to rest.
        dropped: How many strikes of the plan did not come about, because lanes were behind.
        verdict: What the checker said.
        audits: What ``tricast audit`` said, by feed.
    """

    problems: list[str] = field(default_factory=list)
    dropped: int = 0
    verdict: dict[str, Any] = field(default_factory=dict)
    audits: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def held(self) -> bool:
        """Whether every judge has spoken and is content."""
        clean = bool(self.audits) and all(audit["clean"] for audit in self.audits.values())
        return not self.problems and bool(self.verdict.get("held")) and clean


@contextlib.contextmanager
def followed(product: Product, result: Result) -> Iterator[None]:
    """Let the checker read along from here on, as consumers would; it reads on to the end when this is left.

    Args:
        product: Whose topics are read; they are there.
        result: Told when it failed.
    """
    log = _log(product)
    with log.open("ab") as output:
        follower = subprocess.Popen(
            [
                *(sys.executable, "-I", "-S", tether.__file__, str(os.getpid())),
                *(sys.executable, "-m", "tests.chaos.checker.follow", str(product.folder)),
                *("--bootstrap", product.kafka.bootstrap_servers, "--prefix", product.prefix),
            ],
            stdout=output,
            stderr=output,
        )
    try:
        yield
    finally:
        follower.send_signal(signal.SIGTERM)
        code = follower.wait(_READ_ON_S)
        if code:
            result.problems.append(f"the checker's reader ended with {code}; see {log}")


def audit(product: Product, result: Result, screen: Screen) -> None:
    """Ask ``tricast audit`` about every feed, ledger and all.

    Args:
        product: Came to rest.
        result: Completed here.
        screen: Where progress is told.
    """
    for feed in product.feeds:
        screen.say(f"tricast audit {feed}")
        ledger = product.folder / f"{feed}-ledger.jsonl"
        if feed == "fastpath":
            told, ledger = ledger, product.folder / "fastpath-ledger-without-gate.jsonl"
            without_gate(told, product.gates[feed].passed, ledger)
        printed = product.tricast("audit", feed, "--json", "--ledger", str(ledger))
        (product.folder / f"audit-{feed}.json").write_text(printed)
        try:
            result.audits[feed] = json.loads(printed)
        except ValueError:
            result.problems.append(f"audit of {feed} failed; see {product.folder}")


def check(product: Product, result: Result, *, segments: bool) -> None:
    """Let the checker judge what it read, and what brokers left on disk.

    Args:
        product: Ended, and followed to its end.
        result: Completed here.
        segments: Whether its brokers have ended, so that their files may be read.
    """
    directories = [str(product.kafka.files.node(broker).storage) for broker in product.kafka.brokers]
    command = [sys.executable, "-m", "tests.chaos.checker", str(product.folder)]
    log = _log(product)
    with log.open("ab") as output:
        code = subprocess.run(
            [*command, *(("--segments", *directories) if segments else ())], stdout=output, stderr=output, check=False
        ).returncode
    told = product.folder / VERDICT
    if code in (_NOTHING_FOUND, _FOUND) and told.exists():
        result.verdict = json.loads(told.read_text())
    else:
        result.problems.append(f"the checker failed with {code}; see {log}")


def _log(product: Product) -> Path:
    return product.folder / "logs" / "checker.log"
