"""Which event an offer belongs to, for messages that do not say (``bor``, ``os``; fact sheet §6, §10).

Own offers are in the book. Of other shards' events, which the general lines bring to every shard, and of events that
were removed with all their offers, only the place is remembered.
"""

from typing import Final

import msgspec

ELSEWHERE: Final = b"i"
"""First byte of the store keys of places; an offer id follows."""

_Place = tuple[int, int]
encode_place = msgspec.msgpack.Encoder().encode
decode_place = msgspec.msgpack.Decoder(_Place).decode
"""Event id and the stream time (seconds) at which it was learned."""


def place_key(offer_id: int) -> bytes:
    """Return the store key of an offer's place."""
    return ELSEWHERE + offer_id.to_bytes(8, "big")
