"""Shards, settlements and hot standbys of one connector, as the raw topic shows them."""

import asyncio
import json

import pytest

from connectors.kambi import keys
from schemas.topics import KAMBI_SETTLEMENTS_PARTITION, KAMBI_SHARDS
from simulators.kambi.config import KambiSimulatorSettings
from simulators.kambi.server import KambiSimulator
from tests.connectors import contract, raw_topic
from tests.connectors.conftest import Recording
from tests.connectors.vendor import eventually, vendor

pytestmark = pytest.mark.kafka

GENERAL = ["v2018.kambi.en.ev.json", "v2018.kambi.ev.json"]


async def everything(recording, *, check=True):
    by_partition = {}
    for number in range(KAMBI_SETTLEMENTS_PARTITION + 1):
        records = await recording.records(partition=number)
        if check:
            contract.check(records, feed="kambi")
        by_partition[number] = records
    return by_partition


def subscriptions(records):
    """Return per line the keys of its last ``opened`` or of the last tick that says some."""
    held = {}
    for record in records:
        if record.kind in {"opened", "tick"} and "keys" in record.json:
            held[record.line] = record.json["keys"]
    return held


def pair(event):
    return list(keys.event_pair("kambi", "en", event))


async def test_each_shard_writes_its_own_partition_and_settlements_the_last(recording):
    async with (
        vendor() as server,
        recording.connector(server.url, shards=4, settlements=True, events=(4, 5, 8, 11)),
    ):
        peers = [await server.connected() for _ in range(4 + 1 + 3)]
        await eventually(lambda: sum(len(peer.keys) for peer in peers) == 4 * 2 + 1 + 4 * 2)
    written = await everything(recording)
    assert {number: subscriptions(records) for number, records in written.items()} == {
        0: {"kambi-0-general": GENERAL, "kambi-0-events-0": [*pair(4), *pair(8)]},
        1: {"kambi-1-general": GENERAL, "kambi-1-events-0": pair(5)},
        2: {"kambi-2-general": GENERAL},
        3: {"kambi-3-general": GENERAL, "kambi-3-events-0": pair(11)},
        4: {"kambi-settlements": ["v2018.kambi.bh.json"]},
    }
    for number, records in written.items():
        said = {(r.json["shard"], r.json["shards"]) for r in records if r.kind == "opened"}
        assert said == ({(number, 4)} if number < KAMBI_SHARDS else {(0, 1)})
        assert {r.json["shards"] for r in records if r.kind == "tick"} <= {4 if number < KAMBI_SHARDS else 1}


async def test_shards_of_a_topic_that_grew_go_past_the_partition_of_settlements(kafka, topic_prefix):
    recording = Recording(kafka, topic_prefix, raw_topic.create(kafka, topic_prefix, partitions=7))
    async with vendor() as server, recording.connector(server.url, shards=6, settlements=True, events=(4,)):
        peers = [await server.connected() for _ in range(6 + 1 + 1)]
        await eventually(lambda: sum(len(peer.keys) for peer in peers) == 6 * 2 + 1 + 2)
    assert list(subscriptions(await recording.records(partition=4))) == ["kambi-settlements"]
    behind = await recording.records(partition=5)
    assert subscriptions(behind) == {"kambi-4-general": GENERAL, "kambi-4-events-0": pair(4)}
    assert {(r.json["shard"], r.json["shards"]) for r in behind if r.kind == "opened"} == {(4, 6)}


@pytest.mark.parametrize(("shard", "partitions"), [(0, {0, 4}), (2, {2})], ids=["shard 0", "shard 2"])
async def test_one_shard_alone_writes_its_partition_and_only_shard_0_settlements(recording, shard, partitions):
    settings = {"shards": 4, "shard": shard, "settlements": True, "events": (4, 6)}
    async with vendor() as server, recording.connector(server.url, **settings):
        peers = [await server.connected() for _ in range(2 + (shard == 0))]
        await eventually(lambda: sum(len(peer.keys) for peer in peers) == 4 + (shard == 0))
    written = await everything(recording)
    assert {number for number, records in written.items() if records} == partitions
    assert subscriptions(written[shard])[f"kambi-{shard}-events-0"] == pair(4 + shard)


async def test_extended_keys_replace_the_general_ones(recording):
    async with vendor() as server, recording.connector(server.url, extended=True):
        peer = await server.connected()
        await peer.has(lambda peer: peer.keys == ["v2018.kambi.en.ext.ev.json", "v2018.kambi.ext.ev.json"])


