"""What a process knows of the one before it: from the tail of Kafka, or from what waits on disk."""

import asyncio
import json
from collections import Counter

import pytest

from connectors.clock import SystemClock
from connectors.fastpath import names
from connectors.producer import RawWriter
from connectors.record import RawRecord
from connectors.tail import read_tails
from schemas.errors import ConfigurationError
from schemas.raw import RawHeaders
from tests.connectors.fastpath_vendor import ACTIONS, STATISTICS, TENNIS, TOKEN, action, vendor

pytestmark = pytest.mark.kafka


def ticked(events):
    return lambda seen: any(r.kind == "tick" and r.json["events"] == events for r in seen)


def has_frames(count):
    return lambda seen: sum(r.kind == "frame" for r in seen) == count


async def test_a_restarted_connector_resumes_with_an_overlap_and_continues_the_chain(fastpath):
    async with vendor() as server:
        async with fastpath.connector(server.url):
            first = await server.connected()
            for number in range(1, 31):
                await first.send(action(number))
            await fastpath.records(ticked(30))
        async with fastpath.connector(server.url):
            assert (await server.connected()).position == 28
            await fastpath.records(lambda seen: sum(r.kind == "opened" for r in seen) == 2)
    before, after = (r for r in await fastpath.records() if r.kind == "opened")
    assert after.json["cause"] == "start"
    assert (after.json["previous_connection"], after.json["previous_frame"]) == (before.connection, 30)
    assert (after.json["start_position"], after.json["events"]) == (28, 28)


async def test_a_killed_connector_resumes_from_what_is_in_kafka(fastpath):
    async with vendor() as server:
        _, task = fastpath.start(server.url)
        first = await server.connected()
        for number in range(1, 31):
            await first.send(action(number))
        await fastpath.records(ticked(30))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        async with fastpath.connector(server.url):
            assert (await server.connected()).position == 28


async def test_family_b_resumes_at_the_last_number(fastpath):
    async with vendor() as server:
        for position in (0, 7):
            async with fastpath.connector(server.url, feeds=(TENNIS,)):
                peer = await server.connected()
                assert peer.position == position
                for number in range(8):
                    await peer.send(json.dumps({"seqNum": number}))
                await fastpath.records(ticked(7), path=TENNIS)


async def test_a_refusal_at_the_end_does_not_hide_where_the_line_stood(fastpath):
    async with vendor() as server:
        async with fastpath.connector(server.url):
            first = await server.connected()
            for number in range(1, 11):
                await first.send(action(number))
            await fastpath.records(ticked(10))
            server.answers = lambda *_: (503, {}, b"")
            first.drop()
            await fastpath.records(lambda seen: seen and seen[-1].kind == "closed" and seen[-1].json["code"] == 503)
        server.answers = lambda *_: None
        async with fastpath.connector(server.url):
            assert (await server.connected()).position == 8
            await fastpath.records(lambda seen: sum(r.kind == "opened" for r in seen) == 2)
    before, after = (r for r in await fastpath.records() if r.kind == "opened")
    assert (after.json["previous_connection"], after.json["previous_frame"]) == (before.connection, 10)


async def test_a_feed_that_left_the_tail_is_asked_for_from_its_start(fastpath, monkeypatch):
    monkeypatch.setattr("connectors.tail.TAIL_RECORDS", 50)
    partition = names.partition_of(ACTIONS)
    async with vendor() as server:
        async with fastpath.connector(server.url):
            peer = await server.connected()
            for number in range(1, 11):
                await peer.send(action(number))
            await fastpath.records(ticked(10))
        writer = RawWriter(fastpath.kafka, topic=fastpath.topic, partition=partition, key=b"other", clock=SystemClock())
        others = [
            RawHeaders(feed="fastpath", line="other", connection="c", frame=n, received_ns=n, kind="frame")
            for n in range(1, 101)
        ]
        await writer.write([RawRecord(headers, b"{}") for headers in others])
        await writer.close()
        async with fastpath.connector(server.url):
            assert (await server.connected()).position == 0


