"""The settlements line: one key, ``bh``, on a connection and in a partition of its own."""

import asyncio
import logging
from collections.abc import Mapping, Sequence

from connectors.kambi import keys, names, protocol
from connectors.kambi.line import ShardOf
from connectors.kambi.shard import Outset
from connectors.record import LastFrame
from connectors.sink import FrameSink

log = logging.getLogger(__name__)

_NOTHING_SKIPPED = ShardOf(0, 1)  # settled outcomes name no event, so they have no shard


class Settlements:
    """Keeps the settlements line; it has nothing to plan.

    Args:
        outset: What it shares with the shards.
        sink: Queue of the settlements partition.
        previous: Where its line stood before this process.
    """

    def __init__(self, outset: Outset, *, sink: FrameSink, previous: Mapping[str, LastFrame]) -> None:
        self._outset = outset
        self._key = keys.settled(outset.settings.offering)
        name = names.settlements(outset.settings.replica)
        self.line = outset.line(name, shard=_NOTHING_SKIPPED, sink=sink, previous=previous.get(name), owner=self)

    def start(self, group: asyncio.TaskGroup) -> None:
        """Open the line; it runs in ``group`` until the process is to stop."""
        line = self.line
        group.create_task(self._outset.runner.keep_connected(line.name, line.connect, line.counts), name=line.name)

    # -- what the line says ------------------------------------------------------------------------------------------

    def keys_of(self, line: str) -> Sequence[str]:
        return (self._key,)

    def emitted(self, line: str, keys: Sequence[str], *, fresh: bool) -> None:
        pass

    def received(self, packet: bytes) -> None:
        pass

    def signs(self, line: str, signs: Sequence[protocol.Sign]) -> None:
        for sign in signs:
            if isinstance(sign, protocol.Refused):
                log.warning("kambi.refused line=%s code=%d topic=%s", line, sign.code, sign.topic)
