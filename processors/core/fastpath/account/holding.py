"""Packets of one account that wait for what is missing before them."""

from collections.abc import Iterator
from typing import Final

from processors.core.fastpath.account.entries import HELD, Held, decode_held, encode, number_key
from processors.core.processor import Store

LARGEST: Final = 1024 * 1024
"""Payload of a packet that may be held back, bytes; it has to fit into one entry of the store."""


class Holding:
    """What one account holds back. Payloads are read from the store when they go out.

    Args:
        store: State of the stream task.
        identity: Of the account.
        sizes: Number to size of payload of what the store has.
    """

    __slots__ = ("_bytes", "_fresh", "_prefix", "_sizes", "_store")

    def __init__(self, store: Store, identity: bytes, sizes: dict[int, int]) -> None:
        self._store = store
        self._prefix = HELD + identity
        self._sizes = sizes
        self._bytes = sum(sizes.values())
        self._fresh: tuple[int, Held] | None = None

    def __len__(self) -> int:
        return len(self._sizes)

    def hold(self, number: int, held: Held) -> None:
        """Hold a packet back; ``write`` is to follow once it is sure that it stays."""
        self._fresh = (number, held)
        self._sizes[number] = len(held.payload)
        self._bytes += len(held.payload)

    def exceeds(self, count: int, size: int) -> bool:
        """Tell whether more is held than is allowed."""
        if len(self._sizes) > count or self._bytes > size:
            return True
        return self._fresh is not None and len(self._fresh[1].payload) > LARGEST

    def write(self) -> None:
        """Put what was held back by this record and is still."""
        if self._fresh is not None:
            number, held = self._fresh
            self._store.put(number_key(self._prefix, number), encode(held))
            self._fresh = None

    def take(self, barrier: int | None) -> Iterator[tuple[int, Held]]:
        """Yield what is below ``barrier`` (``None`` = all), in order, and hold it no more."""
        for number in sorted(self._sizes):
            if barrier is not None and number > barrier:
                return
            yield number, self._pop(number)

    def _pop(self, number: int) -> Held:
        self._bytes -= self._sizes.pop(number)
        if self._fresh is not None and self._fresh[0] == number:
            held = self._fresh[1]
            self._fresh = None
            return held
        key = number_key(self._prefix, number)
        stored = self._store.get(key)
        assert stored is not None
        self._store.delete(key)
        return decode_held(stored)
