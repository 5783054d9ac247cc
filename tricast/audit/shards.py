"""Which shard an event belongs to, and which shard a line delivers to, as its ``opened`` records say."""

import json

from tricast.audit.records import Raw

_ALONE = (0, 1)


class Shards:
    """One per raw partition, fed with its ``opened`` records in order."""

    def __init__(self) -> None:
        self._of_line: dict[str, tuple[int, int]] = {}

    def opened(self, raw: Raw) -> None:
        """Learn the shard of a line, and how many shards there are, from its ``opened`` record."""
        try:
            value = json.loads(raw.value)
            self._of_line[raw.line] = (int(value["shard"]), max(1, int(value["shards"])))
        except (ValueError, TypeError, KeyError):
            self._of_line[raw.line] = _ALONE

    def is_foreign(self, line: str, identifier: str) -> bool:
        """Return whether the event (or the offer of an unknown event) ``identifier`` is not of the line's shard."""
        shard, shards = self._of_line.get(line, _ALONE)
        return identifier != "" and int(identifier) % shards != shard
