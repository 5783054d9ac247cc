"""Dials a Socket.IO server over WebSocket: Engine.IO 4 handshake, permessage-deflate offered, exact bytes after it."""

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Final, Literal

import aiohttp
from aiohttp.http_websocket import WSMessageNoDecodeText

from connectors import engineio
from connectors.runner import ConnectFailed

WebSocket = aiohttp.ClientWebSocketResponse[Literal[False]]
WebSocketMessage = WSMessageNoDecodeText

CLOSE_S: Final = 2.0  # for the peer's half of the closing handshake
_MAX_WINDOW_BITS: Final = 15


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


async def dial(session: aiohttp.ClientSession, url: str, *, max_message_bytes: int, timeout_s: float) -> Dialled:
    """Return an accepted connection; the caller closes its socket with :func:`close`.

    Raises:
        ConnectFailed: No server, no handshake in time, or the connect was refused.
    """
    try:
        async with asyncio.timeout(timeout_s):
            socket = await session.ws_connect(
                url,
                compress=_MAX_WINDOW_BITS,
                max_msg_size=max_message_bytes,
                decode_text=False,  # bytes are kept as they are, broken UTF-8 too
            )
            try:
                return await _shake_hands(socket)
            except BaseException:
                await close(socket)
                raise
    except TimeoutError as error:
        raise ConnectFailed(f"no accepted connect within {timeout_s:g} s") from error
    except (aiohttp.ClientError, OSError) as error:
        raise ConnectFailed(f"{type(error).__name__}: {error}") from error


async def _shake_hands(socket: WebSocket) -> Dialled:
    opening = await socket.receive()
    opened = engineio.read_open(opening.data) if opening.type is aiohttp.WSMsgType.TEXT else None
    if opened is None:
        raise ConnectFailed(f"no Engine.IO open packet but {opening.type.name} {opening.data!r:.100}")
    await socket.send_str(engineio.CONNECT)
    while True:
        answer = await socket.receive()
        match packet_of(answer):
            case engineio.Message(payload):
                if engineio.is_connect_error(payload) or engineio.is_disconnect(payload):
                    raise ConnectFailed(f"the server refused the connect: {payload!r:.200}")
                return Dialled(socket, payload, opened.silence_s)
            case engineio.Ping(reply):
                await socket.send_str(reply)
            case engineio.Control():
                pass
            case engineio.Close() | None:
                raise ConnectFailed(f"closed before the connect was accepted: {answer.data!r:.100}")


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
