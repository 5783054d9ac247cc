"""The processors there are; each is a consumer group, a Faust app and a process of its own."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from math import ceil
from types import MappingProxyType

from processors.core.fastpath.latest import FastpathState
from processors.core.fastpath.processor import FastpathProcessor
from processors.core.kambi.latest.processor import KambiState
from processors.core.kambi.processor import KambiProcessor
from processors.core.processor import Processor
from processors.core.rms.approvals.processor import RmsApprovals
from processors.core.rms.bets.processor import RmsBets
from processors.core.rms.join.processor import RmsJoin
from tricast.settings import Settings


def _kambi(settings: Settings) -> Processor:
    return KambiProcessor(copy_skew_ms=settings.kambi.copy_skew_ms)


def _fastpath(settings: Settings) -> Processor:
    fastpath = settings.fastpath
    return FastpathProcessor(
        hold_ms=fastpath.hold_ms,
        hold_count=fastpath.hold_count,
        repairs_per_fixture=fastpath.repairs_per_fixture,
        repair_window_s=ceil(fastpath.repair_window_s),
        repair_timeout_s=ceil(fastpath.repair_timeout_s),
    )


def _rms_approvals(settings: Settings) -> Processor:
    return RmsApprovals(remember_s=ceil(settings.rms.remember_s))


def _rms_bets(settings: Settings) -> Processor:
    return RmsBets(remember_s=ceil(settings.rms.remember_s))


def _rms_join(settings: Settings) -> Processor:
    rms = settings.rms
    return RmsJoin(
        window_prematch_s=ceil(rms.window_prematch_s),
        window_live_s=ceil(rms.window_live_s),
        orphan_s=ceil(rms.orphan_s),
        verify_s=ceil(rms.verify_s),
        unanswered_s=ceil(rms.unanswered_s),
        remember_s=ceil(rms.remember_s),
        look_ups=rms.lookups_per_15_min,
    )


PROCESSORS: Mapping[str, Callable[[Settings], Processor]] = MappingProxyType(
    {
        "kambi": _kambi,
        "fastpath.audit": _fastpath,
        "rms.approvals": _rms_approvals,
        "rms.bets": _rms_bets,
        "rms.join": _rms_join,
        "kambi.state": lambda _: KambiState(),
        "fastpath.state": lambda _: FastpathState(),
    }
)
"""By name. Cores only: the engine under them is imported where a worker runs. New ones at the end: the place says at
which port each serves its metrics."""

STATES: frozenset[str] = frozenset({"kambi.state", "fastpath.state"})
"""Processors of latest states: who does not want them does not run them, and nobody misses them before they ever ran.
What they make comes of other processors' facts, not of a feed."""


def sources_of(names: Iterable[str], prefix: str) -> dict[str, Sequence[str]]:
    """Return the consumer group of each named processor with the physical topics it reads."""
    defaults = Settings()
    return {prefix + name: [prefix + source for source in PROCESSORS[name](defaults).sources] for name in names}
