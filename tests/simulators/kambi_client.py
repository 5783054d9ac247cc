"""A consumer of the simulator over real sockets, and what the ledger says of it."""

import asyncio
import json
from contextlib import asynccontextmanager

import aiohttp
import socketio

from simulators.kambi.config import KambiSimulatorSettings
from simulators.kambi.ledger import Line, read_ledger

GENERAL = ("v2018.kambi.ev.json", "v2018.kambi.en_GB.ev.json")


def lively(tmp_path, **overrides) -> KambiSimulatorSettings:
    return KambiSimulatorSettings(
        **{
            "events_live": 4,
            "changes_per_second": 200,
            "match_duration_s": 30,
            "bulk_window_ms": 20,
            "ledger": tmp_path / "ledger.jsonl",
        }
        | overrides
    )


class Client:
    """A python-socketio client that keeps every packet text as it came."""

    def __init__(self) -> None:
        self.sid = ""
        self.packets: list[str] = []
        self.closed = asyncio.Event()
        self._more = asyncio.Condition()
        self.socket = socketio.AsyncClient(reconnection=False)
        library = self.socket._handle_eio_message

        async def keep(packet):
            self.packets.append(packet)
            async with self._more:
                self._more.notify_all()
            await library(packet)

        self.socket.eio.on("message", keep)
        self.socket.on("disconnect", lambda *_: self.closed.set())

    async def connect(self, simulator, *, deflate=False):
        self.socket.eio.websocket_extra_options = {"compress": 15} if deflate else {}
        await self.socket.connect(simulator.urls.push_url, transports=["websocket"])
        self.sid = self.socket.get_sid()

    async def subscribe(self, *keys):
        for key in keys:
            await self.socket.emit("subscribe", {"topic": key})

    async def until(self, holds):
        async with asyncio.timeout(20), self._more:
            await self._more.wait_for(lambda: holds(self.packets))

    def children(self):
        for packet in self.packets:
            if packet.startswith('2["message"'):
                yield from json.loads(json.loads(packet[1:])[1])


@asynccontextmanager
async def clients(simulator, count=1, **options):
    started = [Client() for _ in range(count)]
    try:
        for client in started:
            await client.connect(simulator, **options)
        yield started
    finally:
        for client in started:
            await client.socket.disconnect()


async def live_event_ids(simulator, name="open") -> list[int]:
    status, body = await ask(simulator, f"/offering/v2018/kambi/event/live/{name}?lang=en_GB")
    assert status == 200
    return [item["event"]["id"] for item in body["liveEvents"]]


async def ask(simulator, path, **options):
    """GET a path beside the vendor's, or POST to it when there is ``json`` or ``data``; return status and body."""
    method = "POST" if {"json", "data"} & options.keys() else "GET"
    url = f"{simulator.urls.offering_url}{path}"
    async with aiohttp.ClientSession() as session, session.request(method, url, **options) as answer:
        return answer.status, await answer.json()


def ledger_of(settings: KambiSimulatorSettings) -> list[Line]:
    assert settings.ledger is not None
    return list(read_ledger(settings.ledger))


def packets_of(settings, sid) -> list[str]:
    return [line.packet or "" for line in ledger_of(settings) if line.kind == "frame" and line.sid == sid]
