"""Which events are a task's own: shard of an event = event id % shards, as the line's connector said when it opened.

General lines bring every event to every shard; each task takes its own and passes over the rest, so that each change
has one task that speaks of it.
"""

from typing import Final

import msgspec

from processors.core.kambi.control import Opened, Tick
from processors.core.processor import Store
from schemas.topics import kambi_shard

LINES: Final = b"l"
"""First byte of the store keys of lines' shards; the name of the line follows."""
TASK: Final = b"n"
"""Store key of what the task's lines said last."""
GENERAL: Final = "-general"
"""In the name of a line that brings the events of every shard."""


class Share(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A task's share of the events: those with ``event_id % shards == shard``."""

    shard: int = 0
    shards: int = 1

    def holds(self, number: int) -> bool:
        """Tell whether the event (or, where nobody knows the event, the offer) ``number`` is this share's."""
        return number % self.shards == self.shard


WHOLE: Final = Share()
"""Of a line that never said: nothing is passed over."""
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Share)


def learn_share(control: Opened | Tick, line: str, *, partition: int, store: Store) -> None:
    """Keep what an ``opened`` or ``tick`` record says about shards.

    A line's own share is what its ``opened`` said, and nobody else: without one nothing of it is passed over.

    Args:
        control: What the record says.
        line: The line.
        partition: Partition of the raw record, which tells the shard (a ``tick`` names only their number).
        store: State of the stream task.
    """
    if control.shards is None:
        return
    said = control.shard if isinstance(control, Opened) else None
    shard = kambi_shard(partition) if said is None else said
    if shard is None or shard >= control.shards:
        return  # nothing to know of the settlements line: its partition is no shard, and it passes nothing over
    stored = _ENCODER.encode(Share(shard, control.shards))
    for key in (LINES + line.encode(), TASK) if isinstance(control, Opened) else (TASK,):
        if store.get(key) != stored:
            store.put(key, stored)


def share_of(line: str, store: Store) -> Share:
    """Return the share of a line's frames."""
    stored = store.get(LINES + line.encode())
    return WHOLE if stored is None else _DECODER.decode(stored)


def share_of_task(store: Store) -> Share:
    """Return the share of what belongs to no connection: snapshots."""
    stored = store.get(TASK)
    return WHOLE if stored is None else _DECODER.decode(stored)
