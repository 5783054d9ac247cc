"""What the page needs of the monitor."""

import asyncio
from typing import Protocol

from tricast.monitor.picture import Picture, Record


class Watched(Protocol):
    """Somebody who looks at Kafka all the time: the monitor, or a test with pictures of its own."""

    @property
    def picture(self) -> Picture | None:
        """The newest picture; ``None`` before the first look. Replaced, never changed."""
        ...

    @property
    def changed(self) -> asyncio.Condition:
        """Notified after each new picture."""
        ...

    async def record(self, topic: str, partition: int, offset: int) -> Record | None:
        """Read one record; ``None`` when there is none at that offset, or no longer.

        Raises:
            TricastError: It cannot be read now.
        """
        ...
