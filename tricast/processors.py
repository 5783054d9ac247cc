"""The processors there are; each is a consumer group, a Faust app and a process of its own."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from processors.core.kambi.processor import KambiProcessor
from processors.core.processor import Processor


class ProcessorFactory(Protocol):
    """Makes a processor of what settings say about it."""

    def __call__(self, *, copy_skew_ms: int = 0) -> Processor:
        """Return the processor; see ``KambiProcessor`` for ``copy_skew_ms``."""
        ...


PROCESSORS: Mapping[str, ProcessorFactory] = MappingProxyType({"kambi": KambiProcessor})
"""By name. Cores only: the engine under them is imported where a worker runs."""
