"""The simulator's protocol over real sockets, its life, and a ledger that equals what was received."""

import asyncio
import json
import os
import signal
import sys

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from schemas.errors import EnvironmentFault
from simulators.kambi.ledger import read_ledger
from simulators.kambi.server import KambiSimulator
from tests.simulators.kambi_client import GENERAL, clients, ledger_of, live_event_ids, lively, packets_of


async def test_the_ledger_is_what_the_clients_received_packet_for_packet(tmp_path):
    settings = lively(tmp_path)
    async with KambiSimulator(settings) as simulator:
        ids = await live_event_ids(simulator)
        assert ids == await live_event_ids(simulator, "open.json")
        async with clients(simulator, 2, deflate=True) as (general, events):
            await general.subscribe(*GENERAL)
            await events.subscribe(
                *(f"v2018.kambi.{side}.{event}.json" for event in ids for side in ("ev", "en_GB.ev"))
            )
            await general.until(lambda packets: len(packets) > 40)
            await events.until(lambda packets: len(packets) > 150)
            both = [(client.sid, client) for client in (general, events)]
            for key in GENERAL:  # nothing may be on its way when the two are compared
                await general.socket.emit("unsubscribe", {"topic": key})
            await events.socket.disconnect()
            await general.socket.disconnect()
    lines = ledger_of(settings)
    for sid, client in both:
        written = packets_of(settings, sid)
        assert written[0] == f'0{{"sid":"{sid}"}}'
        assert client.packets == written[: len(client.packets)]
        assert len(written) - len(client.packets) <= 3  # handed over while the client was leaving
        numbers = [line.n for line in lines if line.kind == "frame" and line.sid == sid]
        assert numbers == list(range(1, len(numbers) + 1))
        (end,) = [line for line in lines if line.kind == "disconnect" and line.sid == sid]
        assert end.n == len(numbers)
    assert lines[0].kind == "connect"


@pytest.mark.parametrize("compression", ["deflate", None])
async def test_deflate_is_negotiated_when_it_is_offered(tmp_path, compression):
    async with KambiSimulator(lively(tmp_path)) as simulator:
        url = f"{simulator.urls.push_url}/socket.io/?EIO=4&transport=websocket"
        async with asyncio.timeout(20), connect(url, compression=compression) as socket:
            assert socket.response is not None
            offered = socket.response.headers.get("Sec-WebSocket-Extensions")
            assert (offered or "").startswith("permessage-deflate") is (compression is not None)
            opening = json.loads((await socket.recv(decode=True))[1:])
            assert (opening["upgrades"], opening["pingInterval"], opening["pingTimeout"]) == ([], 55_000, 20_000)
            await socket.send("40")
            assert (await socket.recv(decode=True)).startswith('40{"sid":"')
            await socket.send(f'42["subscribe",{{"topic":"{GENERAL[0]}"}}]')
            assert (await socket.recv(decode=True)).startswith('42["message","[{')


@pytest.mark.parametrize(
    ("levels", "query"),
    [
        ((4,), "EIO=3&transport=websocket"),
        ((3,), "EIO=4&transport=websocket"),
        ((3, 4), "EIO=5&transport=websocket"),
        ((3, 4), "transport=websocket"),
        ((4,), "EIO=4&transport=polling"),
    ],
)
async def test_other_levels_and_polling_are_refused(tmp_path, levels, query):
    async with KambiSimulator(lively(tmp_path, engine_io_levels=levels)) as simulator:
        with pytest.raises(InvalidStatus) as refused:
            async with connect(f"{simulator.urls.push_url}/socket.io/?{query}"):
                pass
    assert refused.value.response.status_code == 400


async def test_engine_io_3_connects_unasked_and_answers_the_clients_pings(tmp_path):
    settings = lively(tmp_path, engine_io_levels=(3, 4), ping_interval_s=0.2)
    async with KambiSimulator(settings) as simulator, clients(simulator) as (modern,):
        await modern.subscribe(GENERAL[0])
        url = f"{simulator.urls.push_url}/socket.io/?EIO=3&transport=websocket"
        received = []
        async with asyncio.timeout(20), connect(url) as socket:
            assert (await socket.recv(decode=True)).startswith('0{"sid":"')
            assert await socket.recv(decode=True) == "40"
            await socket.send("2probe")
            assert await socket.recv(decode=True) == "3probe"
            await socket.send(f'42["subscribe",{{"topic":"{GENERAL[0]}"}}]')
            while len(received) < 30:
                received.append(await socket.recv(decode=True))
        assert all(packet.startswith('42["message","[') for packet in received)  # and never a ping of the server's
        await modern.until(lambda packets: len(packets) > 5)
    (sid,) = {line.sid for line in ledger_of(settings)} - {modern.sid}
    assert ["40", *received] == [f"4{packet}" for packet in packets_of(settings, sid)][:31]


async def test_load_frames_are_of_sheet_size_and_go_round_the_events(tmp_path):
    settings = lively(tmp_path, changes_per_second=0, load_frames_per_s=1_000, match_duration_s=3_600)
    async with KambiSimulator(settings) as simulator:
        ids = await live_event_ids(simulator)
        async with clients(simulator) as (client,):
            await client.subscribe(*(f"v2018.kambi.ev.{event}.json" for event in ids))
            await client.until(lambda packets: len(packets) > 1_000)
            frames = [packet for packet in client.packets if packet.count('\\"boou\\"') == 4]
    assert len(frames) > 900
    assert 1_150 < sum(map(len, frames)) / len(frames) < 1_650
    events = [json.loads(json.loads(packet[1:])[1])[0]["boou"]["eventId"] for packet in frames]
    assert set(events) == set(ids)


async def test_a_port_in_use_says_what_to_do(tmp_path):
    async with KambiSimulator(lively(tmp_path)) as simulator:
        port = int(simulator.urls.push_url.rpartition(":")[2])
        with pytest.raises(EnvironmentFault, match="Operator action"):
            async with KambiSimulator(lively(tmp_path, port=port)):
                pass


RUN = """
import asyncio, sys
from pathlib import Path
from simulators.kambi.config import KambiSimulatorSettings
from simulators.kambi.server import run
settings = KambiSimulatorSettings(ledger=Path(sys.argv[1]), changes_per_second=200, bulk_window_ms=20)
asyncio.run(run(settings, on_ready=lambda urls: print(urls.push_url, flush=True)))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
async def test_signals_close_cleanly_and_flush_the_ledger(tmp_path, number):
    ledger = tmp_path / "ledger.jsonl"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", RUN, str(ledger), stdout=asyncio.subprocess.PIPE, env=os.environ | {"PYTHONPATH": "."}
    )
    try:
        async with asyncio.timeout(60):
            assert process.stdout is not None
            url = (await process.stdout.readline()).decode().strip()
            received = []
            async with connect(f"{url}/socket.io/?EIO=4&transport=websocket") as socket:
                await socket.recv(decode=True)
                await socket.send("40")
                received.append((await socket.recv(decode=True))[1:])
                await socket.send(f'42["subscribe",{{"topic":"{GENERAL[0]}"}}]')
                received.append((await socket.recv(decode=True))[1:])
                process.send_signal(number)
                async for packet in socket:
                    received.append(packet[1:])
                assert socket.close_code == 1000
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert received.pop() == ""  # Engine.IO close
    lines = list(read_ledger(ledger))
    assert [line.packet for line in lines if line.kind == "frame"] == received
    assert lines[-1].kind == "disconnect"
