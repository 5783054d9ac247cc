"""Which offers an event has: to suspend or end them all without a walk of the store."""

from typing import Final

import msgspec

from processors.core.kambi.book import MAX_OFFERS_PER_EVENT
from processors.core.processor import Store

PREFIX: Final = b"m"
"""First byte of the store keys; an event id follows. Keys of states begin with a digit."""
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(list[int])


class Members:
    """The list of one event's offers, as they came; no more than ``MAX_OFFERS_PER_EVENT``."""

    __slots__ = ("_key", "_store", "ids")

    def __init__(self, event_id: int, store: Store) -> None:
        self._key = PREFIX + b"%d" % event_id
        self._store = store
        value = store.get(self._key)
        self.ids: list[int] = [] if value is None else _DECODER.decode(value)

    def add(self, offer_id: int) -> bool:
        """Add an offer that is not in it; return whether there was room."""
        if len(self.ids) >= MAX_OFFERS_PER_EVENT:
            return False
        self.ids.append(offer_id)
        self._write()
        return True

    def remove(self, offer_id: int) -> None:
        """Take an offer out, if it is in it."""
        if offer_id in self.ids:
            self.ids.remove(offer_id)
            self._write()

    def clear(self) -> bool:
        """Empty it; return whether there was any."""
        was_any = bool(self.ids)
        self.ids = []
        self._write()
        return was_any

    def _write(self) -> None:
        if self.ids:
            self._store.put(self._key, _ENCODER.encode(self.ids))
        else:
            self._store.delete(self._key)
