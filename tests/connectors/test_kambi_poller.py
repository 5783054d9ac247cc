"""The poller against an offering API of the tests' own: what is recorded, what is not, and that it never stops."""

import asyncio
import gzip
import json
import time
import uuid
from collections import Counter
from contextlib import asynccontextmanager
from random import Random

import aiohttp
import pytest
from aiohttp import web

from connectors.clock import SystemClock
from connectors.kambi.http import OfferingHttp
from connectors.kambi.poller import Poller
from connectors.kambi.schedule import Cadence, PollSchedule
from connectors.runner import Backoff
from connectors.sink import FrameSink
from connectors.snapshots import SnapshotRecorder
from tests.connectors.offering_api import offering_api
from tests.connectors.vendor import eventually

LIMIT = 8_000_000
QUICK = {
    "requests_per_minute": 60_000,
    "in_flight": 4,
    "ids_per_request": 5,
    "snapshot_s": 0.1,
    "discovery_s": 0.1,
    "prematch_s": 0.1,
    "prematch": (),
    "settle_s": 0.01,
    "backoff": Backoff(base_s=0.01, cap_s=0.05),
}
CALM = QUICK | {"snapshot_s": 1000.0, "discovery_s": 1000.0}
LIST = "event/live/open.json?lang=en_GB"


class Kept:
    """A writer in memory."""

    def __init__(self):
        self.records = []
        self.open = asyncio.Event()
        self.open.set()

    async def write(self, records):
        await self.open.wait()
        self.records += records
        return ()


class Desk:
    """A poller at work."""

    def __init__(self, poller, sinks, kept, recorders):
        self.poller = poller
        self.sinks = sinks
        self.kept = kept
        self.recorders = recorders
        self.listings = []

    def records(self, shard=0):
        return self.kept[shard].records

    def positions(self, shard=0):
        return [record.headers.position for record in self.records(shard)]

    async def recorded(self, *positions, shard=0):
        await eventually(lambda: set(positions) <= set(self.positions(shard)))


@asynccontextmanager
async def polling(api, *, shards=1, queue_bytes=64_000_000, cadence=CALM, timeout_s=5.0, hold_s=0.0):
    clock, stop = SystemClock(), asyncio.Event()
    kept = {shard: Kept() for shard in range(shards)}
    sinks = {shard: FrameSink(kept[shard], max_bytes=queue_bytes) for shard in range(shards)}
    recorders = {
        shard: SnapshotRecorder(feed="kambi", line=f"kambi-{shard}-snapshots", sink=sink)
        for shard, sink in sinks.items()
    }
    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
        poller = Poller(
            http=OfferingHttp(
                session,
                base_url=api.url,
                offering="kambi",
                clock=clock,
                max_body_bytes=LIMIT,
                timeout_s=timeout_s,
                trust_s=120.0,
                settle_s=0.0,
            ),
            schedule=PollSchedule(
                shards=shards, cadence=Cadence(**cadence), random=Random(7), now_s=clock.monotonic_s()
            ),
            recorders=recorders,
            language="en_GB",
            on_live=lambda listing, asked_s: desk.listings.append(listing),
            stop=stop,
            clock=clock,
            hold_s=hold_s,
        )
        desk = Desk(poller, sinks, kept, recorders)
        for sink in sinks.values():
            group.create_task(sink.run())
        running = group.create_task(poller.run())
        try:
            yield desk
            assert not running.done(), "it never stops by itself"
        finally:
            stop.set()
            await running
            for shard, sink in sinks.items():
                kept[shard].open.set()
                sink.close()


def subscribe(poller, *events, shards=1):
    for shard in range(shards):
        poller.follow(shard, [event for event in events if event % shards == shard])
    poller.emitted(
        [key for event in events for key in (f"v2018.kambi.en.ev.{event}.json", f"v2018.kambi.ev.{event}.json")]
    )


# -- what is recorded ----------------------------------------------------------------------------------------------


async def test_answers_are_recorded_as_they_came_under_the_name_of_their_request():
    async with offering_api() as api, polling(api) as desk:
        api.live = [7]
        subscribe(desk.poller, 1, 2)
        offers, livedata = "betoffer/event/1,2.json?lang=en_GB", "event/livedata/1,2.json?lang=en_GB"
        await desk.recorded(LIST, offers, livedata)
        records = desk.records()
        assert [record.headers.frame for record in records] == [1, 2, 3]
        assert {record.headers.kind for record in records} == {"snapshot"}
        assert {record.headers.line for record in records} == {"kambi-0-snapshots"}
        [connection] = {record.headers.connection for record in records}
        uuid.UUID(connection)
        assert {record.headers.status for record in records} == {200}
        for record in records:
            assert 0 <= record.headers.received_ns - record.headers.requested_ns < 10 * 10**9
        bodies = {record.headers.position: record.value for record in records}
        assert bodies[LIST] == b'{"liveEvents": [{"event": {"id": 7}}]}'
        assert [listing.events for listing in desk.listings] == [(7,)]


