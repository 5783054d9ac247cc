"""Which shard an event belongs to, and which shard a line delivers to, as its control records say."""

import json

from schemas.topics import kambi_shard
from tricast.audit.records import Raw

_ALONE = (0, 1)


class Shards:
    """One per raw partition, fed with its control records in order."""

    def __init__(self) -> None:
        self._of_line: dict[str, tuple[int, int]] = {}

    def save(self) -> dict[str, tuple[int, int]]:
        """Return what is known, for an audit that goes on later."""
        return self._of_line

    def load(self, of_line: dict[str, tuple[int, int]]) -> None:
        """Know what another one knew."""
        self._of_line = of_line

    def opened(self, raw: Raw) -> None:
        """Learn the shard of a line, and how many shards there are, from an ``opened`` record that is in order."""
        try:
            value = json.loads(raw.value)
            shards = value.get("shards")
            shard = kambi_shard(raw.partition) if value.get("shard") is None else value["shard"]
            if shard is not None and shards is not None and 0 <= shard < shards:
                self._of_line[raw.line] = (shard, shards)
        except (ValueError, TypeError, AttributeError, RecursionError):
            return

    def ticked(self, raw: Raw) -> None:
        """Learn the shard of a line whose ``opened`` lies before the first record that is read.

        A tick names the number of shards; a line's shard is that of its partition, and all of the settlements'.
        """
        if raw.line in self._of_line:
            return
        try:
            shards = int(json.loads(raw.value)["shards"])
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
            return
        shard = kambi_shard(raw.partition)
        self._of_line[raw.line] = _ALONE if shard is None or shard >= shards else (shard, shards)

    def is_foreign(self, line: str, identifier: str) -> bool:
        """Return whether the event (or the offer of an unknown event) ``identifier`` is not of the line's shard."""
        shard, shards = self._of_line.get(line, _ALONE)
        return identifier != "" and int(identifier) % shards != shard
