"""Approvals that were told already: the vendor sends to every socket, and nobody promises that it sends once."""

from heapq import heapify, heappop, heappush
from typing import Final

import msgspec

from processors.core.processor import Store
from processors.core.rms.approvals.announced import Announced
from processors.core.rms.approvals.packet import SAID

MAX_TOLD: Final = 100_000
"""Approvals of one customer that are remembered; beyond it the oldest are forgotten early."""
LATER: Final = 2**63 - 1
"""Offset of an approval that was told before offsets were kept: nothing is replayed past it."""
MAX_CODES: Final = 16
"""Bet codes of one bet slip id that are remembered; it has one."""

_PREFIX: Final = b"d"
_MEMORY: Final = "rms.told"

_encode = msgspec.msgpack.Encoder().encode


class _Told(msgspec.Struct, array_like=True, gc=False):
    """When an approval of these ids was first told, UTC ns by its customer's time; the bet codes named with it; the
    greatest offset in ``rms.raw`` that told it."""

    at_ns: int
    codes: list[str]
    offset: int = LATER


_decode = msgspec.msgpack.Decoder(_Told).decode


class ToldBefore:
    """The approvals of one task.

    Args:
        store: State of the stream task; read through once.
        remember_ns: For how long an approval is remembered.
        most: How many of one customer are.

    Attributes:
        remember_ns: As given.
    """

    def __init__(self, store: Store, remember_ns: int, most: int = MAX_TOLD) -> None:
        self._store = store
        self.remember_ns = remember_ns
        self._most = most
        self._oldest: dict[str, list[tuple[int, bytes]]] = {}
        self._naming: dict[bytes, set[bytes]] = {}
        """Customer and bet code → keys of approvals by slip that named the code."""
        for key, value in store.items(_PREFIX):
            told = _decode(value)
            self._oldest.setdefault(key[1:].decode().partition("/")[0], []).append((told.at_ns, key))
            for code in told.codes:
                self._naming.setdefault(_code_name(key, code), set()).add(key)
        for heap in self._oldest.values():
            heapify(heap)

    def take(self, customer: str, said: str, announced: Announced, now_ns: int, offset: int) -> bool:
        """Tell whether an approval, at ``offset`` of ``rms.raw``, says anything new, and note it.

        The same slip (of an approval without one: the same code), accepted or rejected as before, is nothing new,
        unless it names a bet code that was not named with it.
        """
        key = _key(customer, said, announced)
        known = self._store.get(key)
        told = None if known is None else _decode(known)
        if told is None:
            told = _Told(now_ns, [], offset)
            heap = self._oldest.setdefault(customer, [])
            heappush(heap, (now_ns, key))
            if len(heap) > self._most:
                self._drop(heappop(heap)[1])
        elif announced.slip is None or announced.code is None or announced.code in told.codes:
            return False
        if announced.slip is not None and announced.code is not None:
            for code in told.codes[: len(told.codes) + 1 - MAX_CODES]:
                self._forget_code(key, code)
            told.codes = [*told.codes, announced.code][-MAX_CODES:]
            self._naming.setdefault(_code_name(key, announced.code), set()).add(key)
        told.offset = max(told.offset, offset)
        self._store.put(key, _encode(told))
        return True

    def forget(self, customer: str, now_ns: int) -> None:
        """Forget what is old; to be called with the customer's time before ``take``."""
        heap = self._oldest.get(customer, [])
        while heap and heap[0][0] + self.remember_ns < now_ns:
            self._drop(heappop(heap)[1])

    def newest(self, customer: str, slip: str | None, code: str | None) -> int | None:
        """Return the offset in ``rms.raw`` of the newest approval told of a slip or bet code, if there is one."""
        keys = set[bytes]()
        for by, id_ in (("slip", slip), ("code", code)):
            if id_ is not None:
                keys.update(_PREFIX + f"{customer}/{said}/{by}:{id_}".encode() for said in SAID.values())
        if code is not None:
            keys |= self._naming.get(f"{customer}/{code}".encode(), set())
        stored = (self._store.get(key) for key in keys)
        return max((_decode(value).offset for value in stored if value is not None), default=None)

    def _drop(self, key: bytes) -> None:
        stored = self._store.get(key)
        if stored is not None:
            for code in _decode(stored).codes:
                self._forget_code(key, code)
        self._store.delete(key)

    def _forget_code(self, key: bytes, code: str) -> None:
        name = _code_name(key, code)
        keys = self._naming.get(name, set())
        keys.discard(key)
        if not keys:
            self._naming.pop(name, None)


def told_before(store: Store, memory: dict[str, object], remember_ns: int) -> ToldBefore:
    """Return the task's memory of approvals, made anew after a restart."""
    known = memory.get(_MEMORY)
    if not isinstance(known, ToldBefore):
        known = memory[_MEMORY] = ToldBefore(store, remember_ns)
    return known


def _code_name(key: bytes, code: str) -> bytes:
    return key[1:].partition(b"/")[0] + f"/{code}".encode()


def _key(customer: str, said: str, announced: Announced) -> bytes:
    by, id_ = ("slip", announced.slip) if announced.slip is not None else ("code", announced.code)
    return _PREFIX + f"{customer}/{said}/{by}:{id_}".encode()
