"""The lines and customers of a stream task; all of it is in the store, the objects are its cache."""

from collections.abc import Iterator
from typing import Final

import msgspec

from processors.core.processor import Store
from processors.core.rms.approvals.coverage import Run
from processors.core.rms.approvals.entries import Customer, Line, Task

MAX_LINES: Final = 1_000
"""Lines of one task; beyond it the one heard longest ago is forgotten. A customer has two or four, garbage has more."""

_LINE: Final = b"l"
_CUSTOMER: Final = b"c"
_TASK: Final = b"t"

_encode = msgspec.msgpack.Encoder().encode
_decode_line = msgspec.msgpack.Decoder(Line).decode
_decode_customer = msgspec.msgpack.Decoder(Customer).decode
_decode_task = msgspec.msgpack.Decoder(Task).decode


class Book:
    """Lines by name, customers by id. Whoever changes an entry puts it.

    Args:
        store: State of the stream task; its lines and customers are read once.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        task = store.get(_TASK)
        self._task = Task() if task is None else _decode_task(task)
        self._lines = {key[1:].decode(): _decode_line(value) for key, value in sorted(store.items(_LINE))}
        self._customers = {key[1:].decode(): _decode_customer(value) for key, value in store.items(_CUSTOMER)}

    @property
    def beats(self) -> int:
        """Seconds of stream time in which a record came."""
        return self._task.beats

    def line(self, name: str) -> Line | None:
        """Return the line ``name`` if anything of it was ever heard (and it is not forgotten)."""
        return self._lines.get(name)

    def lines(self) -> Iterator[tuple[str, Line]]:
        """Yield every line in the order of names; lines may be forgotten meanwhile."""
        for name in sorted(self._lines):
            yield name, self._lines[name]

    def customer(self, customer: str) -> Customer:
        """Return what is known of a customer."""
        known = self._customers.get(customer)
        if known is None:
            known = self._customers[customer] = Customer()
        return known

    def live(self, customer: str) -> list[Run]:
        """Return what each joined socket of a customer covers."""
        return [
            Run(line.since_ns, line.until_ns or 0)
            for _, line in self.lines()
            if line.customer == customer and line.since_ns is not None
        ]

    # What changes.

    def beat(self, now_s: int) -> bool:
        """Note that time went on; tell whether it did."""
        if now_s <= self._task.beat_s:
            return False
        self._task.beats, self._task.beat_s = self._task.beats + 1, now_s
        self._store.put(_TASK, _encode(self._task))
        return True

    def add(self, name: str, line: Line) -> Line:
        """Note a line that nobody knew. Put it afterwards."""
        self._lines[name] = line
        return line

    def put_line(self, name: str) -> None:
        """Write what a line's entry says now."""
        self._store.put(_LINE + name.encode(), _encode(self._lines[name]))

    def put_customer(self, customer: str) -> None:
        """Write what a customer's entry says now."""
        self._store.put(_CUSTOMER + customer.encode(), _encode(self._customers[customer]))

    def forget(self, name: str) -> None:
        """Drop a line."""
        del self._lines[name]
        self._store.delete(_LINE + name.encode())

    def superfluous(self) -> str | None:
        """Return the line that has to go before another can be noted."""
        if len(self._lines) < MAX_LINES:
            return None
        return min(self._lines, key=lambda name: (self._lines[name].is_open, self._lines[name].record_s, name))
