"""A consumer of the RMS simulator over real sockets, by libraries that are not ours, with the time in its hands."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from simulators.rms.auth import EXCHANGE, REFRESH
from simulators.rms.config import RmsSimulatorSettings
from simulators.rms.ledger import Line, read_ledger
from simulators.rms.server import RmsSimulator

SOCKET = "/rms-socket/socket.io/?EIO=4&transport=websocket"
CUSTOMER = "90210"
S = 1_000_000_000


class Stage:
    """A running simulator and a clock that the test turns on; it does not go by itself."""

    def __init__(self, settings: RmsSimulatorSettings) -> None:
        self.settings = settings
        self.now_ns = time.time_ns()
        self.simulator = RmsSimulator(settings, lambda: self.now_ns)

    def turn(self, seconds: float) -> None:
        self.now_ns += round(seconds * S)

    def ledger(self, *kinds: str) -> list[Line]:
        assert self.settings.ledger is not None
        return [line for line in read_ledger(self.settings.ledger) if not kinds or line.kind in kinds]

    async def ask(self, path, *, headers=None, **options) -> tuple[int, Any]:
        """GET a path, or POST to it when there is ``json`` or ``data``; return status and body, text if no JSON."""
        status, _, text = await self.answer(path, headers=headers, **options)
        try:
            return status, json.loads(text)
        except json.JSONDecodeError:
            return status, text.decode()

    async def answer(self, path, *, headers=None, **options):
        """Do the same; return status, headers and bytes."""
        method = "POST" if {"json", "data"} & options.keys() else "GET"
        url = f"{self.simulator.urls.auth_url}{path}"
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, url, headers=headers, **options) as answer,
        ):
            return answer.status, answer.headers, await answer.read()

    async def exchange(self, client_id="simulated", secret="simulated") -> tuple[int, Any]:
        return await self.ask(EXCHANGE, json={"clientId": client_id, "secret": secret})

    async def refresh(self, token) -> tuple[int, Any]:
        return await self.ask(REFRESH, json={"refreshToken": token})

    async def bearer(self, client_id="simulated") -> dict[str, str]:
        status, body = await self.exchange(client_id)
        assert status == 200
        return {"Authorization": f"Bearer {body['accessToken']}"}

    async def headers(self, customer=CUSTOMER, client_id="simulated", **more) -> dict[str, str]:
        return await self.bearer(client_id) | {"customerid": customer} | more

    def opened(self, headers, query=SOCKET) -> Any:
        """Connect with the websockets library; Socket.IO is still to be spoken."""
        url = f"{self.simulator.urls.socket_url}{query}"
        return connect(url, additional_headers=headers, close_timeout=0.1)  # a half-open server never answers

    @asynccontextmanager
    async def joined(self, headers=None) -> AsyncIterator[Any]:
        """Connect, CONNECT and join; yield the socket."""
        async with self.opened(headers or await self.headers()) as socket:
            await welcome(socket)
            await socket.send('420["join"]')
            assert await socket.recv() == '430[{"status":"ok"}]'
            yield socket

    async def place(self, **wanted) -> dict[str, Any]:
        """Place one referred bet from outside that is never decided unless ``moves`` say so; return what is told."""
        status, body = await self.ask("/simulator/bets", json={"disposition": "referred", "moves": []} | wanted)
        assert status == 200, body
        (bet,) = body["bets"]
        return bet

    async def decide(self, bet, outcome="accept", **manner) -> dict[str, Any]:
        code = bet["answer"]["bet_code"]
        status, body = await self.ask("/simulator/decisions", json={"bet": code, "move": {"outcome": outcome} | manner})
        assert status == 200, body
        return body["decisions"][-1]

    async def control(self, path, **body) -> dict[str, Any]:
        status, answer = await self.ask(f"/simulator/{path}", json=body)
        assert status == 200, answer
        return answer

    async def state(self) -> dict[str, Any]:
        return (await self.ask("/simulator/state"))[1]


async def welcome(socket) -> str:
    """Take the open packet and CONNECT; return the Socket.IO session id."""
    assert (await socket.recv())[0] == "0"
    await socket.send("40")
    answer = await socket.recv()
    assert answer.startswith('40{"sid":"'), answer
    return json.loads(answer[2:])["sid"]


async def rest_of(socket) -> list[str]:
    """Return what comes until the connection ends."""
    got = []
    with suppress(ConnectionClosed):
        while True:
            got.append(await socket.recv())
    return got


async def until(holds: Callable[[], bool]) -> None:
    """Let the loop turn until ``holds``; what it waits for is another task of this loop."""
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110  # nobody there to set an event
            await asyncio.sleep(0.001)


@asynccontextmanager
async def staged(tmp_path, *, patience_s: float = 30.0, **overrides):
    """Run a simulator that does nothing by itself."""
    stage = Stage(
        RmsSimulatorSettings.model_validate(
            {
                "platform": {"bets_per_second": 0},
                "step_ms": 2,
                "connects_max": 1_000,
                "http_max": 10_000,
                "ledger": tmp_path / "ledger.jsonl",
            }
            | overrides
        )
    )
    async with asyncio.timeout(patience_s), stage.simulator:
        yield stage