async def test_records_of_a_shard_hold_its_events_and_listings_go_to_every_shard():
    cadence = CALM | {"prematch": ("football/all/all/all/matches",), "prematch_s": 0.01}
    async with offering_api() as api, polling(api, shards=4, cadence=cadence) as desk:
        subscribe(desk.poller, *range(1, 41), shards=4)
        term = "listView/football/all/all/all/matches.json?lang=en_GB"
        for shard in range(4):
            own = [event for event in range(1, 41) if event % 4 == shard]
            halves = [",".join(map(str, half)) for half in (own[:5], own[5:])]
            wanted = [
                f"{path}/{ids}.json?lang=en_GB" for path in ("betoffer/event", "event/livedata") for ids in halves
            ]
            await desk.recorded(LIST, term, *wanted, shard=shard)
            assert set(desk.positions(shard)) == {LIST, term, *wanted}
            numbers = [record.headers.frame for record in desk.records(shard)]
            assert numbers == list(range(1, len(numbers) + 1))


async def test_a_404_of_an_event_is_recorded_and_one_of_several_is_asked_one_by_one():
    async with offering_api() as api, polling(api) as desk:
        api.gone = {1, 2}
        subscribe(desk.poller, 1, 2)
        alone = [f"{path}/{event}.json?lang=en_GB" for path in ("betoffer/event", "event/livedata") for event in (1, 2)]
        await desk.recorded(*alone)
        assert {r.headers.status for r in desk.records() if r.headers.position in alone} == {404}
        assert "betoffer/event/1,2.json?lang=en_GB" in api.asked
        assert "betoffer/event/1,2.json?lang=en_GB" not in desk.positions()
        assert desk.poller.counts.failed == {}


async def test_a_404_of_a_listing_is_a_failure_and_not_recorded():
    async def missing(request, position):
        return web.json_response({"error": {"status": 404}}, status=404)

    cadence = QUICK | {"prematch": ("curling/all/all/all/matches",)}
    async with offering_api() as api:
        api.fault = missing
        async with polling(api, cadence=cadence) as desk:
            await eventually(lambda: desk.poller.counts.failed["status-404"] > 5)
            assert desk.records() == []
            assert desk.listings == []


async def test_not_modified_is_asked_for_where_offered_and_is_not_recorded():
    async def versioned(request, position):
        if request.headers.get("If-None-Match") == '"1"':
            return web.Response(status=304)
        response = api.honest(position)
        response.headers["ETag"] = '"1"'
        return response

    async with offering_api() as api:
        api.fault, api.live = versioned, [5]
        async with polling(api, cadence=QUICK) as desk:
            desk.poller.follow(0, [1])
            await eventually(lambda: desk.poller.counts.unchanged > 10)
            assert Counter(desk.positions()) == {
                LIST: 2,  # one answer settles nothing yet, its equal does
                "betoffer/event/1.json?lang=en_GB": 2,
                "event/livedata/1.json?lang=en_GB": 2,
            }
            assert len(desk.listings) > 1  # the list is what it was: that, too, is said
            assert {listing.events for listing in desk.listings} == {(5,)}
            # After a subscribe it will not do.
            subscribe(desk.poller, 1)
            await eventually(lambda: Counter(desk.positions())["betoffer/event/1.json?lang=en_GB"] == 3)


# -- frames first --------------------------------------------------------------------------------------------------


async def test_without_room_snapshots_are_skipped_and_counted_and_come_when_there_is_room_again():
    async with offering_api() as api, polling(api, queue_bytes=1000, cadence=QUICK) as desk:
        desk.kept[0].open.clear()
        await eventually(lambda: not desk.sinks[0].is_relieved)
        held = desk.recorders[0].recorded
        subscribe(desk.poller, 1)
        listed = len(desk.listings)
        await eventually(lambda: desk.poller.counts.skipped > 5 and len(desk.listings) > listed)
        assert not any(position.startswith("betoffer") for position in api.asked)  # nothing is asked for in vain
        assert desk.recorders[0].recorded == held
        assert desk.sinks[0].has_room  # half of the queue is left to frames
        desk.kept[0].open.set()
        await desk.recorded("betoffer/event/1.json?lang=en_GB", "event/livedata/1.json?lang=en_GB")
        numbers = [record.headers.frame for record in desk.records()]
        assert numbers == list(range(1, len(numbers) + 1))  # what was skipped took no number


