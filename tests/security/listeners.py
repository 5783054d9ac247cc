"""What processes listen on, read from the kernel: not what settings say."""

import ipaddress
from collections.abc import Iterable, Iterator

import psutil

Listener = tuple[str, int]
"""Address and port."""


def listeners_of(process: psutil.Process) -> Iterator[Listener]:
    """Yield what ``process`` and all that it started accept connections and datagrams on."""
    for one in (process, *process.children(recursive=True)):
        try:
            found = one.net_connections("inet")
        except psutil.NoSuchProcess:
            continue
        for connection in found:
            # A datagram socket without a peer takes from everybody.
            if connection.status == psutil.CONN_LISTEN or (
                connection.type.name == "SOCK_DGRAM" and not connection.raddr
            ):
                yield connection.laddr.ip, connection.laddr.port


def foreign(listeners: Iterable[Listener]) -> list[Listener]:
    """Return those that other machines can reach."""
    return [(address, port) for address, port in listeners if not _is_loopback(address)]


def _is_loopback(address: str) -> bool:
    parsed = ipaddress.ip_address(address)
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_loopback
