"""Kafka goes away and comes back under a running connector."""

import asyncio

import pytest

from tests.connectors import raw_topic
from tests.connectors.conftest import Recording
from tests.connectors.vendor import vendor
from tricast.kafka import Cluster

pytestmark = pytest.mark.cluster

FRAMES = [f'2["message","{number}"]'.encode() for number in range(300)]


@pytest.fixture
def broker():
    """A broker of this module's own: others must not lose theirs."""
    with Cluster(ephemeral=True, brokers=1) as cluster:
        yield cluster


@pytest.mark.parametrize("outage", ["killed", "paused"])
async def test_what_came_while_kafka_was_away_is_kept_in_order(broker, topic_prefix, outage):
    topic = raw_topic.create(broker.bootstrap_servers, topic_prefix)
    recording = Recording(broker.bootstrap_servers, topic_prefix, topic)
    number = broker.brokers[0]
    async with vendor() as server, recording.connector(server.url, grace_s=30.0):
        peer = await server.connected()
        await send(peer, FRAMES[:100])
        await recording.records(lambda seen: len(frames_of(seen)) > 50)
        await asyncio.to_thread(broker.kill_broker if outage == "killed" else broker.pause_broker, number)
        await send(peer, FRAMES[100:200])
        await asyncio.to_thread(broker.start_broker if outage == "killed" else broker.resume_broker, number)
        await send(peer, FRAMES[200:])
        await recording.records(lambda seen: any(record.kind == "tick" for record in seen))
    records = await recording.records()
    # A producer given up in the outage may leave repeats; processors drop them by connection and frame, so does this.
    first_seen = {}
    for record in records:
        if record.kind == "frame":
            first_seen.setdefault((record.connection, record.frame), record)
    assert frames_of(first_seen.values()) == FRAMES
    assert records[-1].kind == "closed"
    assert {r.kind for r in records} == {"opened", "frame", "tick", "closed"}


async def send(peer, frames):
    for frame in frames:
        await peer.send(frame)


def frames_of(records):
    return [r.value for r in records if r.value.startswith(b'2["message"')]
