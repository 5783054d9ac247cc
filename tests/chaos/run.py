"""One run: the product comes up, is struck, comes to rest and is judged."""

import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any, Final

from tests.chaos import settings
from tests.chaos.arrivals import arrivals
from tests.chaos.fault import Kind
from tests.chaos.history import History, read
from tests.chaos.lanes import Lanes
from tests.chaos.plan import Strike, plan
from tests.chaos.product import VENDORS, Product
from tests.chaos.progress import Screen
from tests.chaos.quiet import NotQuiet, dump, pause, settle
from tests.chaos.recovery import Recovery, recoveries
from tests.chaos.sampler import Sampler
from tests.chaos.summary import FILE, summary
from tricast.kafka import KAFKA_VERSION, Cluster

_UP_S: Final = 300.0
_LOOK_S: Final = 0.5


@dataclass(slots=True, kw_only=True)
class Result:
    """What a run came to.

    Attributes:
        problems: What speaks against it besides the judges.
        audits: What ``tricast audit`` said, by feed.
        recovered: What each fault cost.
        verdict: What the checker said.
        strikes: The plan.
    """

    problems: list[str] = field(default_factory=list)
    audits: dict[str, dict[str, Any]] = field(default_factory=dict)
    recovered: list[Recovery] = field(default_factory=list)
    verdict: dict[str, Any] = field(default_factory=dict)
    strikes: tuple[Strike, ...] = ()

    @property
    def held(self) -> bool:
        """Whether every judge is content."""
        return (
            not self.problems
            and self.verdict.get("held") is not False
            and set(self.audits) == set(VENDORS)
            and all(audit["clean"] for audit in self.audits.values())
        )


def run(folder: Path, kafka: Cluster, kinds: tuple[Kind, ...], *, seed: int, seconds: float, screen: Screen) -> Result:
    """Run the product under the faults of a plan, and judge it.

    Args:
        folder: Empty; everything is kept there.
        kafka: Three running brokers without topics; they are down in the end, their files are left.
        kinds: What may strike.
        seed: Of everything that is drawn.
        seconds: How long it is struck.
        screen: Where progress is told.
    """
    (folder / "logs").mkdir(parents=True)
    result = Result(strikes=plan(kinds, seed, seconds))
    with History(folder / "history.jsonl") as history:
        product = Product(folder, kafka, history, seed)
        history.add("run", **_about(product, seconds))
        screen.say("creating topics")
        product.tricast("topics", "create")
        sampler = Sampler(kafka.bootstrap_servers, product.topics, product.groups, history)
        sampler.start()
        try:
            with product:
                _live(product, sampler, history, result, seconds, screen)
                _judge(product, sampler, result, screen)
        finally:
            sampler.quit.set()
            sampler.join(30)
        screen.say("brokers end, their segments are read")
        for broker in kafka.brokers:
            if kafka.pid(broker) is not None:
                kafka.stop_broker(broker)
        history.add("stopped")
    result.verdict = _checked(folder, "--segments", *_log_directories(kafka), problems=result.problems)
    summed = summary(read(folder / "history.jsonl"), result.recovered, result.audits, result.verdict)
    summed |= {"held": result.held, "problems": result.problems}
    (folder / FILE).write_text(json.dumps(summed, indent=1))
    return result


def _live(product: Product, sampler: Sampler, history: History, result: Result, seconds: float, screen: Screen) -> None:
    screen.say("waiting until every processor has worked")
    _await_up(product, sampler)
    lanes = Lanes(result.strikes, product, history, seed=product.seed, seconds=seconds)
    lanes.start()
    while not lanes.over:
        time.sleep(_LOOK_S)
        screen.show(lanes, sampler.latest, seconds)
    result.problems += [f"a fault failed: {text}" for text in lanes.failures]
    if lanes.dropped:
        screen.say(f"{lanes.dropped} strikes dropped: their lanes were a minute behind the plan")
    screen.say("load stopped; waiting for what is on its way, and for the windows of RMS to pass")
    began = time.monotonic()
    try:
        pause(product)
        dump(product)
        settle(product, sampler)
    except NotQuiet as error:
        result.problems.append(f"did not come to rest: {error}")
    history.add("quiet", waited_s=time.monotonic() - began)


def _await_up(product: Product, sampler: Sampler) -> None:
    """Wait until every processor has committed something.

    Raises:
        TimeoutError: One of them has not after minutes.
    """
    deadline = time.monotonic() + _UP_S
    while idle := [group for group in product.groups if not sampler.latest.get("committed", {}).get(group)]:
        if time.monotonic() > deadline:
            raise TimeoutError(f"not up: {idle}; see {product.folder / 'logs'}")
        time.sleep(_LOOK_S)


def _judge(product: Product, sampler: Sampler, result: Result, screen: Screen) -> None:
    screen.say("the checker reads topics and ledgers")
    bootstrap = product.kafka.bootstrap_servers
    result.verdict = _checked(product.folder, "--bootstrap", bootstrap, problems=result.problems)
    for feed in VENDORS:
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
    result.recovered = recoveries(
        read(product.folder / "history.jsonl"), arrivals(bootstrap, ends), product.groups, product.prefix
    )


def _checked(folder: Path, *arguments: str, problems: list[str]) -> dict[str, Any]:
    """Let the checker look, as a process of its own: it knows nothing of us."""
    command = [sys.executable, "-m", "tests.chaos.checker", str(folder), *arguments]
    with (folder / "logs" / "checker.log").open("ab") as log:
        code = subprocess.run(command, stdout=log, stderr=log, check=False).returncode
    told = folder / "verdict.json"
    if code not in (0, 1) or not told.exists():
        problems.append(f"the checker failed with {code}; see {folder / 'logs' / 'checker.log'}")
        return {}
    return json.loads(told.read_text())


def _log_directories(kafka: Cluster) -> list[str]:
    return [str(kafka.files.node(broker).storage) for broker in kafka.brokers]


def _about(product: Product, seconds: float) -> dict[str, Any]:
    return {
        "seed": product.seed,
        "seconds": seconds,
        "versions": {"tricast": version("tricast"), "kafka": KAFKA_VERSION, "python": python_version()},
        "settings": product.environment,
        "prefix": product.prefix,
        "topics": product.topics,
        "groups": {group: list(sources) for group, sources in product.groups.items()},
        "session_timeout_s": settings.SESSION_TIMEOUT_S,
        "transaction_timeout_s": settings.TRANSACTION_TIMEOUT_S,
    }