async def test_what_was_answered_and_not_recorded_is_asked_for_in_full_again():
    async def crowded(request, position):
        desk.kept[0].open.clear()
        for _ in range(3):
            desk.sinks[0].put(desk.records()[0])  # frames that came while the answer was on its way
        response = api.honest(position)
        response.headers["ETag"] = '"1"'
        return response

    async with offering_api() as api, polling(api, queue_bytes=100, cadence=CALM | {"snapshot_s": 0.1}) as desk:
        await desk.recorded(LIST)
        api.fault = crowded
        desk.poller.follow(0, [1])  # in rounds: conditionally
        await eventually(lambda: desk.recorders[0].skipped > 0)
        api.fault = None
        desk.kept[0].open.set()
        await desk.recorded("betoffer/event/1.json?lang=en_GB", "event/livedata/1.json?lang=en_GB")
        assert not any("If-None-Match" in headers for headers in api.headers)


# -- what is no good answer ----------------------------------------------------------------------------------------


def status(code):
    async def refusing(request, position):
        return web.Response(status=code, headers={"Retry-After": "0"})

    return refusing


def body(data, content_type="application/json", **headers):
    async def answering(request, position):
        return web.Response(body=data, content_type=content_type, headers=headers)

    return answering


async def truncated(request, position):
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"betOffers":[')
    request.transport.close()
    return response


async def reset(request, position):
    request.transport.abort()
    return web.Response()


async def redirecting(request, position):
    raise web.HTTPFound(request.path_qs)


HTML = b"<!DOCTYPE html><html><body>Maintenance</body></html>"
ERROR = b'{"error": {"message": "Internal", "status": 500}}'


@pytest.mark.parametrize(
    ("fault", "reason", "recorded"),
    [
        pytest.param(status(406), "status-406", None, id="406"),
        pytest.param(status(429), "status-429", None, id="429"),
        pytest.param(status(503), "status-503", None, id="503"),
        pytest.param(truncated, "truncated", None, id="truncated"),
        pytest.param(reset, "network", None, id="reset"),
        pytest.param(redirecting, "redirects", None, id="redirects"),
        pytest.param(body(b"[" * (LIMIT + 1)), "too-large", None, id="too large"),
        pytest.param(body(HTML, "text/html"), "not-json", HTML, id="html"),
        pytest.param(body(b""), "not-json", b"", id="empty"),
        pytest.param(body(b'{"betOffers":[{"id":1'), "not-json", b'{"betOffers":[{"id":1', id="cut"),
        pytest.param(body(b"[" * 100_000), "not-json", b"[" * 100_000, id="deep"),
        pytest.param(body(b'"text"'), "not-json", b'"text"', id="text"),
        pytest.param(body(ERROR), "error-body", ERROR, id="error body"),
        pytest.param(
            body(gzip.compress(ERROR)[:-9], Content_Encoding="gzip"),
            "not-json",
            gzip.compress(ERROR)[:-9],
            id="no json",
        ),
    ],
)
async def test_a_bad_answer_is_told_counted_and_backed_off_from_and_polling_goes_on(fault, reason, recorded, caplog):
    async with offering_api() as api, polling(api) as desk:
        await desk.recorded(LIST)
        api.fault = fault
        subscribe(desk.poller, 1, 2)
        await eventually(lambda: desk.poller.counts.failed[reason] >= 3)
        assert f"kambi.poll_failed position=betoffer/event/1,2.json?lang=en_GB reason={reason}" in caplog.text
        assert {record.value for record in desk.records()[1:]} == ({recorded} if recorded is not None else set())
        api.fault = None
        for path in ("betoffer/event", "event/livedata"):  # together, or one by one
            await eventually(
                lambda path=path: any(
                    r.headers.position.startswith(path) and r.value != recorded for r in desk.records()
                )
            )


async def test_a_slow_drip_is_given_up_and_polling_goes_on():
    async def drip(request, position):
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.01)

    async with offering_api() as api, polling(api, timeout_s=0.2) as desk:
        await desk.recorded(LIST)
        api.fault = drip
        subscribe(desk.poller, 1)
        await eventually(lambda: desk.poller.counts.failed["timeout"] >= 2)
        api.fault = None
        await desk.recorded("betoffer/event/1.json?lang=en_GB", "event/livedata/1.json?lang=en_GB")


