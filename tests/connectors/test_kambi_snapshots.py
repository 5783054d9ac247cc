"""Push and polling together → real Kafka → another client: every snapshot in its partition, after what asked for it."""

import uuid
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from aiohttp import web

from simulators.kambi.config import KambiSimulatorSettings
from simulators.kambi.server import KambiSimulator
from tests.connectors.offering_api import offering_api
from tests.connectors.vendor import eventually, vendor

pytestmark = pytest.mark.kafka

LIST = "event/live/open.json?lang=en"


@asynccontextmanager
async def both(recording, **settings):
    """A push server, an offering API, and a connector between them and Kafka."""
    async with vendor() as server, offering_api() as api:
        quick = {"snapshots": True, "offering_url": api.url, "requests_per_minute": 6000, "snapshot_interval_s": 30.0}
        async with recording.connector(server.url, **(quick | settings)):
            yield server, api


def snapshots(records):
    return [record for record in records if record.kind == "snapshot"]


def positions(records):
    return {record.headers["tc-position"] for record in snapshots(records)}


def of(*events):
    ids = ",".join(map(str, events))
    return {f"betoffer/event/{ids}.json?lang=en", f"event/livedata/{ids}.json?lang=en"}


async def test_each_partition_has_the_snapshots_of_its_shard_with_all_headers(recording):
    events = (1020000000, 1020000001, 1020000002, 1020000003, 1020000005)
    async with both(recording, shards=4, events=events, replica="b", ids_per_request=2) as (_, api):
        for shard in range(4):
            wanted = {LIST} | of(*(event for event in events if event % 4 == shard))
            records = await recording.records(lambda seen, wanted=wanted: positions(seen) >= wanted, partition=shard)
            assert positions(records) == wanted
            found = snapshots(records)
            [connection] = {record.connection for record in found}
            uuid.UUID(connection)
            for number, record in enumerate(found, 1):
                received_ns = record.headers["tc-received-ns"]
                requested_ns = record.headers["tc-requested-ns"]
                assert record.headers == {
                    "tc-feed": "kambi",
                    "tc-line": f"kambi-{shard}-snapshots.b",
                    "tc-connection": connection,
                    "tc-frame": str(number),
                    "tc-received-ns": received_ns,
                    "tc-kind": "snapshot",
                    "tc-position": record.headers["tc-position"],
                    "tc-requested-ns": requested_ns,
                    "tc-status": "200",
                }
                assert int(requested_ns) <= int(received_ns)
                assert (record.partition, record.key) == (shard, str(shard).encode())
                assert record.value == api.honest(record.headers["tc-position"]).body


async def test_a_subscribe_is_followed_by_a_snapshot_asked_for_after_it(recording):
    def after_second_opening(seen):
        opened = [r for r in seen if r.kind == "opened" and r.line == "kambi-0-events-0"]
        return len(opened) == 2 and positions(seen[seen.index(opened[1]) :]) >= of(11, 12)

    async with both(recording, events=(11, 12)) as (server, _):
        peers = [await server.connected() for _ in range(2)]
        [line] = [peer for peer in peers if peer.number == 2]
        await line.has(lambda peer: len(peer.keys) == 4)
        await recording.records(lambda seen: positions(seen) >= of(11, 12))
        line.drop()
        records = await recording.records(after_second_opening)
    for begins in (i for i, r in enumerate(records) if r.kind == "opened" and r.line == "kambi-0-events-0"):
        opened_ns = int(records[begins].headers["tc-received-ns"])
        later = [r for r in snapshots(records[begins:]) if r.headers["tc-position"] in of(11, 12)]
        assert later
        assert all(int(r.headers["tc-requested-ns"]) > opened_ns for r in later)


async def test_events_that_open_are_followed_and_asked_for(recording):
    settings = {"events": "live", "discovery_interval_s": 0.2, "shards": 2}
    async with both(recording, **settings) as (_, api):
        api.live = [20, 21]
        await recording.records(lambda seen: positions(seen) >= {LIST} | of(20), partition=0)
        await recording.records(lambda seen: positions(seen) >= {LIST} | of(21), partition=1)
        api.live = [20, 21, 22]
        records = await recording.records(lambda seen: positions(seen) >= of(22), partition=0)
    # The line told that it holds the keys before the snapshot was asked for: it repairs all that was before.
    telling = [r for r in records if r.kind == "tick" and "v2018.kambi.ev.22.json" in r.json.get("keys", ())]
    told_ns = int(telling[0].headers["tc-received-ns"])
    asked_ns = [int(r.headers["tc-requested-ns"]) for r in snapshots(records) if r.headers["tc-position"] in of(22)]
    assert min(asked_ns) > told_ns


async def test_an_api_that_fails_in_every_way_does_not_touch_push(recording):
    faults = iter(range(1_000_000))

    async def failing(request, position):
        match next(faults) % 4:
            case 0:
                request.transport.abort()
                return web.Response()
            case 1:
                return web.Response(status=503)
            case 2:
                return web.Response(body=b"<html>", content_type="text/html")
        raise web.HTTPFound(request.path_qs)

    async with both(recording, events=(1,), backoff_cap_s=0.05) as (server, api):
        api.fault = failing
        peers = [await server.connected() for _ in range(2)]
        await eventually(lambda: len(api.asked) > 16)  # each of four faults four times
        for peer in peers:
            await peer.send('2["message","[]"]')
        seen = await recording.records(lambda seen: sum(r.value == b'2["message","[]"]' for r in seen) == 2)
        assert sum(r.kind == "opened" for r in seen) == 2
        assert all(r.value in (b"<html>", api.honest(LIST).body) for r in snapshots(seen))


async def test_the_simulator_answers_what_is_asked(recording):
    simulated = KambiSimulatorSettings(port=0, seed=5, events_live=6)
    async with AsyncExitStack() as stack:
        simulator = await stack.enter_async_context(KambiSimulator(simulated))
        await stack.enter_async_context(
            recording.connector(
                simulator.urls.push_url,
                offering_url=simulator.urls.offering_url,
                events="live",
                snapshots=True,
                snapshot_interval_s=0.5,
                prematch=("football/all/all/all/matches",),
                prematch_interval_s=0.5,
            )
        )
        kinds = ("betoffer/event/", "event/livedata/", "event/live/open", "listView/football")
        records = await recording.records(
            lambda seen: all(any(p.startswith(kind) for p in positions(seen)) for kind in kinds)
        )
    assert {r.headers["tc-status"] for r in snapshots(records)} == {"200"}
