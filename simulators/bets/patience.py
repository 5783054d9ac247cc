"""Growing waits between tries: doubled, capped, with full jitter (fact sheet §6)."""

import asyncio
from random import Random
from typing import Final

_FIRST_S: Final = 0.5
_LAST_S: Final = 30.0


class Patience:
    """The waits of one matter.

    Args:
        chance: Where the jitter comes from.
    """

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self._most_s = _FIRST_S

    def next_s(self, at_least_s: float = 0.0) -> float:
        """Return the next wait, seconds, not less than what the vendor asked for."""
        most_s, self._most_s = self._most_s, min(self._most_s * 2, _LAST_S)
        return at_least_s + self._chance.uniform(_FIRST_S / 2, most_s)

    async def rest(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)
