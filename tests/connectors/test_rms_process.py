"""The real process: signals, exit codes, Kafka that goes away, and what the next one knows."""

import asyncio
import signal

import pytest

from connectors.rms import names
from tests.connectors import contract, raw_topic
from tests.connectors.test_kafka_outage import PAGE, Outage, raw_seen, spooled
from tests.connectors.test_kambi_process import connect
from tests.connectors.test_rms_against_simulator import check_ledger
from tests.connectors.vendor import eventually
from tests.simulators.rms_client import staged

SECRET = "b1e2-made-up-secret"
CUSTOMER = next(number for number in map(str, range(1000)) if names.partition_of(number) == 0)


def settings_for(bootstrap, prefix, stage, **more):
    return {
        "KAFKA__BOOTSTRAP_SERVERS": bootstrap,
        "TOPIC_PREFIX": prefix,
        "RMS__SOCKET_URL": stage.simulator.urls.socket_url,
        "RMS__AUTH_URL": stage.simulator.urls.auth_url,
        "RMS__BETS_URL": stage.simulator.urls.bets_url,
        "RMS__CUSTOMER_ID": CUSTOMER,
        "RMS__CLIENT_ID": "ours",
        "RMS__SECRET": SECRET,
    } | more


def credentials():
    return [{"client_id": "ours", "secret": SECRET, "customer_id": CUSTOMER}]


async def joined(stage, process, count):
    await eventually(lambda: process.output.count("rms.joined") >= 1 and len(stage.ledger("join")) >= count)


async def decide(stage, count, **manner):
    for _ in range(count):
        await stage.decide(await stage.place(), **manner)


@pytest.mark.kafka
async def test_a_signal_flushes_everything_writes_closed_and_exits_0(rms, tmp_path):
    async with staged(tmp_path, credentials=credentials()) as stage:
        settings = settings_for(rms.kafka.bootstrap_servers, rms.prefix, stage)
        async with connect("rms", tmp_path, **settings) as process:
            await joined(stage, process, 1)
            await decide(stage, 30)
            process.signal(signal.SIGTERM)
            assert await process.exit_code() == 0, process.output
    records = await rms.records(customer=CUSTOMER)
    contract.check(records, feed="rms")
    assert check_ledger(records, tmp_path / "ledger.jsonl") == 32
    assert records[-1].json.items() >= {"code": 1000, "reason": "shutdown", "frames": 32}.items()
    assert "Traceback" not in process.output
    assert SECRET not in process.output


async def test_a_refused_customer_is_exit_2_with_a_word_for_the_operator(tmp_path, kafka, topic_prefix):
    raw_topic.create(kafka, topic_prefix, name="rms.raw")
    raw_topic.create(kafka, topic_prefix, name="rms.lookups")
    async with staged(tmp_path) as stage:
        more = {"RMS__CLIENT_ID": "simulated", "RMS__SECRET": "simulated"}
        async with connect("rms", tmp_path, **settings_for(kafka, topic_prefix, stage, **more)) as process:
            assert await process.exit_code() == 2, process.output
    assert "TRICAST_RMS__CUSTOMER_ID" in process.output
    assert "Traceback" not in process.output


@pytest.mark.cluster
async def test_killed_while_kafka_is_away_nothing_on_disk_is_lost_and_the_chain_goes_on(broker, topic_prefix, tmp_path):
    bootstrap = broker.bootstrap_servers
    raw_topic.create(bootstrap, topic_prefix, name="rms.lookups")
    topic = raw_topic.create(bootstrap, topic_prefix, name="rms.raw")
    async with (
        Outage(broker, "paused") as outage,
        staged(tmp_path, patience_s=90, credentials=credentials()) as stage,
    ):
        settings = settings_for(bootstrap, topic_prefix, stage)
        async with connect("rms", tmp_path, **settings) as process:
            await joined(stage, process, 1)
            await decide(stage, 20)
            await raw_seen(broker, topic)
            await outage.begin()
            # So large that each takes a page of the file: its size then tells about how many are in it, and that of
            # the next ones that those before them are on disk for good.
            for pages in (20, 40):
                await decide(stage, 20, reason="x" * 10_000)
                await eventually(lambda: spooled(tmp_path) > (pages - 5) * PAGE)  # noqa: B023 - waited for at once
            process.signal(signal.SIGKILL)
            await process.exit_code()
        await outage.end()
        async with connect("rms", tmp_path, **settings) as process:
            await joined(stage, process, 2)
            await decide(stage, 20)
            await eventually(lambda: "spool.drained" in process.output)
            process.signal(signal.SIGTERM)
            assert await process.exit_code() == 0, process.output
    assert not spooled(tmp_path)
    seen = await asyncio.to_thread(raw_topic.read, bootstrap, topic)
    # A producer given up in the outage may leave repeats; processors drop them by connection and frame, so does this.
    records = list({(r.connection, r.frame, r.kind, r.value): r for r in seen}.values())
    contract.check(records, feed="rms", ended=False)
    received = check_ledger(records, tmp_path / "ledger.jsonl")
    assert 42 + 22 <= received <= 62 + 22
    assert [r.json["frames"] for r in records if r.kind == "closed"] == [22], "the killed one said nothing"
    killed, after = (r for r in records if r.kind == "opened")
    assert after.json["previous_connection"] == killed.connection
    assert after.json["previous_frame"] == received - 22
