"""What a base URL in the settings may be."""

from urllib.parse import urlsplit


def checked_url(url: str, schemes: tuple[str, ...], example: str) -> str:
    """Return ``url`` without a closing slash.

    Raises:
        ValueError: It is no URL with one of ``schemes`` and a host, or carries what a base URL has no room for.
    """
    hint = f"give a URL such as {example}"
    try:
        parts = urlsplit(url)
        port_fits = parts.port is None or parts.port > 0
    except ValueError as error:
        raise ValueError(f"{error}; {hint}") from error
    if parts.scheme not in schemes or not parts.hostname or not port_fits:
        raise ValueError(f"not a {' or '.join(schemes)} URL with a host; {hint}")
    if parts.query or parts.fragment or parts.username is not None:
        raise ValueError(f"no query, fragment or user name, please; {hint}")
    return url.rstrip("/")
