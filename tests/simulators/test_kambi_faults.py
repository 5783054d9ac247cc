"""What goes wrong on purpose on push connections, over real sockets, and how the ledger names it."""

import asyncio
import json
from itertools import pairwise

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError

from simulators.kambi.server import KambiSimulator
from tests.simulators.kambi_client import GENERAL, clients, ledger_of, lively, packets_of


async def test_a_cut_connection_is_in_the_ledger_with_its_reason(tmp_path):
    settings = lively(tmp_path)
    async with KambiSimulator(settings) as simulator:
        assert not simulator.cut_oldest()
        async with clients(simulator) as (client,):
            await client.subscribe(*GENERAL)
            await client.until(lambda packets: len(packets) > 5)
            sid = client.socket.get_sid()
            assert simulator.cut_oldest()
            async with asyncio.timeout(20):
                await client.closed.wait()
    (end,) = [line for line in ledger_of(settings) if line.kind == "disconnect"]
    assert (end.sid, end.reason) == (sid, "cut on request")
    written = packets_of(settings, sid)
    assert end.n == len(written)
    assert client.packets == written[: len(client.packets)]


async def test_the_fault_switch_cuts_by_turns(tmp_path):
    settings = lively(tmp_path, faults={"drop_every_s": 0.2})
    async with KambiSimulator(settings) as simulator, clients(simulator, 2) as both:
        async with asyncio.timeout(20):
            for client in both:
                await client.closed.wait()
    ends = [line.reason for line in ledger_of(settings) if line.kind == "disconnect"]
    assert ends == ["cut by fault switch"] * 2


async def test_a_cut_is_no_closing_handshake(tmp_path):
    async with (
        KambiSimulator(lively(tmp_path)) as simulator,
        connect(f"{simulator.urls.push_url}/socket.io/?EIO=4&transport=websocket") as socket,
    ):
        await socket.recv(decode=True)
        await socket.send("40")
        await socket.recv(decode=True)
        simulator.cut_oldest()
        with pytest.raises(ConnectionClosedError):
            async with asyncio.timeout(20):
                await socket.recv(decode=True)


async def test_a_stall_keeps_the_socket_and_loses_what_was_published(tmp_path):
    faults = {"stall_every_s": 0.6, "stall_for_s": 0.5}
    settings = lively(tmp_path, faults=faults)
    async with KambiSimulator(settings) as simulator, clients(simulator) as (client,):
        await client.subscribe(*GENERAL)
        await client.until(lambda packets: len(packets) > 3)
        silences = []

        def two_silences(packets):
            silences.append(asyncio.get_running_loop().time())
            return sum(later - earlier > 0.4 for earlier, later in pairwise(silences)) >= 2

        await client.until(two_silences)
        assert client.socket.connected
        sid = client.socket.get_sid()
        await client.socket.disconnect()
    written = packets_of(settings, sid)
    assert client.packets == written[: len(client.packets)]  # what was lost in silence is not claimed as sent


async def test_junk_duplicates_and_strangers_are_named_in_the_ledger(tmp_path):
    faults = {"junk_every": 2, "duplicate_every": 3, "unknown_mt_every": 5, "bare_object_every": 7}
    settings = lively(tmp_path, faults=faults)
    async with KambiSimulator(settings) as simulator:
        url = f"{simulator.urls.push_url}/socket.io/?EIO=4&transport=websocket"
        received = []
        async with asyncio.timeout(20), connect(url) as socket:
            await socket.recv(decode=True)
            await socket.send("40")
            sid = json.loads((await socket.recv(decode=True))[2:])["sid"]
            await socket.send(f'42["subscribe",{{"topic":"{GENERAL[0]}"}}]')
            while len(received) < 60:
                received.append((await socket.recv(decode=True))[1:])
    written = packets_of(settings, sid)
    assert received == written[1:61]
    faults_seen = {fault for line in ledger_of(settings) for fault in (line.fault or "").split(",")}
    assert faults_seen == {"", "junk", "duplicate", "unknown-mt", "bare-object"}
