"""Which offers an event has: to suspend or end them all without a walk of the store."""

from collections.abc import Collection
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

    def remove(self, offer_ids: Collection[int]) -> None:
        """Take offers out, those that are in it."""
        left = [offer_id for offer_id in self.ids if offer_id not in offer_ids]
        if len(left) < len(self.ids):
            self.ids = left
            self._write()

    def _write(self) -> None:
        if self.ids:
            self._store.put(self._key, _ENCODER.encode(self.ids))
        else:
            self._store.delete(self._key)
