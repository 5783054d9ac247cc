"""What a handshake with the Kambi simulator may meet, and what checkers do to its connections and faults."""

import asyncio

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from simulators.kambi.server import KambiSimulator
from tests.simulators.kambi_client import GENERAL, ask, clients, live_event_ids, lively


def handshake(simulator):
    return connect(f"{simulator.urls.push_url}/socket.io/?EIO=4&transport=websocket")


@pytest.mark.parametrize(("status", "retry_after"), [(429, "2"), (503, None)])
async def test_every_nth_handshake_is_refused_and_http_is_not(tmp_path, status, retry_after):
    settings = lively(tmp_path, faults={"refuse_every": 2, "refuse_status": status})
    async with KambiSimulator(settings) as simulator:
        async with handshake(simulator) as socket:
            assert (await socket.recv(decode=True))[0] == "0"
        with pytest.raises(InvalidStatus) as refused:
            async with handshake(simulator):
                pass
        assert refused.value.response.status_code == status
        assert refused.value.response.headers.get("Retry-After") == retry_after
        assert await live_event_ids(simulator)
        assert await live_event_ids(simulator)  # the fourth of all


async def test_every_nth_connection_is_accepted_and_never_spoken_to(tmp_path):
    async with (
        KambiSimulator(lively(tmp_path, faults={"mute_every": 2})) as simulator,
        handshake(simulator) as socket,
        handshake(simulator) as mute,
    ):
        assert (await socket.recv(decode=True))[0] == "0"
        await mute.send("40")
        await (await mute.ping())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(mute.recv(), 0.05)


async def test_a_slow_handshake_is_answered_late(tmp_path):
    async with KambiSimulator(lively(tmp_path, faults={"slow_every": 1, "slow_ms": 200})) as simulator:
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with handshake(simulator):
            assert loop.time() - began >= 0.2


async def test_a_flood_comes_on_top_and_ends(tmp_path):
    settings = lively(tmp_path, changes_per_second=0)
    async with KambiSimulator(settings) as simulator, clients(simulator) as (client,):
        keys = [f"v2018.kambi.ev.{event}.json" for event in await live_event_ids(simulator)]
        await client.subscribe(*keys)
        before = len(client.packets)
        await ask(simulator, "/simulator/faults", json={"flood_frames_per_s": 1_000})
        await client.until(lambda packets: len(packets) > before + 200)
        await ask(simulator, "/simulator/faults", json={})
        assert (await ask(simulator, "/simulator/faults"))[1]["flood_frames_per_s"] == 0


async def test_all_connections_are_cut_on_request(tmp_path):
    async with KambiSimulator(lively(tmp_path)) as simulator, clients(simulator, 2) as both:
        for client in both:
            await client.subscribe(*GENERAL)
            await client.until(lambda packets: len(packets) > 1)
        assert await ask(simulator, "/simulator/cut", json={}) == (200, {"ended": 2})
        async with asyncio.timeout(20):
            for client in both:
                await client.closed.wait()
