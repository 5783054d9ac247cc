"""Which channel carries what, over real sockets."""

import json

from simulators.kambi.server import KambiSimulator
from tests.simulators.consumer import parse
from tests.simulators.kambi_client import GENERAL, clients, ledger_of, live_event_ids, lively


async def test_facts_and_keys_of_the_ledger_agree_with_the_packets_and_copies_share_change_and_time(tmp_path):
    settings = lively(tmp_path)
    async with KambiSimulator(settings) as simulator:
        ids = await live_event_ids(simulator)
        async with clients(simulator) as (client,):
            await client.subscribe(*GENERAL, *(f"v2018.kambi.ev.{event}.json" for event in ids))
            await client.until(lambda packets: len(packets) > 150)
    copies: dict[int, set[tuple[int, str]]] = {}
    for line in ledger_of(settings):
        if line.kind != "frame" or line.key is None:
            continue
        children = json.loads(json.loads((line.packet or "")[1:])[1])
        assert {fact.child for fact in line.facts} == set(range(len(children)))
        for fact in line.facts:
            child = children[fact.child]
            _, element = parse(json.dumps(child).encode())
            assert (fact.mt, fact.t) == (child["mt"], int(child["t"]))
            if fact.mt == 11:
                odds = {(o["betOfferId"], o["id"]): o.get("odds") for o in element["outcomes"]}
                assert odds[fact.offer, fact.outcome] == fact.value
            copies.setdefault(fact.change, set()).add((fact.t, line.key))
    assert all(len({t for t, _ in places}) == 1 for places in copies.values())
    assert any(len(places) == 2 for places in copies.values())


async def test_frames_of_an_event_key_are_about_that_event_only(tmp_path):
    settings = lively(tmp_path)
    async with KambiSimulator(settings) as simulator:
        event = (await live_event_ids(simulator))[0]
        async with clients(simulator) as (client,):
            await client.subscribe(f"v2018.kambi.ev.{event}.json")
            await client.until(lambda packets: len(packets) > 20)
            elements = [parse(json.dumps(child).encode())[1] for child in client.children()]
    assert {element["eventId"] for element in elements} == {event}


async def test_requests_that_mean_nothing_are_passed_over(tmp_path):
    async with KambiSimulator(lively(tmp_path)) as simulator, clients(simulator) as (client,):
        for request in ("v2018.kambi.ev.json", {"key": "x"}, {"topic": 7}, None):
            await client.socket.emit("subscribe", request)
        await client.subscribe("not a key", "v2018.other.ev.json", GENERAL[0])
        await client.until(lambda packets: len(packets) > 3)
        assert all(packet.startswith('2["message",') for packet in client.packets[1:])


async def test_settlements_come_on_their_own_key_only(tmp_path):
    settings = lively(tmp_path, speed=50, match_duration_s=60, changes_per_second=1)
    async with KambiSimulator(settings) as simulator, clients(simulator, 2) as (settled, general):
        await general.subscribe(*GENERAL)
        await settled.subscribe("v2018.kambi.bh.json")
        await settled.until(lambda packets: len(packets) > 3)
        assert {child["mt"] for child in settled.children()} == {24}
        assert 24 not in {child["mt"] for child in general.children()}
