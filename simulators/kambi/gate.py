"""What a push handshake may meet before the Socket.IO library sees it: a refusal, silence, or a late answer."""

import asyncio
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from simulators.kambi.config import FaultSwitch

_PATH: Final = "/socket.io/"
_RETRY_AFTER_S: Final = 2


class Gate:
    """Stands before every handshake; counts them, so it is repeatable.

    Args:
        faults: What goes wrong, how often.
    """

    def __init__(self, faults: FaultSwitch) -> None:
        self._faults = faults
        self._handshakes = 0
        self._mute: set[web.WebSocketResponse] = set()

    @property
    def middleware(self) -> Middleware:
        """What the server puts before its handlers."""

        @web.middleware
        async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._pass(request, handler)

        return middleware

    async def close(self) -> None:
        """Close the connections that were never spoken to."""
        await asyncio.gather(*(socket.close(code=1001) for socket in tuple(self._mute)))

    async def _pass(self, request: web.Request, handle: Handler) -> web.StreamResponse:
        if not request.path.startswith(_PATH):
            return await handle(request)
        self._handshakes += 1
        faults = self._faults.current
        if self._strikes(faults.slow_every):
            await asyncio.sleep(faults.slow_ms / 1000)
        if self._strikes(faults.refuse_every):
            refused = web.Response(status=faults.refuse_status)
            if faults.refuse_status == web.HTTPTooManyRequests.status_code:
                refused.headers["Retry-After"] = str(_RETRY_AFTER_S)
            return refused
        return await self._say_nothing(request) if self._strikes(faults.mute_every) else await handle(request)

    async def _say_nothing(self, request: web.Request) -> web.StreamResponse:
        """Accept the WebSocket; only its own pings are answered."""
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self._mute.add(socket)
        try:
            async for _ in socket:
                pass
        finally:
            self._mute.discard(socket)
        return socket

    def _strikes(self, every: int) -> bool:
        return every > 0 and self._handshakes % every == 0
