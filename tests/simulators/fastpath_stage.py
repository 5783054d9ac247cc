"""The simulator's connections over real sockets, with packets and time in the hands of the test."""

import asyncio
import json
import time
from contextlib import asynccontextmanager

from aiohttp import web
from websockets.asyncio.client import connect

from simulators.fastpath.channel import Channel, StatusPacket
from simulators.fastpath.config import FastpathSimulatorSettings, FaultSwitch
from simulators.fastpath.connections import Connections
from simulators.fastpath.ledger import Line, read_ledger
from simulators.ledger import Ledger

ACTIONS = "soccer/fixtures/11111111-2222-4333-8444-555555555555/actions"
STATISTICS = "soccer/fixtures/11111111-2222-4333-8444-555555555555/statistics"
TENNIS = "tennis/events/2026-0415-MS009/stream"
TENNIS_STATISTICS = "tennis/events/2026-0415-MS009/statistics"
GOLF = "golf/tournaments/901/round/1/team/21"
MULTIPLEXER = "multiplexer/?sport=golf"

ACCEPT = {"Accept": "application/vnd.imggaming.dde.api+json;version=1"}
ACK = {"message": "Authorisation accepted", "level": "INFO"}
S = 1_000_000_000


class Stage:
    """Channels that the test publishes to, and a clock that it turns."""

    def __init__(self, settings: FastpathSimulatorSettings) -> None:
        self.settings = settings
        self.faults = FaultSwitch(settings.faults, settings.feed_faults)
        self.channels = {
            path: Channel(path, replay="latest" if path == TENNIS_STATISTICS else "all")
            for path in (ACTIONS, STATISTICS, TENNIS, TENNIS_STATISTICS, GOLF, MULTIPLEXER)
        }
        for channel in self.channels.values():
            channel.started = True
        self.now_ns = time.time_ns()
        self.connections = Connections(
            settings, self.faults, Ledger(settings.ledger), self.channels.get, lambda: self.now_ns
        )
        self.url = ""

    def publish(self, path=ACTIONS, count=1):
        channel = self.channels[path]
        for _ in range(count):
            channel.publish(packet_of(path, len(channel.events)), self.now_ns)

    def status(self, state, path=ACTIONS):
        packet = json.dumps({"eventElementType": "ConnectionStateChanged", "state": state, "timestamp": "x"}).encode()
        self.channels[path].tell(StatusPacket(state=state, told_ns=self.now_ns, packet=packet))

    def tick(self, seconds=0.0):
        self.now_ns += int(seconds * S)
        self.connections.tick(self.now_ns)

    def ledger(self) -> list[Line]:
        assert self.settings.ledger is not None
        return list(read_ledger(self.settings.ledger))

    async def until_connected(self, count=1):
        await until(lambda: len(self.connections.clients()) == count)


async def until(holds):
    """Let the loop turn until ``holds``; what it waits for is another task of this loop."""
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110  # nobody there to set an event
            await asyncio.sleep(0.001)


def packet_of(path, index) -> bytes:
    if path in (ACTIONS,):
        return (
            b'{"version":3,"fixtureAction":{"actionId":"a%d","fixtureSeqNum":\x00,"timelineSequence":1.0000005120000042,'
            b'"sendType":"Confirmed"},"fixtureSummary":{}}' % index
        )
    if path == STATISTICS:
        return b'{"seqNum":\x00,"fixtureId":"11111111-2222-4333-8444-555555555555","total":%d}' % index
    if path == MULTIPLEXER:
        return b'{"sport":"golf","dataType":"eventdata","message":{"seqNum":\x00,"eventElementType":"HitBall"}}'
    return b'{"seqNum":\x00,"eventElementType":"PointScored","rally":%d}' % index


def number_of(message) -> int | None:
    packet = json.loads(message)
    if packet.get("dataType") == "eventdata":
        packet = packet["message"]
    return packet.get("fixtureAction", packet).get("fixtureSeqNum", packet.get("seqNum"))


def numbers_of(messages) -> list[int]:
    return [number for message in messages if (number := number_of(message)) is not None]


@asynccontextmanager
async def staged(tmp_path, **overrides):
    stage = Stage(FastpathSimulatorSettings(**{"ledger": tmp_path / "ledger.jsonl"} | overrides))
    app = web.Application()
    app.router.add_get("/{path:.*}", stage.connections.serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    stage.url = f"ws://{host}:{port}"
    try:
        async with asyncio.timeout(30):
            yield stage
    finally:
        await stage.connections.close()
        await runner.cleanup()


def opened(stage, path=ACTIONS, *, headers=ACCEPT, **options):
    """Connect with the websockets library; the auth frame is still to be sent."""
    return connect(f"{stage.url}/{path}", additional_headers=headers, **options)


@asynccontextmanager
async def admitted(stage, path=ACTIONS, *, token="simulated", **options):
    """Connect, authenticate and take the ack."""
    async with opened(stage, path, **options) as socket:
        await socket.send(json.dumps({"authToken": token}))
        if stage.settings.ack:
            assert json.loads(await socket.recv()) == ACK
        yield socket


async def received(socket, count) -> list:
    return [await socket.recv() for _ in range(count)]
