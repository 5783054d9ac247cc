"""One contract over all connectors: each feed brings a server and a way to run; its records satisfy ``contract``."""

import asyncio

import pytest

from connectors.fastpath import names
from tests.connectors import contract, fastpath_vendor
from tests.connectors.vendor import vendor

pytestmark = pytest.mark.kafka


class Kambi:
    """The Kambi connector with one event beside its general line."""

    feed = "kambi"
    recording = "recording"
    lines = 2
    server = staticmethod(vendor)

    @staticmethod
    def connect(recording, server):
        return recording.connector(server.url, events=(7,))

    @staticmethod
    def frame(number):
        return f'2["message","[{number}]"]'


class Fastpath:
    """The FastPath connector with two feeds that meet in a partition."""

    feed = "fastpath"
    recording = "fastpath"
    lines = 2
    server = staticmethod(fastpath_vendor.vendor)

    @staticmethod
    def connect(recording, server):
        first = fastpath_vendor.ACTIONS
        others = (f"soccer/fixtures/{number}/actions" for number in range(1000))
        second = next(path for path in others if names.partition_of(path) == names.partition_of(first))
        return recording.connector(server.url, feeds=(first, second))

    @staticmethod
    def frame(number):
        return fastpath_vendor.action(number)


FEEDS = [pytest.param(Kambi, id="kambi"), pytest.param(Fastpath, id="fastpath")]


@pytest.fixture(params=FEEDS)
def feed(request):
    return request.param


@pytest.fixture
def recorded(feed, request):
    return request.getfixturevalue(feed.recording)


def frames_of(records, connection):
    return [r.value.decode() for r in records if r.kind == "frame" and r.connection == connection]


async def test_a_stopped_connector_has_written_everything_in_order(feed, recorded):
    async with feed.server() as server, feed.connect(recorded, server):
        peers = [await server.connected() for _ in range(feed.lines)]
        for peer in peers:
            for number in range(300):
                await peer.send(feed.frame(number))
    records = await recorded.records()
    contract.check(records, feed=feed.feed)
    for connection in {r.connection for r in records}:
        sent = [feed.frame(number) for number in range(300)]
        assert [frame for frame in frames_of(records, connection) if frame in set(sent)] == sent


async def test_drops_of_every_kind_leave_a_chain_of_connections(feed, recorded):
    async with feed.server() as server, feed.connect(recorded, server):
        for drop in range(3):
            for peer in [await server.connected() for _ in range(feed.lines)]:
                await peer.send(feed.frame(drop))
                if drop == 1:
                    peer.drop()
                else:
                    await peer.socket.close(code=1001)
        for _ in range(feed.lines):
            await server.connected()
    records = await recorded.records()
    contract.check(records, feed=feed.feed)
    assert sum(r.kind == "opened" for r in records) == feed.lines * 4


async def test_restarts_continue_the_chain(feed, recorded):
    async with feed.server() as server:
        for _ in range(3):
            async with feed.connect(recorded, server):
                for peer in [await server.connected() for _ in range(feed.lines)]:
                    await peer.send(feed.frame(0))
    records = await recorded.records()
    contract.check(records, feed=feed.feed)
    assert sum(r.kind == "opened" for r in records) == feed.lines * 3


async def test_a_killed_connector_leaves_what_the_next_one_continues_from(feed, recorded):
    async with feed.server() as server:
        killed = asyncio.create_task(_run_until_cancelled(feed, recorded, server))
        for peer in [await server.connected() for _ in range(feed.lines)]:
            await peer.send(feed.frame(0))
        await recorded.records(lambda seen: sum(feed.frame(0) == r.value.decode() for r in seen) == feed.lines)
        killed.cancel()
        await asyncio.gather(killed, return_exceptions=True)
        async with feed.connect(recorded, server):
            for _ in range(feed.lines):
                await server.connected()
    contract.check(await recorded.records(), feed=feed.feed, ended=False)


async def _run_until_cancelled(feed, recorded, server):
    async with feed.connect(recorded, server):
        await asyncio.Event().wait()
