"""What reads the flood and does nothing with it: the most that a connector could take of it on the same core."""

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Coroutine

import aiohttp
import uvloop
from websockets.asyncio.client import connect

from benchmarks.flood import FASTPATH_FEEDS, Flood

_MAX_BYTES = 2**20


async def _aiohttp(port: int, frames: int) -> None:
    async with aiohttp.ClientSession() as session:
        url = f"ws://127.0.0.1:{port}/socket.io/?EIO=4&transport=websocket"
        async with session.ws_connect(url, compress=15, max_msg_size=_MAX_BYTES, decode_text=False) as socket:
            await socket.receive()
            await socket.send_str("40")
            await socket.receive()
            for _ in range(frames):
                message = await socket.receive()
                assert message.type is aiohttp.WSMsgType.TEXT


async def _websockets(port: int, frames: int) -> None:
    url = f"ws://127.0.0.1:{port}/{FASTPATH_FEEDS[0]}"
    async with connect(url, max_size=_MAX_BYTES, proxy=None) as socket:
        await socket.send("{}")
        for _ in range(frames):
            await socket.recv(decode=False)


CLIENTS: dict[str, Callable[[int, int], Coroutine[None, None, None]]] = {"kambi": _aiohttp, "fastpath": _websockets}


async def _read(flood: Flood, port: int) -> None:
    frames = flood.frames // flood.connections
    await asyncio.gather(*(CLIENTS[flood.feed](port, frames) for _ in range(flood.connections)))


def main() -> None:
    """Read the flood to its end; arguments: the flood, its port, our core. Print when, and the processor seconds."""
    flood, port, core = Flood(**json.loads(sys.argv[1])), int(sys.argv[2]), json.loads(sys.argv[3])
    if core is not None:
        os.sched_setaffinity(0, {core})
    started_s = time.process_time()
    uvloop.run(_read(flood, port))
    print(json.dumps({"ended": time.time(), "cpu_seconds": time.process_time() - started_s}))


if __name__ == "__main__":
    main()
