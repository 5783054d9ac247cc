"""What makes two packets the same: hashes that the account compares.

``key`` names a packet, ``body`` is all it says; both are the first 8 bytes of BLAKE2b (``digest_size=8``).

============  ==========================================  =======================================================
packet        key: these texts, joined by U+001F          body: canonical JSON of
============  ==========================================  =======================================================
action        actionId, sendType                          ``fixtureAction`` without fixtureSeqNum, timelineSequence
element       eventElementType, timestamp                 the packet without seqNum and traceId
statistics    timestamp                                   the packet without seqNum and traceId
============  ==========================================  =======================================================

What is missing is an empty text; a sendType that is missing is the documented name of sendTypeId. Canonical JSON has
sorted keys and no space, and fractions as they were sent (``1.0`` and ``1.00`` differ); order of keys, spacing and
escapes of a packet do not matter.
"""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final

from processors.core.exact import canonical

HASH_BYTES: Final = 8
_SEPARATOR: Final = "\x1f"


def key_hash(*names: str) -> bytes:
    """Return the hash of what names a packet."""
    return blake2b(_SEPARATOR.join(names).encode(), digest_size=HASH_BYTES).digest()


def body_hash(tree: Mapping[str, Any], without: frozenset[str]) -> bytes:
    """Return the hash of what a packet says, but for the fields ``without``."""
    said = {name: value for name, value in tree.items() if name not in without}
    return blake2b(canonical(said), digest_size=HASH_BYTES).digest()
