"""The processors there are; each is a consumer group, a Faust app and a process of its own."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from processors.core.kambi.processor import KambiProcessor
from processors.core.processor import Processor
from tricast.settings import Settings


def _kambi(settings: Settings) -> Processor:
    return KambiProcessor(copy_skew_ms=settings.kambi.copy_skew_ms)


PROCESSORS: Mapping[str, Callable[[Settings], Processor]] = MappingProxyType({"kambi": _kambi})
"""By name. Cores only: the engine under them is imported where a worker runs."""
