"""Where a key of ``rms.pending`` goes, and ids that go where they are wanted."""

from collections.abc import Iterable
from functools import cache
from typing import Final

from aiokafka.partitioner import murmur2

from schemas.rms.pending import Alias, Answered, AnyMessage, Evident, Known, Passed, Placed, Time

PARTITIONS: Final = 4
_IDS: Final = 12
"""Ids a partition that there are to choose from."""
_ODD: Final = ("/code:k-{}", "/a/b {}")
"""Slip ids that look like something else."""


@cache
def partition_of(key: str) -> int:
    """Return the partition of a key, as Kafka's default has it."""
    return int(murmur2(key.encode()) & 0x7FFFFFFF) % PARTITIONS


EVERYWHERE: Final = tuple(
    next(key for key in (f"all/{n}" for n in range(1000)) if partition_of(key) == p) for p in range(PARTITIONS)
)
"""A key for each partition."""


def keys_of(message: AnyMessage) -> tuple[str, ...]:
    """Return the keys under which a message is written: by its bet, its code, or one for each task."""
    match message:
        case Passed() | Time():
            return EVERYWHERE
        case Placed() | Answered() | Known() | Evident(slip=str()):
            return (f"{message.customer}/{message.slip}",)
        case Evident() | Alias():
            return (f"{message.customer}/code:{message.code}",)


@cache
def _found(form: str, partition: int) -> tuple[str, ...]:
    found: list[str] = []
    number = 0
    while len(found) < _IDS:
        number += 1
        if partition_of(form.format(number)) == partition:
            found.append(form.format(number).partition("/")[2])
    return tuple(found)


def slips_on(partitions: Iterable[int], customer: str) -> list[str]:
    """Return bet slip ids of which the tasks are these."""
    plain = [slip for partition in partitions for slip in _found(customer + "/s-{}", partition)[:2]]
    return plain + [_found(customer + form, partition)[0] for partition in partitions for form in _ODD]


def codes_on(partitions: Iterable[int], customer: str) -> list[str]:
    """Return bet codes of which the tasks are these."""
    return [
        code.removeprefix("code:") for partition in partitions for code in _found(customer + "/code:k-{}", partition)
    ]
