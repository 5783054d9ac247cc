"""Approvals that were told already: the vendor sends to every socket, and nobody promises that it sends once."""

from heapq import heapify, heappop, heappush
from typing import Final

import msgspec

from processors.core.processor import Store
from processors.core.rms.approvals.announced import Announced

MAX_TOLD: Final = 100_000
"""Approvals of one customer that are remembered; beyond it the oldest are forgotten early."""
MAX_CODES: Final = 16
"""Bet codes of one bet slip id that are remembered; it has one."""

_PREFIX: Final = b"d"
_MEMORY: Final = "rms.told"

_encode = msgspec.msgpack.Encoder().encode


class _Told(msgspec.Struct, array_like=True, gc=False):
    """When an approval of these ids was first told, UTC ns by its customer's time, and the bet codes named with it."""

    at_ns: int
    codes: list[str]


_decode = msgspec.msgpack.Decoder(_Told).decode


class ToldBefore:
    """The approvals of one task.

    Args:
        store: State of the stream task; read through once.
        remember_ns: For how long an approval is remembered.
        most: How many of one customer are.
    """

    def __init__(self, store: Store, remember_ns: int, most: int = MAX_TOLD) -> None:
        self._store = store
        self._remember_ns = remember_ns
        self._most = most
        self._oldest: dict[str, list[tuple[int, bytes]]] = {}
        for key, value in store.items(_PREFIX):
            self._oldest.setdefault(key[1:].decode().partition("/")[0], []).append((_decode(value).at_ns, key))
        for heap in self._oldest.values():
            heapify(heap)

    def take(self, customer: str, said: str, announced: Announced, now_ns: int) -> bool:
        """Tell whether an approval says anything new, and note it.

        The same slip (of an approval without one: the same code), accepted or rejected as before, is nothing new,
        unless it names a bet code that was not named with it.
        """
        key = _key(customer, said, announced)
        known = self._store.get(key)
        told = None if known is None else _decode(known)
        if told is None:
            told = _Told(now_ns, [])
            heap = self._oldest.setdefault(customer, [])
            heappush(heap, (now_ns, key))
            if len(heap) > self._most:
                self._store.delete(heappop(heap)[1])
        elif announced.slip is None or announced.code is None or announced.code in told.codes:
            return False
        if announced.slip is not None and announced.code is not None:
            told.codes = [*told.codes, announced.code][-MAX_CODES:]
        self._store.put(key, _encode(told))
        return True

    def forget(self, customer: str, now_ns: int) -> None:
        """Forget what is old; to be called with the customer's time before ``take``."""
        heap = self._oldest.get(customer, [])
        while heap and heap[0][0] + self._remember_ns < now_ns:
            self._store.delete(heappop(heap)[1])


def told_before(store: Store, memory: dict[str, object], remember_ns: int) -> ToldBefore:
    """Return the task's memory of approvals, made anew after a restart."""
    known = memory.get(_MEMORY)
    if not isinstance(known, ToldBefore):
        known = memory[_MEMORY] = ToldBefore(store, remember_ns)
    return known


def _key(customer: str, said: str, announced: Announced) -> bytes:
    by, id_ = ("slip", announced.slip) if announced.slip is not None else ("code", announced.code)
    return _PREFIX + f"{customer}/{said}/{by}:{id_}".encode()
