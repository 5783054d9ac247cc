"""The Socket.IO library, bent: every packet it sends is known to us, and it speaks Engine.IO 3 as well where asked."""

import re
from collections.abc import Callable
from typing import Any

import engineio
import socketio
from engineio.async_socket import AsyncSocket
from engineio.packet import MESSAGE, PING, PONG, Packet

Record = Callable[[str, str], None]

_LEVEL = "tricast.engine_io_level"
_ASKED = re.compile(r"\bEIO=([^&]*)")


class _Level3Socket(AsyncSocket):  # type: ignore[misc]  # the library ships no types
    """In Engine.IO 3 the client pings; one that does not is dropped by the library's time-out for reading."""

    def schedule_ping(self) -> None:
        self.last_ping = None  # ours to wait for an answer to: there is none

    async def receive(self, pkt: Packet) -> None:
        if pkt.packet_type == PING:
            await self.send(Packet(PONG, data=pkt.data))
        else:
            await super().receive(pkt)


class RecordingEngine(engineio.AsyncServer):  # type: ignore[misc]  # the library ships no types
    """Engine.IO server whose every message, the library's own included, is told to ``record`` when it is sent.

    Attributes:
        record: Told Engine.IO session id and packet text.
        levels: Protocol levels to speak; the library itself knows 4 only.
    """

    record: Record
    levels: tuple[int, ...] = (4,)
    _async: dict[str, Any]

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        translate = self._async["translate_request"]
        self._async = self._async | {"translate_request": lambda request: self._seen_as_4(translate(request))}

    async def send_packet(self, sid: str, pkt: Packet) -> None:
        text = pkt.data
        if pkt.packet_type == MESSAGE and isinstance(text, str):
            if isinstance(self.sockets.get(sid), _Level3Socket) and text.startswith("0{"):
                text = "0"  # a session id inside came with level 4
                pkt = Packet(MESSAGE, data=text)
            self.record(sid, text)
        await super().send_packet(sid, pkt)

    async def send_recorded(self, sid: str, packet: str) -> None:
        """Send a packet that the caller has written down itself."""
        await super().send_packet(sid, Packet(MESSAGE, data=packet))

    async def _trigger_event(self, event: str, *arguments: Any, **options: Any) -> Any:
        answer = await super()._trigger_event(event, *arguments, **options)
        if event == "connect" and arguments[1].get(_LEVEL) == "3":
            sid = arguments[0]
            self.sockets[sid].__class__ = _Level3Socket  # the library makes its sockets itself
            await super()._trigger_event("message", sid, "0", run_async=False)  # level 3 connects without being asked
        return answer

    def _seen_as_4(self, environ: dict[str, Any]) -> dict[str, Any]:
        """Let the library see level 4 where a level that we speak is asked for, and none where it is another."""
        asked = _ASKED.search(environ["QUERY_STRING"])
        level = asked[1] if asked is not None else ""
        seen = "4" if level in map(str, self.levels) else "refused"
        return environ | {_LEVEL: level, "QUERY_STRING": _ASKED.sub(f"EIO={seen}", environ["QUERY_STRING"])}


class RecordingServer(socketio.AsyncServer):  # type: ignore[misc]  # the library ships no types
    """Socket.IO server on a ``RecordingEngine``."""

    def _engineio_server_class(self) -> type[RecordingEngine]:
        return RecordingEngine
