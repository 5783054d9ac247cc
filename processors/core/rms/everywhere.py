"""Keys that reach every task of the join: Kafka places a record by its key, and the engine writes by key only."""

from typing import Final

EVERYWHERE: Final[tuple[bytes, ...]] = (b"all/g", b"all/b", b"all/a", b"all/h")
"""One key a partition of ``rms.pending``: key ``n`` reaches partition ``n``. No bet has such a key.

Found by trying: what stands for it is that Java's default, murmur2 of the key modulo the partition count, is fixed, and
so is the count (a test holds both against aiokafka's murmur2 and the registry).
"""
