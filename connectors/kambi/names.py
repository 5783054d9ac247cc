"""Names of lines: one socket's place (or one poller's), kept over reconnects. Pure.

A hot standby appends its replica name, so that both lines of a pair are told apart in everything they record.
"""

from typing import Final

FEED: Final = "kambi"


def general(shard: int, replica: str = "") -> str:
    """Return the name of the line that holds the general keys of ``shard``."""
    return _of(f"kambi-{shard}-general", replica)


def events(shard: int, number: int, replica: str = "") -> str:
    """Return the name of the ``number``-th line that holds keys of the events of ``shard``."""
    return _of(f"kambi-{shard}-events-{number}", replica)


def snapshots(shard: int, replica: str = "") -> str:
    """Return the name of the line that HTTP snapshots of ``shard`` are recorded on."""
    return _of(f"kambi-{shard}-snapshots", replica)


def settlements(replica: str = "") -> str:
    """Return the name of the line that holds the ``bh`` key."""
    return _of("kambi-settlements", replica)


def is_of_events(name: str, shard: int, replica: str = "") -> bool:
    """Return whether ``name`` is that of a line that holds keys of events of ``shard``."""
    number = name.removeprefix(f"kambi-{shard}-events-").removesuffix(f".{replica}" if replica else "")
    return number.isdecimal() and name == events(shard, int(number), replica)


def _of(name: str, replica: str) -> str:
    return f"{name}.{replica}" if replica else name
