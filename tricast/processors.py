"""The processors there are; each is a consumer group, a Faust app and a process of its own."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from processors.core.kambi.processor import KambiProcessor
from processors.core.processor import Processor

PROCESSORS: Mapping[str, Callable[[], Processor]] = MappingProxyType({"kambi": KambiProcessor})
"""By name. Cores only: the engine under them is imported where a worker runs."""
