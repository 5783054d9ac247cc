"""A vendor that only talks: a WebSocket server that sends frames made beforehand, as fast as sockets take them.

Frames are encoded once, compressed ones, too: permessage-deflate keeps its window over messages, and a cycle of them
that is compressed from an empty window refers to nothing before itself, so it can follow itself for ever. What is left
to do a frame is copying bytes into a socket.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path

import uvloop
from websockets.extensions.permessage_deflate import PerMessageDeflate, ServerPerMessageDeflateFactory
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from benchmarks.fastpath_frames import frames as fastpath_frames
from benchmarks.frames import Frames

CYCLE = 500
"""Different frames of a connection; they come again in the same order."""
FASTPATH_FEEDS = tuple(f"soccer/fixtures/5f0c1a52-7d3e-4b0e-9f57-6a0d1c2b3e4{number}/actions" for number in range(4))
_BLOCK = 100
_WINDOW_BITS = 15
_LOOPBACK = "127.0.0.1"
_ENGINE_OPEN = b'0{"sid":"s","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}'
_SOCKET_OPEN = b'40{"sid":"s"}'


@dataclass(frozen=True, slots=True, kw_only=True)
class Flood:
    """What a server's process is told.

    Attributes:
        feed: ``kambi`` (Socket.IO) or ``fastpath`` (plain WebSocket): whose frames, and how a connection begins.
        deflate: Whether permessage-deflate is granted, its window kept over messages.
        connections: The flood begins when so many are there.
        cycles: How often each of them is sent the :data:`CYCLE` frames.
        path: File of those frames, a JSON list of texts.
        core: Processor to run on.
    """

    feed: str
    deflate: bool
    connections: int
    cycles: int
    path: str
    core: int | None

    @property
    def frames(self) -> int:
        """Frames of all connections."""
        return self.connections * self.cycles * CYCLE

    def to_argument(self) -> str:
        """Return this as the one argument of a process."""
        return json.dumps(asdict(self))


def made(feed: str) -> list[bytes]:
    """Make the frames of one cycle, as a connector records them."""
    if feed == "kambi":
        frames = Frames()
        return [frames.frame(number, 0)[1] for number in range(CYCLE)]
    records = ((value, dict(headers)) for _, _, value, headers in fastpath_frames(4 * CYCLE, {"soccer": 1}))
    of_line = (
        value
        for value, headers in records
        if headers["tc-kind"] == b"frame" and headers["tc-line"].endswith(b"/actions")
    )
    return list(islice(of_line, CYCLE))


@dataclass(slots=True)
class _Server:
    flood: Flood
    blocks: Sequence[bytes]
    waiting: int = 0
    all_there: asyncio.Event = field(default_factory=asyncio.Event)

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Accept, flood from the client's first message on, and answer pings and the close until the client is gone."""
        deflate = ServerPerMessageDeflateFactory(server_max_window_bits=_WINDOW_BITS)
        protocol = ServerProtocol(extensions=[deflate] if self.flood.deflate else None, max_size=None)
        flooding: asyncio.Task[None] | None = None
        while received := await reader.read(2**16):
            protocol.receive_data(received)
            for event in protocol.events_received():
                if isinstance(event, Request):
                    protocol.send_response(protocol.accept(event))
                    if self.flood.feed == "kambi":
                        protocol.send_text(_ENGINE_OPEN)
                elif isinstance(event, Frame) and event.opcode is Opcode.TEXT and flooding is None:
                    if self.flood.feed == "kambi":
                        protocol.send_text(_SOCKET_OPEN)
                    flooding = asyncio.create_task(self._send(writer))
            for answer in protocol.data_to_send():
                writer.write(answer)
            if protocol.close_expected():
                break
        writer.close()

    async def _send(self, writer: asyncio.StreamWriter) -> None:
        self.waiting += 1
        if self.waiting == self.flood.connections:
            print(json.dumps({"began": time.time()}), flush=True)
            self.all_there.set()
        await self.all_there.wait()
        for _ in range(self.flood.cycles):
            for block in self.blocks:
                writer.write(block)
                await writer.drain()


def encoded(flood: Flood) -> list[bytes]:
    """Return one cycle as it goes over the wire, in blocks of some frames."""
    mark = b"4" if flood.feed == "kambi" else b""
    texts: list[str] = json.loads(Path(flood.path).read_bytes())
    extensions = [PerMessageDeflate(False, False, _WINDOW_BITS, _WINDOW_BITS)] if flood.deflate else []
    frames = [Frame(Opcode.TEXT, mark + text.encode()).serialize(mask=False, extensions=extensions) for text in texts]
    return [b"".join(frames[at : at + _BLOCK]) for at in range(0, CYCLE, _BLOCK)]


async def _serve(flood: Flood) -> None:
    server = _Server(flood, encoded(flood))
    async with await asyncio.start_server(server.converse, _LOOPBACK, 0) as listening:
        print(json.dumps({"port": listening.sockets[0].getsockname()[1]}), flush=True)
        await listening.serve_forever()


def main() -> None:
    """Serve until terminated; the first line on stdout is the port, the second when the flood began."""
    flood = Flood(**json.loads(sys.argv[1]))
    if flood.core is not None:
        os.sched_setaffinity(0, {flood.core})
    uvloop.run(_serve(flood))


if __name__ == "__main__":
    main()
