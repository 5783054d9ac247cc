"""Dials a Socket.IO server over WebSocket: Engine.IO 4 handshake, permessage-deflate offered, exact bytes after it."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import aiohttp
from aiohttp.http_websocket import WSMessageNoDecodeText

from connectors import engineio
from connectors.runner import ConnectFailed
from connectors.trust import told

WebSocket = aiohttp.ClientWebSocketResponse[Literal[False]]
WebSocketMessage = WSMessageNoDecodeText

CLOSE_S: Final = 2.0  # for the peer's half of the closing handshake
_MAX_WINDOW_BITS: Final = 15
_NO_CODE: Final = 1005  # RFC 6455 §7.4.1: a close frame without a code


class UpgradeRefused(ConnectFailed):
    """The server answered the handshake with an HTTP status in place of the upgrade.

    Args:
        status: The status.
        message: What happened.
        retry_after: Header of that name; empty when there is none.
    """

    code = "upgrade-refused"

    def __init__(self, status: int, message: str, *, retry_after: str) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after


class ConnectRefused(ConnectFailed):
    """The server answered the Socket.IO connect with ``packet``: an error, or a disconnect."""

    code = "connect-refused"

    def __init__(self, message: str, packet: bytes) -> None:
        super().__init__(message)
        self.packet = packet


class ClosedEarly(ConnectFailed):
    """The server closed the WebSocket with ``close_code`` before it had accepted the Socket.IO connect."""

    code = "closed-early"

    def __init__(self, message: str, close_code: int, reason: str) -> None:
        super().__init__(message)
        self.close_code = close_code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Dialled:
    """A connection that the server accepted.

    Attributes:
        socket: The WebSocket; messages come as bytes.
        first: The Socket.IO packet that accepted the connect: the connection's first frame.
        silence_s: How long the server may say nothing before it has to be dead, seconds.
    """

    socket: WebSocket
    first: bytes
    silence_s: float

    @property
    def deflate(self) -> bool:
        """Whether permessage-deflate was negotiated."""
        return self.socket.compress > 0


def socket_url(base_url: str) -> str:
    """Return the WebSocket URL of an Engine.IO 4 server; without a path, ``/socket.io/`` is its path."""
    scheme, _, rest = base_url.partition("://")
    host, slash, path = rest.partition("/")
    scheme = {"http": "ws", "https": "wss"}.get(scheme, scheme)
    return f"{scheme}://{host}/{path + '/' if slash else 'socket.io/'}?EIO=4&transport=websocket"


async def dial(
    session: aiohttp.ClientSession,
    url: str,
    *,
    max_message_bytes: int,
    timeout_s: float,
    headers: Mapping[str, str] | None = None,
    shown: Callable[[str], str] = str,
) -> Dialled:
    """Return an accepted connection; the caller closes its socket with :func:`close`.

    Args:
        session: HTTP client session.
        url: See :func:`socket_url`.
        max_message_bytes: Largest message after decompression.
        timeout_s: For all of it, seconds.
        headers: Sent with the handshake.
        shown: Takes out of the server's words what errors must not say; told all of them, as a part says it, too.

    Raises:
        UpgradeRefused: The server answered with an HTTP status in place of the upgrade.
        ConnectRefused: It refused the Socket.IO connect.
        ClosedEarly: It closed the WebSocket before it accepted that.
        ConnectFailed: No server, or no handshake in time.
    """
    try:
        async with asyncio.timeout(timeout_s):
            socket = await session.ws_connect(
                url,
                headers=headers,
                compress=_MAX_WINDOW_BITS,
                max_msg_size=max_message_bytes,
                decode_text=False,  # bytes are kept as they are, broken UTF-8 too
            )
            try:
                return await _shake_hands(socket, shown)
            except BaseException:
                await close(socket)
                raise
    except TimeoutError as error:
        raise ConnectFailed(f"no accepted connect within {timeout_s:g} s") from error
    except aiohttp.WSServerHandshakeError as error:
        after = error.headers.get("Retry-After", "") if error.headers else ""
        message = f"{type(error).__name__}: {error}"
        raise UpgradeRefused(error.status, message, retry_after=after) from error
    except (aiohttp.ClientError, OSError) as error:
        raise ConnectFailed(told(error)) from error


async def _shake_hands(socket: WebSocket, shown: Callable[[str], str]) -> Dialled:
    opening = await socket.receive()
    if opening.type is aiohttp.WSMsgType.CLOSE:
        raise _closed_early(f"no Engine.IO open packet but CLOSE {opening.data!r:.100}", opening)
    opened = engineio.read_open(opening.data) if opening.type is aiohttp.WSMsgType.TEXT else None
    if opened is None:
        raise ConnectFailed(f"no Engine.IO open packet but {opening.type.name} {_words(opening.data, shown):.100}")
    await socket.send_str(engineio.CONNECT)
    while True:
        answer = await socket.receive()
        match packet_of(answer):
            case engineio.Message(payload):
                if engineio.is_connect_error(payload) or engineio.is_disconnect(payload):
                    raise ConnectRefused(f"the server refused the connect: {_words(payload, shown):.200}", payload)
                return Dialled(socket, payload, opened.silence_s)
            case engineio.Ping(reply):
                await socket.send_str(reply)
            case engineio.Control():
                pass
            case None if answer.type is aiohttp.WSMsgType.CLOSE:
                raise _closed_early(f"closed before the connect was accepted: {answer.data!r:.100}", answer)
            case engineio.Close() | None:
                raise ConnectFailed(f"closed before the connect was accepted: {answer.data!r:.100}")


def _words(said: object, shown: Callable[[str], str]) -> str:
    return repr(shown(said.decode("utf-8", "replace")).encode() if isinstance(said, bytes) else said)


def _closed_early(message: str, close: WebSocketMessage) -> ClosedEarly:
    return ClosedEarly(message, int(close.data or _NO_CODE), str(close.extra or ""))


def packet_of(message: WebSocketMessage) -> engineio.Packet | None:
    """Return the Engine.IO packet of a WebSocket message, ``None`` when it is the connection's end."""
    if message.type is aiohttp.WSMsgType.TEXT:
        return engineio.read_text(message.data)
    if message.type is aiohttp.WSMsgType.BINARY:
        return engineio.Message(message.data)
    return None


async def close(socket: WebSocket) -> None:
    """Close ``socket`` within a bounded time."""
    # aiohttp reads on until the peer's close frame; from a peer that keeps sending, for ever.
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(CLOSE_S):
            await socket.close()
