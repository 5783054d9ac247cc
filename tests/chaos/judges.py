"""Who judges a run: the checker, which knows nothing of us; ``tricast audit`` as a second opinion; what faults cost."""

import json
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any, Final

from tests.chaos.arrivals import arrivals
from tests.chaos.history import read
from tests.chaos.product import HISTORY, Product
from tests.chaos.progress import Screen
from tests.chaos.recovery import Recovery, recoveries
from tests.chaos.sampler import Sampler

_NOTHING_FOUND, _FOUND = 0, 1
"""Exit codes of the checker; any other says that it failed itself."""
VERDICT: Final = "verdict.json"


@dataclass(slots=True, kw_only=True)
class Result:
    """What a run came to.

    Attributes:
        problems: What speaks against it besides the judges: a fault that failed, a product that did not come to rest.
        verdict: What the checker said.
        audits: What ``tricast audit`` said, by feed.
        recovered: What each fault cost.
    """

    problems: list[str] = field(default_factory=list)
    verdict: dict[str, Any] = field(default_factory=dict)
    audits: dict[str, dict[str, Any]] = field(default_factory=dict)
    recovered: list[Recovery] = field(default_factory=list)

    @property
    def held(self) -> bool:
        """Whether every judge has spoken and is content."""
        clean = bool(self.audits) and all(audit["clean"] for audit in self.audits.values())
        return not self.problems and bool(self.verdict.get("held")) and clean


def judge(product: Product, sampler: Sampler, result: Result, screen: Screen) -> None:
    """Judge what is in Kafka of a product that has come to rest.

    Args:
        product: Its workers still run; nothing is written any more.
        sampler: Knows where topics end.
        result: Completed here.
        screen: Where progress is told.
    """
    bootstrap = product.kafka.bootstrap_servers
    screen.say("the checker reads topics and ledgers")
    _check(product, result, "--bootstrap", bootstrap)
    for feed in product.feeds:
        screen.say(f"tricast audit {feed}")
        ledger = str(product.folder / f"{feed}-ledger.jsonl")
        printed = product.tricast("audit", feed, "--json", "--ledger", ledger)
        (product.folder / f"audit-{feed}.json").write_text(printed)
        try:
            result.audits[feed] = json.loads(printed)
        except ValueError:
            result.problems.append(f"audit of {feed} failed; see {product.folder}")
    screen.say("what each fault cost")
    sources = {source for sources in product.groups.values() for source in sources}
    ends = {place: end for place, end in sampler.latest["high"].items() if place.rpartition("/")[0] in sources}
    history = read(product.folder / HISTORY)
    result.recovered = recoveries(history, arrivals(bootstrap, ends), product.groups, product.prefix)


def read_segments(product: Product, result: Result) -> None:
    """Let the checker read what brokers that have ended left on disk."""
    directories = (product.kafka.files.node(broker).storage for broker in product.kafka.brokers)
    _check(product, result, "--segments", *map(str, directories))


def _check(product: Product, result: Result, *arguments: str) -> None:
    command = [sys.executable, "-m", "tests.chaos.checker", str(product.folder), *arguments]
    log = product.folder / "logs" / "checker.log"
    with log.open("ab") as output:
        code = subprocess.run(command, stdout=output, stderr=output, check=False).returncode
    told = product.folder / VERDICT
    if code in (_NOTHING_FOUND, _FOUND) and told.exists():
        result.verdict = json.loads(told.read_text())
    else:
        result.problems.append(f"the checker failed with {code}; see {log}")
