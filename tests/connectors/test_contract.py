"""One contract over all connectors: each feed brings a server and a way to run; its records satisfy ``contract``."""

import asyncio

import pytest

from tests.connectors import contract
from tests.connectors.vendor import vendor

pytestmark = pytest.mark.kafka


class Kambi:
    """The Kambi connector with one event beside its general line."""

    feed = "kambi"
    lines = 2
    server = staticmethod(vendor)

    @staticmethod
    def connect(recording, server):
        return recording.connector(server.url, events=(7,))

    @staticmethod
    def frame(number):
        return f'2["message","[{number}]"]'


FEEDS = [pytest.param(Kambi, id="kambi")]


@pytest.fixture(params=FEEDS)
def feed(request):
    return request.param


def frames_of(records, connection):
    return [r.value.decode() for r in records if r.kind == "frame" and r.connection == connection]


async def test_a_stopped_connector_has_written_everything_in_order(feed, recording):
    async with feed.server() as server, feed.connect(recording, server):
        peers = [await server.connected() for _ in range(feed.lines)]
        for peer in peers:
            for number in range(300):
                await peer.send(feed.frame(number))
    records = await recording.records()
    contract.check(records, feed=feed.feed)
    for connection in {r.connection for r in records}:
        sent = [feed.frame(number) for number in range(300)]
        assert [frame for frame in frames_of(records, connection) if frame in set(sent)] == sent


async def test_drops_of_every_kind_leave_a_chain_of_connections(feed, recording):
    async with feed.server() as server, feed.connect(recording, server):
        for drop in range(3):
            for peer in [await server.connected() for _ in range(feed.lines)]:
                await peer.send(feed.frame(drop))
                if drop == 1:
                    peer.drop()
                else:
                    await peer.socket.close(code=1001)
        for _ in range(feed.lines):
            await server.connected()
    records = await recording.records()
    contract.check(records, feed=feed.feed)
    assert sum(r.kind == "opened" for r in records) == feed.lines * 4


async def test_restarts_continue_the_chain(feed, recording):
    async with feed.server() as server:
        for _ in range(3):
            async with feed.connect(recording, server):
                for peer in [await server.connected() for _ in range(feed.lines)]:
                    await peer.send(feed.frame(0))
    records = await recording.records()
    contract.check(records, feed=feed.feed)
    assert sum(r.kind == "opened" for r in records) == feed.lines * 3


async def test_a_killed_connector_leaves_what_the_next_one_continues_from(feed, recording):
    async with feed.server() as server:
        killed = asyncio.create_task(_run_until_cancelled(feed, recording, server))
        for peer in [await server.connected() for _ in range(feed.lines)]:
            await peer.send(feed.frame(0))
        await recording.records(lambda seen: sum(feed.frame(0) == r.value.decode() for r in seen) == feed.lines)
        killed.cancel()
        await asyncio.gather(killed, return_exceptions=True)
        async with feed.connect(recording, server):
            for _ in range(feed.lines):
                await server.connected()
    contract.check(await recording.records(), feed=feed.feed, ended=False)


async def _run_until_cancelled(feed, recording, server):
    async with feed.connect(recording, server):
        await asyncio.Event().wait()
