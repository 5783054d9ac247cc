"""The vendors' ledgers: every packet that a simulator handed to a connection, whatever the feed.

What their fields mean stands in the ledgers' own description; here is only what they have in common.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Sent:
    """A packet that was handed to a connection: its number there, from 1, when (UTC ns), and its bytes."""

    connection: str
    number: int
    at_ns: int
    packet: bytes


@dataclass(frozen=True, slots=True)
class Connected:
    """A connection was taken; ``feed`` is what the ledger calls so, where it does."""

    connection: str
    at_ns: int
    feed: str = ""


@dataclass(frozen=True, slots=True)
class Left:
    """A connection is over."""

    connection: str
    at_ns: int


Entry = Sent | Connected | Left


def digest(packet: bytes) -> bytes:
    """Return what stands for a packet."""
    return hashlib.blake2b(packet, digest_size=12).digest()


def read_json(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines of a ledger; one that its simulator's end cut short is left out."""
    with path.open("rb") as file:
        for text in file:
            if text.endswith(b"\n"):
                yield json.loads(text)


def entries(lines: Iterable[Mapping[str, Any]]) -> Iterator[Entry]:
    """Yield what the lines of any of the three ledgers say of connections."""
    for line in lines:
        connection = line.get("sid") or line.get("connection")
        if not connection:
            continue
        at_ns = line["sent_ns"] if "sent_ns" in line else line["at_ns"]
        match line["kind"]:
            case "connect":
                yield Connected(connection, at_ns, line.get("feed", ""))
            case "frame":
                yield Sent(connection, line["n"], at_ns, packet_of(line))
            case "disconnect":
                yield Left(connection, at_ns)
            case "refused" if "packet" in line:  # it was taken, told so in words, and ended
                yield Connected(connection, at_ns, line.get("feed", ""))
                yield Sent(connection, 1, at_ns, packet_of(line))
                yield Left(connection, at_ns)
            case _:
                pass


def packet_of(line: Mapping[str, Any]) -> bytes:
    """Return the packet of a line."""
    return base64.b64decode(line["base64"]) if "base64" in line else line.get("packet", "").encode()
