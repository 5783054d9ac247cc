"""Connectors as their users: they record, and say which right they lack."""

import signal

import pytest

from connectors.kambi.remembered import remembered
from schemas.topics import TOPICS
from tests.connectors import fastpath_vendor, raw_topic
from tests.connectors import test_rms_process as of_rms
from tests.connectors.hand_clock import OnceClock
from tests.connectors.test_kambi_process import connect
from tests.connectors.vendor import eventually, vendor
from tests.security.intent import PREFIX
from tests.security.roles.lesser import UNTOLD, lesser
from tests.security.secure_broker import PASSWORD
from tests.simulators.rms_client import staged

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]


def unprefixed(guarded, user):
    given = {name.removeprefix("TRICAST_"): value for name, value in guarded.environment(user).items()}
    return given | {"TOPIC_PREFIX": PREFIX}


async def ended_well(process):
    process.signal(signal.SIGTERM)
    assert await process.exit_code() == 0, process.output
    assert not [word for word in UNTOLD if word in process.output], process.output
    assert PASSWORD not in process.output


async def test_kambis_connector_records_and_switches_its_shards(guarded, tmp_path):
    ours = unprefixed(guarded, "tricast-connector-kambi")
    async with vendor() as server:
        fixed = ours | {"KAMBI__PUSH_URL": server.url, "KAMBI__OFFERING_URL": server.url, "KAMBI__EVENTS": "7"}
        for shards in (1, 2):  # the second asks what the first left, and how far the processor is
            given = fixed | {"KAMBI__SHARDS": shards, "KAMBI__SETTLEMENTS": "false", "KAMBI__SNAPSHOTS": "false"}
            async with connect("kambi", tmp_path, **given) as process:
                peer = await server.connected()
                await peer.send(f'2["message","{shards}"]')
                await ended_well(process)
            assert ("kambi.switched shards=2" in process.output) == (shards == 2), process.output
            while not server.peers.empty():
                server.peers.get_nowait()
    partitions = range(TOPICS["kambi.raw"].partitions)
    records = [r for n in partitions for r in raw_topic.read(guarded.own, f"{PREFIX}kambi.raw", partition=n)]
    assert {b'2["message","1"]', b'2["message","2"]'} <= {record.value for record in records}


async def test_fastpaths_connector_records_and_reads_commands(guarded, tmp_path):
    ours = unprefixed(guarded, "tricast-connector-fastpath")
    async with fastpath_vendor.vendor() as server:
        given = ours | {
            "FASTPATH__STREAM_URL": server.url,
            "FASTPATH__TOKEN": fastpath_vendor.TOKEN,
            "FASTPATH__FEEDS": fastpath_vendor.ACTIONS,
        }
        async with connect("fastpath", tmp_path, **given) as process:
            peer = await server.connected()
            await peer.send(fastpath_vendor.action(1))
            await eventually(lambda: "fastpath.commands_read" in process.output)
            await ended_well(process)


async def test_rmss_connector_records_and_reads_look_ups(guarded, tmp_path):
    ours = unprefixed(guarded, "tricast-connector-rms")
    async with staged(tmp_path, credentials=of_rms.credentials()) as stage:
        given = of_rms.settings_for("unused:1", PREFIX, stage) | ours
        async with connect("rms", tmp_path, **given) as process:
            await of_rms.joined(stage, process, 1)
            await of_rms.decide(stage, 3)
            await eventually(lambda: "rms.lookups_read" in process.output)
            await ended_well(process)
    records = raw_topic.read(guarded.own, f"{PREFIX}rms.raw")
    assert records[-1].json.items() >= {"code": 1000, "reason": "shutdown"}.items()


@pytest.fixture(scope="module")
def lessened(guarded):
    """The broker with users who lack a right."""
    guarded.admit(
        {
            "mute": lesser("tricast-connector-kambi", "mute", lambda right: right.operation == "Write"),
            "forgetful": lesser(
                "tricast-connector-kambi", "forgetful", lambda right: right.name.endswith("kambi.health")
            ),
            "blind": lesser(
                "tricast-connector-fastpath", "blind", lambda r: r.name.endswith("commands") and r.operation == "Read"
            ),
        }
    )
    return guarded


async def test_a_connector_that_may_not_write_says_so_at_every_attempt(lessened, tmp_path):
    async with vendor() as server:
        given = unprefixed(lessened, "mute") | {"KAMBI__PUSH_URL": server.url, "KAMBI__OFFERING_URL": server.url}
        async with connect("kambi", tmp_path, **given, KAMBI__EVENTS="7", KAMBI__SHARDS=1) as process:
            said = f"kafka.unavailable bootstrap=localhost:{lessened.broker.port} topic=tricast.kambi.raw"
            await eventually(lambda: process.output.count(said) >= 2)
            process.signal(signal.SIGTERM)
            assert await process.exit_code() == 0, process.output
    assert "Kafka refuses user 'mute': it lacks Write on topic tricast.kambi.raw" in process.output
    assert "Operator action: grant that" in process.output
    assert "Traceback" not in process.output


async def test_a_connector_that_may_not_read_says_so_and_waits(lessened, tmp_path):
    async with fastpath_vendor.vendor() as server:
        given = unprefixed(lessened, "blind") | {
            "FASTPATH__STREAM_URL": server.url,
            "FASTPATH__TOKEN": fastpath_vendor.TOKEN,
            "FASTPATH__FEEDS": fastpath_vendor.ACTIONS,
        }
        async with connect("fastpath", tmp_path, **given) as process:
            await eventually(lambda: "kafka.unavailable" in process.output)
            process.signal(signal.SIGTERM)
            assert await process.exit_code() == 0, process.output
    assert "Kafka refuses user 'blind': it lacks Read on topic tricast.fastpath.commands" in process.output
    assert process.output.count("fastpath.commands_interrupted") == 1, "once in ten seconds"


async def test_what_a_connector_may_not_see_is_told_and_not_taken_for_empty(lessened, caplog):
    kafka, topic = lessened.settings("forgetful"), f"{PREFIX}kambi.health"
    with pytest.raises(TimeoutError):
        await remembered(kafka, topic=topic, clock=OnceClock())
    assert f"Kafka refuses user 'forgetful': it lacks Read on topic {topic}" in caplog.text
