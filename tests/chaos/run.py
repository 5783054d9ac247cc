"""One run: the product comes up, is struck, comes to rest and is judged."""

import subprocess
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any, Final

from tests.chaos import settings
from tests.chaos.fault import Kind
from tests.chaos.judges import Result, audit, check, followed
from tests.chaos.lanes import Lanes
from tests.chaos.plan import plan
from tests.chaos.product import Product
from tests.chaos.progress import Screen
from tests.chaos.quiet import NotQuiet, Pace, dump, pause, recover, settle
from tests.chaos.sampler import Sampler
from tests.chaos.summary import keep

_SAMPLER_S: Final = 30.0
_PACE: Final = Pace()
_UP_S: Final = 600.0
_LOOK_S: Final = 0.5


def run(product: Product, kinds: Sequence[Kind], *, seconds: float, screen: Screen, pace: Pace = _PACE) -> Result:
    """Run the product under the faults of a plan and let ``tricast audit`` judge what it left.

    Args:
        product: Not started; in its folder everything is kept.
        kinds: What may strike.
        seconds: How long it is struck.
        screen: Where progress is told.
        pace: How long it is left alone on its way to rest.
    """
    result = Result()
    history = product.history
    history.add("run", **_about(product, seconds))
    screen.say("creating topics")
    product.tricast("topics", "create")
    sampler = Sampler(product.kafka.bootstrap_servers, product.topics, product.groups, history)
    with followed(product, result):
        sampler.start()
        try:
            with product:
                lanes = Lanes(plan(kinds, product.seed, seconds), product, history, seed=product.seed, seconds=seconds)
                _live(product, sampler, lanes, result, screen, pace)
            audit(product, result, screen)
        finally:
            sampler.quit.set()
            sampler.join(_SAMPLER_S)
    return result


def finish(product: Product, result: Result, screen: Screen) -> None:
    """End the brokers in order, let the checker read their segments, and keep the summary.

    Args:
        product: Ended.
        result: Of its run; completed here.
        screen: Where progress is told.
    """
    screen.say("brokers end, their segments are read")
    kafka = product.kafka
    for broker in kafka.brokers:
        if kafka.pid(broker) is not None:
            kafka.stop_broker(broker)
    product.history.add("stopped")
    check(product, result, segments=True)
    screen.say("what each fault cost")
    keep(product.folder, result)


def _live(product: Product, sampler: Sampler, lanes: Lanes, result: Result, screen: Screen, pace: Pace) -> None:
    screen.say("waiting until every processor has worked")
    _await_up(product, sampler)
    lanes.start()
    while not lanes.over:
        time.sleep(_LOOK_S)
        screen.show(lanes, sampler.latest)
    result.problems += [f"a fault failed: {text}" for text in lanes.failures]
    if lanes.dropped:
        screen.say(f"{lanes.dropped} strikes dropped: their lanes were a minute behind the plan")
    result.dropped = lanes.dropped
    screen.say("faults are over; the load ends, and what is on its way is waited for")
    began = time.monotonic()
    try:
        recover(product, sampler, pace)
        pause(product)
        dump(product)
        result.problems += settle(product, sampler, pace)
    except NotQuiet as error:
        result.problems.append(f"did not come to rest: {error}")
    product.history.add("quiet", waited_s=time.monotonic() - began)


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


def _about(product: Product, seconds: float) -> dict[str, Any]:
    return {
        "seed": product.seed,
        "seconds": seconds,
        "versions": {
            "tricast": version("tricast"),
            "kafka": product.kafka.status().version,
            "python": python_version(),
        },
        "commit": _commit(),
        "settings": product.environment,
        "prefix": product.prefix,
        "topics": product.topics,
        "groups": {group: list(sources) for group, sources in product.groups.items()},
        "session_timeout_s": settings.SESSION_TIMEOUT_S,
        "transaction_timeout_s": settings.TRANSACTION_TIMEOUT_S,
    }


def _commit() -> str:
    """Return which commit this is run from; empty outside of a clone."""
    asked = subprocess.run(
        ["git", "-C", Path(__file__).parent, "describe", "--always", "--dirty"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return asked.stdout.decode().strip()