async def test_five_megabytes_are_recorded():
    large = b'{"betOffers":[' + b'{"id":1},' * 600_000 + b'{"id":1}]}'
    async with offering_api() as api, polling(api) as desk:
        api.fault = body(large)
        subscribe(desk.poller, 1)
        await desk.recorded("betoffer/event/1.json?lang=en_GB")
        [record] = [r for r in desk.records() if r.headers.position.startswith("betoffer")]
        assert record.value == large


async def test_json_of_another_content_type_is_used_and_told_once(caplog):
    async def plain(request, position):
        response = api.honest(position)
        response.content_type = "text/plain"
        return response

    async with offering_api() as api:
        api.fault, api.live = plain, [3]
        async with polling(api, cadence=QUICK) as desk:
            await eventually(lambda: desk.poller.counts.odd["content-type"] > 3)
            assert desk.listings[0].events == (3,)
            assert desk.poller.counts.failed == {}
    assert caplog.text.count("kambi.poll_odd") == 1


async def test_a_404_page_of_something_else_is_no_word_about_events():
    async def proxy(request, position):
        return web.Response(body=HTML, status=404, content_type="text/html")

    async with offering_api() as api, polling(api) as desk:
        await desk.recorded(LIST)
        api.fault = proxy
        subscribe(desk.poller, 1)
        await eventually(lambda: desk.poller.counts.failed["not-json"] >= 2)
        assert {(r.headers.status, r.value) for r in desk.records()[1:]} == {(404, HTML)}


@pytest.mark.parametrize(
    ("answer", "events", "unreadable"),
    [
        ({"liveEvents": []}, (), 0),
        (
            {"liveEvents": [{"event": {"id": 5}}, {"event": {"id": "1020000001"}}, {"event": {"id": 5}}]},
            (5, 1020000001),
            0,
        ),
        ({"liveEvents": [{"event": {"id": 5}}, None, {}, {"event": {"id": -1}}, {"event": {"id": "x"}}]}, (5,), 4),
        ({"liveEvents": [{"event": {"id": 10**30}}, {"event": {"id": 1.5}}, {"event": {"id": "9" * 30}}]}, (), 3),
        ({"liveEvents": [{"event": {"id": True}}, {"event": {"id": 2**60}}]}, (2**60,), 1),
    ],
    ids=["none", "forms", "broken", "large", "bool"],
)
async def test_listings_are_read_entry_by_entry(answer, events, unreadable):
    async with offering_api() as api:
        api.fault = body(json.dumps(answer).encode())
        async with polling(api) as desk:
            await eventually(lambda: bool(desk.listings))
            assert (desk.listings[0].events, desk.listings[0].unreadable) == (events, unreadable)


@pytest.mark.parametrize("answer", [{"liveEvents": None}, {"liveEvents": {}}, {}, []], ids=str)
async def test_a_listing_without_a_list_is_a_failure(answer):
    async with offering_api() as api:
        api.fault = body(json.dumps(answer).encode())
        async with polling(api) as desk:
            await eventually(lambda: desk.poller.counts.failed["listing"] >= 2)
            assert desk.listings == []


async def test_stopping_does_not_wait_for_an_answer():
    async def hanging(request, position):
        await asyncio.sleep(3600)

    async with offering_api() as api:
        api.fault = hanging
        async with asyncio.timeout(30), polling(api, timeout_s=3000.0):
            await api.has_been_asked(lambda asked: len(asked) == 1)


async def test_without_recorders_only_live_events_are_listed():
    async with offering_api() as api:
        api.live = [9]
        async with polling(api, shards=0, cadence=QUICK) as desk:
            desk.poller.follow(0, [1, 2])
            desk.poller.emitted(["v2018.kambi.ev.1.json", "v2018.kambi.ev.json"])
            await eventually(lambda: len(desk.listings) > 3)
            assert set(api.asked) == {LIST}


async def test_an_answer_is_held_until_messages_about_the_same_changes_are_there():
    async with offering_api() as api, polling(api, hold_s=0.3) as desk:
        subscribe(desk.poller, 1)
        await eventually(lambda: desk.poller.counts.requests > 0)
        await desk.recorded("betoffer/event/1.json?lang=en_GB")
        record = next(r for r in desk.records() if r.headers.position.startswith("betoffer"))
        assert time.time_ns() - record.headers.received_ns >= 300_000_000, "recorded later, stamped when it came"


async def test_answers_that_are_held_keep_no_request_from_being_made():
    async with offering_api() as api, polling(api, hold_s=3600.0) as desk:
        subscribe(desk.poller, *range(1, 41))
        await api.has_been_asked(lambda asked: len(asked) == 1 + 2 * 40 / CALM["ids_per_request"])
