"""Bringing the product to rest, so that what is not there then is not coming any more."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.chaos.product import Product
from tests.chaos.sampler import Sampler
from tests.chaos.settings import LONGEST_WINDOW_S, SESSION_TIMEOUT_S, TRANSACTION_TIMEOUT_S

_LOOK_S: Final = 0.5
_STILL_S: Final = 5.0
_PATIENCE_S: Final = 240.0
_TICKS_PER_S: Final = 30
_SOME: Final = 10
"""Records in raw that tell that a feed is heard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long a product is left alone on its way to rest.

    Attributes:
        calm_s: How long the load goes on after every feed is heard again, for gaps to show and to close.
        slack_s: How long connectors run on after the last window has passed: Kambi's snapshots come every ten seconds.
        after_s: How long all stay as they are in the end: whatever a dead worker left open has been ended by then.
    """

    calm_s: float = 15.0
    slack_s: float = 10.0
    after_s: float = SESSION_TIMEOUT_S + TRANSACTION_TIMEOUT_S


class NotQuiet(Exception):
    """The product did not come to rest in time; what is told is what still moved."""


def recover(product: Product, sampler: Sampler, pace: Pace) -> None:
    """Let the load go on without faults until every feed is heard again, so that the last gap, too, has its end.

    Raises:
        NotQuiet: A feed is not heard for minutes.
    """
    began = _heard(product, sampler)

    def heard_again() -> bool:
        now = _heard(product, sampler)
        return all(now[feed] > began[feed] + _SOME for feed in product.feeds)

    _await(heard_again, lambda: f"raw had {began} records when faults were over, and has {_heard(product, sampler)}")
    time.sleep(pace.calm_s)


def pause(product: Product) -> None:
    """End the load, and wait until simulators have handed over all they had to say.

    Raises:
        NotQuiet: One of them still has something to say after minutes.
    """
    if "rms" in product.feeds:
        product.processes.retire("simulator:bets")
    waiting: Mapping[str, int] = {}

    def handed_over() -> bool:
        nonlocal waiting
        try:
            waiting = {vendor: product.ask(vendor, "/simulator/pause", {})["waiting"] for vendor in product.feeds}
        except TimeoutError:  # it waits itself, for a client that it has not given up yet
            return False
        return not any(waiting.values())

    _await(handed_over, lambda: f"simulators still have to hand over {dict(waiting)}")


def settle(product: Product, sampler: Sampler, pace: Pace) -> list[str]:
    """Wait until every window of RMS has passed and workers have worked off their sources; end everybody in order.

    Connectors still run: their ticks are the time that windows pass by, and their snapshots close Kambi's gaps.

    Returns:
        Who did not end as it should.

    Raises:
        NotQuiet: Workers do not come to the end of their sources.
    """
    time.sleep((LONGEST_WINDOW_S if "rms" in product.feeds else 0.0) + pace.slack_s)
    _await(lambda: _has_come(product, sampler), lambda: f"raw still grows: {_heard(product, sampler)}")
    badly = _retired(product, product.connectors())
    behind: dict[str, Any] = {}
    still_since = time.monotonic()
    last: Any = None

    def worked_off() -> bool:
        nonlocal behind, still_since, last
        now = sampler.latest
        if not now:
            return False
        if (state := (now["committed"], now["high"])) != last:
            last, still_since = state, time.monotonic()
        behind = lag(product, now)
        return not behind and time.monotonic() - still_since >= _STILL_S

    _await(worked_off, lambda: f"workers are behind: {behind}")
    time.sleep(pace.after_s)
    return [*badly, *_retired(product, product.workers())]


def _retired(product: Product, names: list[str]) -> list[str]:
    codes = {name: product.processes.retire(name) for name in names}
    return [f"{name} ended with {code} on SIGTERM, at rest" for name, code in codes.items() if code != 0]


def lag(product: Product, sample: Mapping[str, Any]) -> dict[str, int]:
    """Return how many records each group has not committed, by group and partition; none where nothing is left.

    ``rms.pending`` is written in transactions: their markers take up numbers behind the last record.
    """
    markers = f"{product.prefix}rms.pending/"
    found = {}
    for group, sources in product.groups.items():
        committed = sample["committed"].get(group, {})
        for place, high in sample["high"].items():
            if place.rpartition("/")[0] not in sources:
                continue
            left = high - committed.get(place, 0)
            if left > (2 if place.startswith(markers) else 0):
                found[f"{group} {place}"] = left
    return found


def dump(product: Product) -> None:
    """Keep what the simulators say that is true now."""
    truths: dict[str, tuple[str, Callable[[], Any]]] = {
        "kambi": ("kambi-state", lambda: product.ask("kambi", "/simulator/state")),
        "fastpath": ("fastpath-numbers", lambda: product.ask("fastpath", "/simulator/numbers")),
        "rms": ("rms-decisions", lambda: _decisions(product)),
    }
    for feed in product.feeds:
        name, said = truths[feed]
        (product.folder / f"{name}.json").write_text(json.dumps(said()))


def _has_come(product: Product, sampler: Sampler) -> bool:
    """Whether raw grows by no more than ticks and snapshots: all that vendors had to send again has come."""
    before = _heard(product, sampler)
    time.sleep(_STILL_S)
    now = _heard(product, sampler)
    return all(now[feed] - before[feed] <= _TICKS_PER_S * _STILL_S for feed in product.feeds)


def _heard(product: Product, sampler: Sampler) -> dict[str, int]:
    """Return how many records of each feed are in raw, as far as was seen."""
    high = sampler.latest.get("high", {})
    return {
        feed: sum(end for place, end in high.items() if place.startswith(f"{product.prefix}{feed}.raw/"))
        for feed in product.feeds
    }


def _decisions(product: Product) -> list[dict[str, Any]]:
    decisions: list[dict[str, Any]] = []
    after = 0
    while page := product.ask("rms", f"/simulator/decisions?after={after}")["bets"]:
        decisions += page
        after = page[-1]["number"]
    return decisions


def _await(done: Callable[[], bool], told: Callable[[], str]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not done():
        if time.monotonic() > deadline:
            raise NotQuiet(told())
        time.sleep(_LOOK_S)
