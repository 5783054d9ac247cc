"""The simulated vendor as a process: where it listens, how it stops, that it runs by itself."""

import asyncio
import json
import os
import signal
import sys
from typing import Any

import aiohttp
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from schemas.errors import EnvironmentFault
from simulators.rms.ledger import read_ledger
from tests.simulators.rms_client import SOCKET, rest_of, staged, welcome


async def test_a_port_in_use_says_what_to_do(tmp_path):
    async with staged(tmp_path) as stage:
        port = int(stage.simulator.urls.socket_url.rpartition(":")[2])
        with pytest.raises(EnvironmentFault, match="Operator action"):
            async with staged(tmp_path, port=port):
                pass


async def test_stopping_closes_with_1001_after_what_waits(tmp_path):
    async with staged(tmp_path) as stage:
        headers, missing = await stage.headers(), await stage.bearer()
        joined, refused, mute = stage.joined(headers), stage.opened(missing), stage.joined(headers)
        socket, refused_socket, mute_socket = [await each.__aenter__() for each in (joined, refused, mute)]
        await stage.control("close", how="half-open", connection=stage.ledger("connect")[1].connection)
        await refused_socket.recv()
        bet = await stage.place()
        await stage.decide(bet)
    assert bet["answer"]["bet_code"] in await socket.recv()
    for each, code in ((socket, 1001), (refused_socket, 1001), (mute_socket, 1006)):
        with pytest.raises(ConnectionClosed):
            await each.recv()
        assert each.close_code == code
    assert [line.reason for line in stage.ledger("disconnect")] == ["stopped", "1001 maintenance"]


async def test_a_token_holds_beyond_a_restart_a_refresh_token_does_not(tmp_path):
    async with staged(tmp_path) as stage:
        _, pair = await stage.exchange()
    async with staged(tmp_path) as stage:
        headers = {"Authorization": f"Bearer {pair['accessToken']}", "customerid": "90210"}
        async with stage.opened(headers) as socket:
            await welcome(socket)
        assert (await stage.refresh(pair["refreshToken"]))[0] == 401
    async with staged(tmp_path, seed=2) as stage:
        assert (await stage.ask("/rms-bet/v1/bet/detail", json={}, headers=headers))[0] == 401


async def test_what_goes_wrong_inside_stops_it_and_is_raised(tmp_path):
    with pytest.raises(AttributeError):  # noqa: PT012  # by waiting, or on the way out
        async with staged(tmp_path) as stage:
            bet = await stage.place(moves=[{"outcome": "accept", "after_s": 1}])
            held: Any = stage.simulator.desk.book.by_code(bet["answer"]["bet_code"])
            held.slip = None
            stage.turn(1)
            await stage.simulator.wait()


RUN = """
import asyncio, sys
from pathlib import Path
from simulators.rms.config import RmsSimulatorSettings
from simulators.rms.server import run
settings = RmsSimulatorSettings.model_validate({
    "ledger": sys.argv[1], "platform": {"bets_per_second": 200}, "trader": {"decide_after_s": [0, 0.1]}
})
asyncio.run(run(settings, on_ready=lambda urls: print(urls.socket_url, flush=True)))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
async def test_it_runs_by_itself_and_signals_close_cleanly_and_flush_the_ledger(tmp_path, number):
    ledger = tmp_path / "ledger.jsonl"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", RUN, str(ledger), stdout=asyncio.subprocess.PIPE, env=os.environ | {"PYTHONPATH": "."}
    )
    try:
        async with asyncio.timeout(60):
            assert process.stdout is not None
            url = (await process.stdout.readline()).decode().strip()
            async with (
                aiohttp.ClientSession() as session,
                session.post(
                    url.replace("ws", "http", 1) + "/identity/resources/auth/v1/api-token",
                    json={"clientId": "simulated", "secret": "simulated"},
                ) as answer,
            ):
                token = (await answer.json())["accessToken"]
            headers = {"Authorization": f"Bearer {token}", "customerid": "90210"}
            received: list[str] = []
            async with connect(f"{url}{SOCKET}", additional_headers=headers) as socket:
                await welcome(socket)
                await socket.send('420["join"]')
                while len(received) < 20:
                    received.append(await socket.recv(decode=True))
                process.send_signal(number)
                received += await rest_of(socket)
                assert socket.close_code == 1001
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    lines = list(read_ledger(ledger))
    assert [f"4{line.packet}" for line in lines if line.kind == "frame"][1:] == received
    assert lines[-1].kind == "disconnect"
    assert {json.loads(packet[2:])[0] for packet in received[1:]} == {"RESERVE_BET_ACCEPT", "RESERVE_BET_REJECT"}
