"""How old is what a group has not committed: read from the record that it would get next."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from tricast.monitor.look import GroupLook, PartitionLook, Place
from tricast.monitor.peek import Ask, first_readable, pieces

MOST_READ: Final = 1_000
"""Records read at a look, over all groups."""
_ROUNDS: Final = 3
"""Steps over what readers never get (markers, aborted records) at one look; further ones follow at the next."""

_Next = tuple[str, int, int]
"""Topic, partition, committed offset."""


class Oldest:
    """Remembers what it read: a group that stands still costs nothing.

    Args:
        ask: Sends a request to a broker.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._times: dict[_Next, int] = {}
        self._read_to: dict[_Next, int] = {}

    async def of(
        self, groups: Mapping[str, GroupLook], partitions: Mapping[Place, PartitionLook]
    ) -> dict[str, GroupLook]:
        """Return the groups with ``oldest_ms`` where it is known."""
        behind = {
            (*place, committed)
            for group in groups.values()
            for place, committed in group.committed.items()
            if _readable_to(partitions, place) > committed
        }
        self._times = {key: ms for key, ms in self._times.items() if key in behind}
        self._read_to = {key: offset for key, offset in self._read_to.items() if key in behind}
        await self._read(partitions, [key for key in behind if key not in self._times][:MOST_READ])
        return {name: replace(group, oldest_ms=self._of(group, partitions)) for name, group in groups.items()}

    async def _read(self, partitions: Mapping[Place, PartitionLook], keys: list[_Next]) -> None:
        for _ in range(_ROUNDS):
            wanted: dict[Place, _Next] = {}
            for key in keys:
                topic, number, _ = key
                place = (topic, number)
                if self._from(partitions, key) < _readable_to(partitions, place):
                    wanted.setdefault(place, key)  # of two groups in one partition the second waits for its round
            if not wanted:
                return
            leaders = {place: leader for place in wanted if (leader := partitions[place].leader) is not None}
            offsets = {place: self._from(partitions, key) for place, key in wanted.items()}
            for place, piece in (await pieces(self._ask, leaders, offsets)).items():
                key = wanted[place]
                record, behind = first_readable(place, piece)
                if record is not None:
                    self._times[key] = record.timestamp
                self._read_to[key] = max(behind, offsets[place])
            keys = [key for key in keys if key not in self._times]

    def _from(self, partitions: Mapping[Place, PartitionLook], key: _Next) -> int:
        topic, number, committed = key
        return max(committed, self._read_to.get(key, 0), partitions[topic, number].start or 0)

    def _of(self, group: GroupLook, partitions: Mapping[Place, PartitionLook]) -> dict[Place, int]:
        found: dict[Place, int] = {}
        for place, committed in group.committed.items():
            key = (*place, committed)
            time = self._times.get(key)
            if time is not None:
                found[place] = time
            elif place in partitions and self._from(partitions, key) >= _readable_to(partitions, place):
                found[place] = 0
        return found


def _readable_to(partitions: Mapping[Place, PartitionLook], place: Place) -> int:
    look = partitions.get(place)
    return 0 if look is None else look.last_stable or 0
