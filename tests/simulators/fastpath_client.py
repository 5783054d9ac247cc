"""A consumer of the whole FastPath simulator over real sockets: streams by the websockets library, REST by aiohttp."""

import asyncio
import json
from contextlib import asynccontextmanager

import aiohttp
from websockets.asyncio.client import connect

from simulators.fastpath.channel import Channel
from simulators.fastpath.config import FastpathSimulatorSettings
from simulators.fastpath.ledger import Line, read_ledger
from tests.simulators.fastpath_stage import ACCEPT, ACK

BEARER = ACCEPT | {"Authorization": "Bearer simulated"}


def lively(tmp_path, **overrides) -> FastpathSimulatorSettings:
    return FastpathSimulatorSettings(
        **{
            "fixtures": {"soccer": 1, "tennis": 1, "golf": 1, "mma": 1},
            "actions_per_second": 200,
            "match_duration_s": 30,
            "rest_per_s": 1_000,
            "ledger": tmp_path / "ledger.jsonl",
        }
        | overrides
    )


async def ask(simulator, path, *, headers=BEARER, **options):
    """GET a path, or POST to it when there is ``json``; return status and body."""
    method = "POST" if "json" in options else "GET"
    url = f"{simulator.urls.api_url}{path}"
    async with aiohttp.ClientSession() as session, session.request(method, url, headers=headers, **options) as answer:
        return answer.status, json.loads(await answer.read())


def channel_at(simulator, path) -> Channel:
    channel = simulator.world.channel(path)
    assert channel is not None
    return channel


def started(simulator, sport, kind="actions") -> str:
    """Return the feed path of a live fixture."""
    return next(
        channel.feed.path
        for channel in simulator.world.channels
        if channel.started and channel.feed.sport == sport and channel.feed.kind == kind
    )


@asynccontextmanager
async def admitted(simulator, path, **options):
    async with connect(f"{simulator.urls.stream_url}/{path}", additional_headers=ACCEPT, **options) as socket:
        await socket.send('{"authToken": "simulated"}')
        assert json.loads(await socket.recv()) == ACK
        yield socket


async def collected(socket, until) -> list:
    """Receive until ``until`` holds of all that came."""
    got: list[str | bytes] = []
    async with asyncio.timeout(20):
        while not until(got):
            got.append(await socket.recv())
    return got


def ledger_of(settings: FastpathSimulatorSettings) -> list[Line]:
    assert settings.ledger is not None
    return list(read_ledger(settings.ledger))
