"""Who may reach what a process serves: everybody on this machine, or who has the token. One rule for all it serves."""

import hmac
import ipaddress
from typing import Final

from schemas.errors import ConfigurationError

SHORTEST_TOKEN: Final = 16
"""Characters; what is shorter can be guessed."""


def is_loopback(host: str) -> bool:
    """Return whether ``host``, a name or an address without port, is this machine only."""
    if host.rstrip(".").lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check(what: str, host: str, token: str | None) -> None:
    """Refuse what would show something to the network without a token that cannot be guessed.

    Args:
        what: That is served, for the message.
        host: Where it listens.
        token: That is asked for; ``None`` asks for nothing, which is only allowed on loopback.

    Raises:
        ConfigurationError: It is to be reached from elsewhere without a token, or the token is too short.
    """
    if token is None and not is_loopback(host):
        raise ConfigurationError(
            f"{what} would be open to everybody who reaches {host}, as there is no token",
            action="set TRICAST_OBSERVE__TOKEN_FILE to a file that holds one, or leave the host at 127.0.0.1",
        )
    if token is not None and len(token) < SHORTEST_TOKEN:
        raise ConfigurationError(
            f"the token of {what} has {len(token)} characters, fewer than {SHORTEST_TOKEN}",
            action='make one with: python -c "import secrets; print(secrets.token_urlsafe(32))"',
        )


def is_token(given: str, token: str) -> bool:
    """Return whether ``given`` is the token; takes as long for any wrong one."""
    return hmac.compare_digest(given.encode(errors="replace"), token.encode())


def bearer(authorization: str) -> str:
    """Return the token of an ``Authorization`` header; empty when it has none."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
