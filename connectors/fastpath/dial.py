"""Dials a FastPath feed: permessage-deflate offered, the token sent at once, exact bytes after it."""

import asyncio
import logging
from typing import Final
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from connectors.fastpath import protocol
from connectors.fastpath.config import FastpathSettings
from connectors.runner import ConnectFailed
from connectors.trust import told, trusted

CLOSE_S: Final = 2.0  # for the peer's half of the closing handshake
_NEXT_ADDRESS_S: Final = 0.25  # RFC 8305: one address that swallows everything must not take the whole time
_MAX_QUEUE: Final = 16  # messages read ahead; behind it TCP pushes back


class HandshakeRefused(ConnectFailed):
    """The server answered the handshake with an HTTP status in place of the upgrade.

    Args:
        status: The status.
        text: What the body says, in short.
        retry_after: Header of that name; empty when there is none.
    """

    code = "handshake-refused"

    def __init__(self, status: int, text: str, *, retry_after: str) -> None:
        super().__init__(f"HTTP {status} in place of the upgrade: {text}")
        self.status = status
        self.retry_after = retry_after


class _Quiet(logging.LoggerAdapter[logging.Logger]):
    """The library's log without its DEBUG lines: those show every frame, the one with the token, too."""

    def isEnabledFor(self, level: int) -> bool:  # noqa: N802 - logging's name
        return level > logging.DEBUG and super().isEnabledFor(level)


_LOG: Final = _Quiet(logging.getLogger("websockets.client"), {})


class _Connect(connect):
    def process_redirect(self, exc: Exception) -> Exception | str:
        """Follow none: the token would go to whomever the redirect names."""
        return exc


async def dial(settings: FastpathSettings, url: str) -> ClientConnection:
    """Return a connection whose server has been sent the token; the caller closes it. DNS is asked afresh.

    Raises:
        HandshakeRefused: The server answered something else than the upgrade.
        ConnectFailed: No server, or no upgrade in time.
    """
    try:
        async with asyncio.timeout(settings.handshake_timeout_s):
            socket = await _Connect(
                url,
                additional_headers={"Accept": protocol.ACCEPT},
                proxy=None,
                ssl=trusted(settings.ca_file) if url.startswith("wss:") else None,
                open_timeout=None,
                ping_interval=settings.ping_interval_s,
                ping_timeout=settings.ping_interval_s,
                close_timeout=CLOSE_S,
                max_size=settings.max_message_bytes,
                max_queue=_MAX_QUEUE,
                logger=_LOG,
                happy_eyeballs_delay=_NEXT_ADDRESS_S,
            )
            try:
                await socket.send(protocol.auth_frame(settings.token.get_secret_value()))
            except ConnectionClosed:
                pass  # a server may refuse before it hears us: how it closed is read from the socket
            except BaseException:
                socket.transport.abort()
                raise
            return socket
    except TimeoutError as error:
        raise ConnectFailed(f"no accepted handshake within {settings.handshake_timeout_s:g} s") from error
    except InvalidStatus as error:
        response = error.response
        text = bytes(response.body or b"").decode("utf-8", "replace")
        # `get` would raise on a header that is there twice.
        after = next(iter(response.headers.get_all("Retry-After")), "")
        raise HandshakeRefused(response.status_code, redacted(settings, text), retry_after=after) from error
    except (InvalidHandshake, InvalidURI, OSError, ValueError) as error:
        texts = [told(error), str(error.__cause__ or "")]  # the last: what was wrong about it
        said = ": ".join(text for text in texts if text)
        raise ConnectFailed(f"{urlsplit(url).netloc}: {redacted(settings, said)}") from error


def redacted(settings: FastpathSettings, text: str) -> str:
    """Return ``text`` of the server for people, see :func:`protocol.shown`."""
    return protocol.shown(text, settings.token.get_secret_value())


def deflates(socket: ClientConnection) -> bool:
    """Return whether permessage-deflate was negotiated."""
    return any(extension.name == "permessage-deflate" for extension in socket.protocol.extensions)


def local_end(socket: ClientConnection) -> str | None:
    """Return our address and port, by which the server's side knows the connection, too."""
    address = socket.local_address
    return f"{address[0]}:{address[1]}" if address else None
