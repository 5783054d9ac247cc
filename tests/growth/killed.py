"""``python -m tests.growth.killed BOOTSTRAP PREFIX PHASE PARTITIONS``: grow, and be gone where a phase begins."""

import asyncio
import os
import sys

from processors.core.fastpath.latest import FastpathState
from processors.core.fastpath.processor import FastpathProcessor
from processors.core.kambi.latest.processor import KambiState
from processors.core.kambi.processor import KambiProcessor
from schemas.kafka import KafkaSettings
from schemas.topics import Partitions, registry
from tricast.growth.run import Grow

PROCESSORS = {"kambi": (KambiProcessor, KambiState), "fastpath": (FastpathProcessor, FastpathState)}


def grow(bootstrap: str, prefix: str, partitions: Partitions, phase: str = "nothing", *, feed: str = "kambi") -> Grow:
    """Return a growth of a feed's topics whose process ends, as by kill -9, when it comes to ``phase``."""

    def tell(shown: str, _done: int, _total: int) -> None:
        if shown.startswith(phase):
            os._exit(9)

    wanted = {name: topic for name, topic in registry(partitions).items() if feed in name}
    return Grow(
        KafkaSettings(bootstrap_servers=bootstrap),
        prefix=prefix,
        wanted=wanted,
        processors=[processor() for processor in PROCESSORS[feed]],
        passed=(),
        progress=tell,
    )


async def _main(bootstrap: str, prefix: str, phase: str, partitions: str) -> None:
    task = grow(bootstrap, prefix, Partitions.model_validate_json(partitions), phase)
    await task.do(await task.plan())


if __name__ == "__main__":
    asyncio.run(_main(*sys.argv[1:]))