async def test_a_tail_tells_events_of_each_line_and_repeats_do_not_hurt(fastpath):
    partition = names.partition_of(ACTIONS)
    writer = RawWriter(fastpath.kafka, topic=fastpath.topic, partition=partition, key=b"k", clock=SystemClock())

    def record(line, kind, value, *, connection="c", frame=0):
        return RawRecord(
            RawHeaders(feed="fastpath", line=line, connection=connection, frame=frame, received_ns=1, kind=kind), value
        )

    await writer.write(
        [
            record("a", "opened", b'{"events": 3}'),
            record("a", "frame", b'{"events": 99}', frame=1),
            record("a", "tick", b'{"events": 4, "open": true}', frame=1),
            record("a", "closed", b'{"code": 1000, "reason": "", "frames": 1}', frame=1),
            record("a", "closed", b'{"code": 401, "reason": "unauthorised", "frames": 0}', connection="refused"),
            record("b", "opened", b'{"events": null}'),
            record("b", "tick", b'{"events": "many"}'),
            record("b", "tick", b"\xff"),
            record("d", "closed", b'{"code": 404, "reason": "unknown-fixture", "frames": 0}', connection="refused"),
        ]
    )
    await writer.close()
    tails = await read_tails(fastpath.kafka, topic=fastpath.topic, partitions=[partition], clock=SystemClock())
    assert {line: (t.last.connection, t.last.frame, t.closed, t.events) for line, t in tails[partition].items()} == {
        "a": ("c", 1, True, 4),
        "b": ("c", 0, False, None),
    }


async def test_each_record_has_the_key_of_its_own_feed(fastpath):
    feeds = [f"soccer/fixtures/{number}/actions" for number in range(200)]
    partition = names.partition_of(feeds[0])
    together = [feed for feed in feeds if names.partition_of(feed) == partition]
    assert len(together) > 10
    async with vendor() as server, fastpath.connector(server.url, feeds=together):
        for _ in together:
            await (await server.connected()).send(action(1))
        await fastpath.records(lambda seen: sum(r.kind == "frame" for r in seen) == len(together), path=feeds[0])
    records = await fastpath.records(path=feeds[0])
    assert {r.line for r in records} == set(together)
    assert all(r.key == r.line.encode() for r in records)


async def test_hundreds_of_feeds_in_one_process_within_one_budget(fastpath):
    feeds = [f"soccer/fixtures/{number}/{kind}" for number in range(150) for kind in ("actions", "statistics")]
    async with vendor() as server:
        async with fastpath.connector(server.url, feeds=feeds, tick_interval_s=1.0, requests_per_second=100):
            peers = [await server.connected() for _ in feeds]
            for peer in peers:
                await peer.send(action(1))
            frames = Counter(names.partition_of(feed) for feed in feeds)
            for path in {names.partition_of(feed): feed for feed in feeds}.values():
                await fastpath.records(has_frames(frames[names.partition_of(path)]), path=path)
        assert {request.headers["Host"] for request in server.requests} == {server.url.removeprefix("ws://")}
    closed = 0
    for path in {names.partition_of(feed): feed for feed in feeds}.values():
        closed += sum(r.kind == "closed" for r in await fastpath.records(path=path))
    assert closed == len(feeds)


async def test_no_token_and_nothing_to_follow_are_errors_before_anything_starts(fastpath):
    with pytest.raises(ConfigurationError, match="needs an access token") as missing:
        await fastpath.start("ws://127.0.0.1:9", token=" \n")[1]
    assert "TRICAST_FASTPATH__TOKEN" in missing.value.action
    with pytest.raises(ConfigurationError, match="nothing to follow"):
        await fastpath.start("ws://127.0.0.1:9", feeds=())[1]
    assert TOKEN not in str(missing.value)


async def test_statistics_are_a_feed_of_their_own_with_its_own_count(fastpath):
    async with vendor() as server, fastpath.connector(server.url, feeds=(STATISTICS,)):
        peer = await server.connected()
        for number in range(5):
            await peer.send(json.dumps({"seqNum": 88 + number, "fixtureId": "f", "teamActionAggregates": []}))
        await fastpath.records(ticked(5), path=STATISTICS)
        peer.drop()
        assert (await server.connected()).position == 3