async def test_a_tick_says_the_keys_when_they_have_changed_and_only_then(recording):
    async with vendor() as server:
        server.live = [1]
        async with recording.connector(server.url, events="live", discovery_interval_s=0.1):
            peers = [await server.connected() for _ in range(2)]
            line = next(peer for peer in peers if peer.number == 2)
            await line.has(lambda peer: peer.keys == pair(1))
            server.live = [1, 2]
            await line.has(lambda peer: peer.keys == [*pair(1), *pair(2)])
            await recording.records(lambda seen: [*pair(1), *pair(2)] in told(seen))
            server.live = [2]
            await recording.records(lambda seen: pair(2) in told(seen))
    contract.check(await recording.records(), feed="kambi")
    records = [r for r in await recording.records() if r.line == "kambi-0-events-0"]
    assert [r.json["keys"] for r in records if r.kind == "opened"] == [pair(1)]
    assert told(records) == [[*pair(1), *pair(2)], pair(2)]
    assert told([r for r in await recording.records() if r.line == "kambi-0-general"]) == []


def told(records):
    return [r.json["keys"] for r in records if r.kind == "tick" and "keys" in r.json]


@pytest.mark.parametrize("is_live", [True, False], ids=["live events", "a list of events"])
async def test_a_line_of_events_that_an_earlier_process_had_and_the_plan_has_not_is_left(recording, is_live):
    many, few = range(1, 25), range(1, 5)
    async with vendor() as server:
        for events in (many, few, many):
            server.live = [*events]
            settings = {"events": "live" if is_live else tuple(events), "discovery_interval_s": 0.1}
            async with recording.connector(server.url, **settings):
                for _ in range(1 + 2 * len(events) // 40 + 1):
                    await server.connected()
                if events is few:
                    await recording.records(lambda seen: any(r.json["reason"] == "left" for r in closed(seen)))
    records = await recording.records()
    contract.check(records, feed="kambi")
    reasons = [record.json["reason"] for record in closed(records) if record.line == "kambi-0-events-1"]
    assert reasons == ["shutdown", "left", "shutdown"]
    assert {r.json["reason"] for r in closed(records) if r.line != "kambi-0-events-1"} == {"shutdown"}


def closed(records):
    return [record for record in records if record.kind == "closed"]


async def test_a_refused_key_is_not_said_to_be_held(recording):
    async def grants_one_key(peer):
        await peer.handshake()
        async for message in peer.socket:
            topic = message.data.split('"')[5]
            if peer.number == 2 and message.data.startswith('42["subscribe"') and "en" not in topic:
                await peer.send("2" + json.dumps(["error", {"code": 403, "message": "not for you", "topic": topic}]))

    async with vendor(grants_one_key) as server, recording.connector(server.url, events=(7,)):
        await recording.records(lambda seen: pair(7)[:1] in told(seen))


def vendor_frames(records, replica):
    return sum(r.value.startswith(b'2["message"') and r.line.endswith(".b") == bool(replica) for r in records)


async def test_a_standby_records_beside_the_first_and_goes_on_without_it(recording):
    settings = {"shards": 2, "settlements": True, "events": "live", "discovery_interval_s": 0.2}
    lines = {"kambi-0-general", "kambi-0-events-0", "kambi-1-general", "kambi-1-events-0", "kambi-settlements"}
    simulated = KambiSimulatorSettings(events_live=6, changes_per_second=100.0)
    async with KambiSimulator(simulated) as simulator:
        url = simulator.urls.offering_url
        _, first = recording.start(url, **settings)
        async with recording.connector(url, **settings, replica="b"):
            for number in (0, 1):
                both = lambda seen: min(vendor_frames(seen, ""), vendor_frames(seen, "b")) >= 20  # noqa: E731
                await recording.records(both, partition=number)
            first.cancel()  # no `closed`, no flush: as if it were killed
            await asyncio.gather(first, return_exceptions=True)
            before = [vendor_frames(await recording.records(partition=number), "b") for number in (0, 1)]
            for number in (0, 1):
                on = lambda seen, least=before[number] + 20: vendor_frames(seen, "b") >= least  # noqa: E731
                await recording.records(on, partition=number)
    written = await everything(recording, check=False)
    assert {r.line for records in written.values() for r in records} >= lines | {f"{line}.b" for line in lines}
    for records in written.values():
        contract.check([r for r in records if r.line.endswith(".b")], feed="kambi")
        contract.check([r for r in records if not r.line.endswith(".b")], feed="kambi", ended=False)
