"""Control of the simulator for checkers: its state, standing still, other faults while it runs."""

import asyncio
import time

import pytest

from simulators.kambi.server import KambiSimulator
from tests.simulators.kambi_client import GENERAL, ask, clients, ledger_of, live_event_ids, lively


async def test_paused_the_offering_stands_still_and_connections_stay(tmp_path):
    settings = lively(tmp_path, bulk_window_ms=300)
    async with KambiSimulator(settings) as simulator, clients(simulator) as (client,):
        await client.subscribe(*GENERAL)
        await client.until(lambda packets: len(packets) > 3)
        status, answer = await ask(simulator, "/simulator/pause", json={})
        assert (status, answer) == (200, {"paused": True, "waiting": 0})
        settled = sum(line.kind == "frame" for line in ledger_of(settings))  # bulks are out: the windows are closed
        _, state = await ask(simulator, "/simulator/state")
        await ask(simulator, "/simulator/faults", json={"http_delay_ms": 700})
        await live_event_ids(simulator)  # long enough for much to happen, if it did
        await client.until(lambda packets: len(packets) == settled)
        assert client.socket.connected
        assert (await ask(simulator, "/simulator/state"))[1] == state
        assert sum(line.kind == "frame" for line in ledger_of(settings)) == settled
        assert (await ask(simulator, "/simulator/resume", json={}))[1]["paused"] is False
        await client.until(lambda packets: len(packets) > settled + 3)


async def test_what_was_on_its_way_arrives_in_a_pause_and_is_counted_until_then(tmp_path):
    settings = lively(tmp_path, faults={"delay_ms": 700, "delay_every_line": 1})
    async with asyncio.timeout(20), KambiSimulator(settings) as simulator, clients(simulator) as (client,):
        await client.subscribe(GENERAL[0])
        while (await ask(simulator, "/simulator/pause", json={}))[1]["waiting"] == 0:
            await ask(simulator, "/simulator/resume", json={})
        while (await ask(simulator, "/simulator/pause", json={}))[1]["waiting"] > 0:
            assert client.socket.connected
        handed = sum(line.kind == "frame" for line in ledger_of(settings))
        await client.until(lambda packets: len(packets) == handed > 1)


async def test_faults_are_replaced_while_it_runs(tmp_path):
    settings = lively(tmp_path, faults={"junk_every": 1})
    async with KambiSimulator(settings) as simulator, clients(simulator) as (client,):
        await client.subscribe(GENERAL[0])
        status, answer = await ask(simulator, "/simulator/faults", json={"never_deliver_every": 1})
        assert (status, answer["never_deliver_every"], answer["junk_every"]) == (200, 1, 0)
        silent = len(ledger_of(settings))
        await ask(simulator, "/simulator/faults", json={"duplicate_every": 1, "missing_odds_every": 1})
        await client.until(lambda packets: len(packets) > 30)
    lines = [line for line in ledger_of(settings)[silent:] if line.key and line.kind == "frame"]
    assert {line.fault for line in lines} <= {None, "duplicate"}
    assert any(line.fault == "duplicate" for line in lines)
    moved = [fact for line in lines for fact in line.facts if fact.mt == 11]
    assert any(fact.value is None for fact in moved)


@pytest.mark.parametrize("body", ['{"junk_evry":1}', '{"junk_every":-1}', "[]", "no JSON"])
async def test_faults_that_mean_nothing_are_refused_and_change_nothing(tmp_path, body):
    async with KambiSimulator(lively(tmp_path)) as simulator:
        status, answer = await ask(simulator, "/simulator/faults", data=body)
        assert status == 400
        assert answer["error"]["message"]
        assert (await ask(simulator, "/simulator/faults", json={}))[0] == 200


async def test_time_is_sped_up_and_t_stays_the_real_time(tmp_path):
    settings = lively(tmp_path, speed=50, match_duration_s=100, changes_per_second=2)
    async with KambiSimulator(settings) as simulator, clients(simulator) as (client,):
        await client.subscribe(GENERAL[0])
        await client.until(lambda packets: sum('\\"mt\\":18' in packet for packet in packets) >= 4)  # minutes, sped up
        now_ms = time.time_ns() // 1_000_000
        times = [int(child["t"]) for child in client.children()]
    assert times == sorted(times)
    assert abs(now_ms - times[-1]) < 5_000
