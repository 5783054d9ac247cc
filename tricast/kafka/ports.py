"""Free loopback ports."""

import random
import socket
from collections.abc import Iterator
from contextlib import closing

from tricast.kafka.errors import NoFreePort

LOOPBACK = "127.0.0.1"
# Below Linux' range for outgoing connections (from 32768), so that a remembered port is seldom
# taken by some client between two starts.
_CANDIDATES = range(20_000, 32_000)
_TRIES = 500


def is_free(port: int) -> bool:
    """Return whether a server could listen on ``port`` of the loopback address now."""
    with closing(socket.socket()) as probe:
        # As Java does: a port whose last connections are in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def free_ports(count: int, chance: random.Random, prefer: int | None = None) -> list[int]:
    """Return ``count`` different free ports, ``prefer`` first when it is free.

    Raises:
        NoFreePort: None of 500 ports tried was free.
    """
    found: list[int] = []
    for port in _candidates(chance, prefer):
        if port not in found and is_free(port):
            found.append(port)
            if len(found) == count:
                return found
    raise NoFreePort(f"found {len(found)} of {count} free ports among {_TRIES} tried on {LOOPBACK}")


def _candidates(chance: random.Random, prefer: int | None) -> Iterator[int]:
    if prefer is not None:
        yield prefer
    for _ in range(_TRIES):
        yield chance.choice(_CANDIDATES)
