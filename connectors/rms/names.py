"""Names of lines, and which partition a customer's records go to. Pure.

The line of a customer is his socket's place. A hot standby's ends with its replica's name, so that both are told apart
in everything they record. While one socket takes over from another (``reconnect_on_refresh``) both are open, so the
second has a place of its own, and the next takes the first one's again.
"""

from typing import Final

from aiokafka.partitioner import murmur2

from schemas.topics import TOPICS

FEED: Final = "rms"
RAW_TOPIC: Final = TOPICS["rms.raw"].name
PARTITIONS: Final = TOPICS["rms.raw"].partitions


def line_of(customer: str, replica: str = "", *, second: bool = False) -> str:
    """Return the name of a socket's place.

    Args:
        customer: Customer id.
        replica: Name of the hot standby, if it is one.
        second: Whether it is the place beside the first.
    """
    return _of(f"rms-{customer}{'~2' if second else ''}", replica)


def lookups_line(customer: str, replica: str = "") -> str:
    """Return the name of the line that answers of the bet API are recorded on."""
    return _of(f"rms-{customer}-lookups", replica)


def partition_of(customer: str) -> int:
    """Return the partition of ``rms.raw`` that holds the customer: the one Kafka's default partitioner would take."""
    return int((murmur2(customer.encode()) & 0x7FFFFFFF) % PARTITIONS)


def _of(name: str, replica: str) -> str:
    return f"{name}@{replica}" if replica else name
