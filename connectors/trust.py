"""Whose certificates are trusted: the system's CAs, and one file more. There is no way to trust everybody."""

import ssl
from pathlib import Path

import aiohttp


def trusted(ca_file: Path | None) -> ssl.SSLContext:
    """Return what TLS is spoken with: certificate and host name of the server are checked, always.

    Args:
        ca_file: CA certificates (PEM) that count beside the system's.
    """
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context


def readable(ca_file: Path | None) -> Path | None:
    """Return ``ca_file``.

    Raises:
        ValueError: It holds no certificates.
    """
    try:
        trusted(ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ValueError(f"{ca_file} holds no CA certificates in PEM: {error}") from error
    return ca_file


def told(error: BaseException) -> str:
    """Return what ``error`` says; when a certificate was refused, what is wrong with it and what to do, in short."""
    cause = error.certificate_error if isinstance(error, aiohttp.ClientConnectorCertificateError) else error
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"certificate refused: {cause.verify_message} (a CA of your own goes into the feed's ca_file)"
    return f"{type(error).__name__}: {error}"
