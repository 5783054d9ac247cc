"""What a base URL in the settings may be."""

import ipaddress
from urllib.parse import urlsplit

_PLAIN = frozenset({"ws", "http"})


def checked_url(url: str, schemes: tuple[str, ...], example: str) -> str:
    """Return ``url`` without a closing slash.

    Raises:
        ValueError: It is no URL with one of ``schemes`` and a host, or carries what a base URL has no room for;
            or it is not encrypted, and its host is another machine.
    """
    hint = f"give a URL such as {example}"
    try:
        parts = urlsplit(url)
        port_fits = parts.port is None or parts.port > 0
    except ValueError as error:
        raise ValueError(f"{error}; {hint}") from error
    if parts.scheme not in schemes or not parts.hostname or not port_fits:
        raise ValueError(f"not a {' or '.join(schemes)} URL with a host; {hint}")
    if parts.scheme in _PLAIN and not _is_here(parts.hostname):
        # Tokens and prices would go over the network for everybody to read and to change.
        secure = ", ".join(scheme for scheme in schemes if scheme not in _PLAIN)
        raise ValueError(f"{parts.scheme} is for servers on this machine alone; use {secure}")
    if parts.query or parts.fragment or parts.username is not None:
        raise ValueError(f"no query, fragment or user name, please; {hint}")
    return url.rstrip("/")


def _is_here(host: str) -> bool:
    """Return whether ``host`` is this machine by its loopback interface."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")  # RFC 6761 §6.3
