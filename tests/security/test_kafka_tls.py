"""Everything over TLS and SCRAM to a real broker; and what is wrong is said, within seconds, without a secret."""

import asyncio
import json
import logging
import signal
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from connectors import kafka_retry
from schemas.errors import EnvironmentFault
from schemas.topics import TOPICS
from tests.connectors.hand_clock import OnceClock
from tests.connectors.test_kambi_process import connect
from tests.connectors.vendor import vendor
from tests.core.kambi.frames import frame, odds
from tests.security.command import tricast
from tests.security.secure_broker import MECHANISMS, PASSWORD, SecureBroker
from tricast.cli.main import run
from tricast.kafka import topics

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]

HOSTNAME_ONLY = "127.0.0.1"
"""The same broker by a name that its certificate does not have."""

WRONG = {
    "password": ({"sasl_password": "PLANTED-wrong-password"}, "does not accept user 'tricast'", "SASL_PASSWORD"),
    "user": ({"sasl_username": "nobody"}, "does not accept user 'nobody'", "SASL_USERNAME"),
    "another CA": ({"ssl_cafile": "OTHER"}, "nobody trusted here has signed the certificate", "SSL_CAFILE"),
    "no CA": ({"ssl_cafile": None}, "nobody trusted here has signed the certificate", "SSL_CAFILE"),
    "host name": ({"bootstrap_servers": "HOST"}, "certificate is not for '127.0.0.1'", "BOOTSTRAP_SERVERS"),
    "plain to TLS": ({"security_protocol": "PLAINTEXT"}, "speaks TLS, and PLAINTEXT does not", "SECURITY_PROTOCOL"),
    "plain SASL to TLS": ({"security_protocol": "SASL_PLAINTEXT"}, "speaks TLS, and SASL_PLAIN", "SECURITY_PROTOCOL"),
    "TLS to plain": ({"bootstrap_servers": "OWN"}, "does not speak TLS", "SECURITY_PROTOCOL"),
    "without SASL": ({"security_protocol": "SSL"}, "takes the connection and answers nothing", "SASL"),
    "mechanism": ({"sasl_mechanism": "PLAIN"}, "does not take PLAIN", "SASL_MECHANISM"),
}


def wrong(secure: SecureBroker, changes):
    places = {
        "OTHER": str(secure.other_ca_file),
        "HOST": f"{HOSTNAME_ONLY}:{secure.port}",
        "OWN": f"localhost:{secure.plain_port}",
    }
    changed: dict[str, Any] = {name: places.get(value, value) for name, value in changes.items()}
    return secure.settings(**changed)


@pytest.mark.parametrize(("changes", "said", "setting"), WRONG.values(), ids=WRONG)
async def test_what_is_wrong_is_said_with_what_to_do(secure: SecureBroker, changes, said, setting, caplog):
    caplog.set_level(logging.DEBUG)
    with pytest.raises(EnvironmentFault) as caught:
        await topics.check([], "", wrong(secure, changes))
    assert said in caught.value.message
    assert f"TRICAST_KAFKA__{setting}" in caught.value.action or setting == "SASL"
    told = str(caught.value) + repr(caught.value.__cause__) + caplog.text
    assert PASSWORD not in told
    assert "PLANTED" not in told


@pytest.mark.parametrize("name", ["password", "another CA", "plain to TLS"])
async def test_a_connector_says_it_at_every_attempt(secure: SecureBroker, name, caplog):
    changes, said, setting = WRONG[name]
    kafka = wrong(secure, changes)

    async def attempt() -> None:
        producer = AIOKafkaProducer(**kafka.client())
        try:
            await producer.start()
        finally:
            await producer.stop()

    with pytest.raises(TimeoutError):
        await kafka_retry.until_kafka_answers(attempt, kafka=kafka, topic="t", clock=OnceClock())
    (line,) = [record.message for record in caplog.records if "kafka.unavailable" in record.message]
    assert said in line
    assert setting in line
    assert "PLANTED" not in caplog.text


def test_every_command_works(secure: SecureBroker, topic_prefix, monkeypatch, capsys):
    for name, value in secure.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TRICAST_TOPIC_PREFIX", topic_prefix)
    # This broker makes what it is asked for by name, unless the question forbids it.
    looking = (["topics", "check"], ["status"], ["audit"], ["dlq", "list"], ["tail", "kambi.raw", "--limit", "1"])
    assert [run(command) for command in looking] == [1, 2, 3, 3, 3]
    assert run(["topics", "create"]) == 0
    assert f"{len(TOPICS)} created, 0 were there" in capsys.readouterr().out
    assert run(["topics", "check"]) == 0
    capsys.readouterr()
    assert run(["status", "--json"]) == 1  # no worker runs
    reasons = {reason["code"] for reason in json.loads(capsys.readouterr().out)["reasons"]}
    assert reasons == {"group-without-members"}
    assert run(["reset", "kambi", "--to", "earliest", "--yes", "--json"]) == 0
    assert run(["audit", "--json", "--timeout", "1"]) in {0, 1}  # nothing there yet, which is too little
    assert run(["dlq", "list", "--json"]) == 0
    assert PASSWORD not in "".join(capsys.readouterr())


async def test_a_frame_goes_all_the_way(secure: SecureBroker, topic_prefix, tmp_path):
    kafka = secure.settings(MECHANISMS[1])
    await topics.create(TOPICS.values(), topic_prefix, kafka)
    ours = secure.environment(MECHANISMS[1]) | {"TRICAST_TOPIC_PREFIX": topic_prefix}
    unprefixed = {name.removeprefix("TRICAST_"): value for name, value in ours.items()}
    async with (
        vendor() as server,
        connect(
            "kambi", tmp_path, KAMBI__PUSH_URL=server.url, KAMBI__OFFERING_URL=server.url, KAMBI__EVENTS="1020000001",
            KAMBI__SHARDS=1, KAMBI__SETTLEMENTS="false", KAMBI__SNAPSHOTS="false", **unprefixed,
        ) as connector,
        tricast("work-one", "kambi", environment=ours) as worker,
        tricast("tail", "kambi.offers", "--from-beginning", "--limit", "1", "--json", environment=ours) as reader,
    ):  # fmt: skip
        peer = await server.connected()
        await peer.send(frame(odds('{"id":3300000001,"betOfferId":2500000001,"odds":1910}')).decode())
        assert reader.stdout is not None
        line = await asyncio.wait_for(reader.stdout.readline(), 90)
        assert json.loads(line)["headers"]["ce_type"] == "tricast.kambi.odds.changed.v1"
        connector.signal(signal.SIGTERM)
        assert await connector.exit_code() == 0, connector.output
        worker.send_signal(signal.SIGTERM)
        out, err = await worker.communicate()
        assert worker.returncode == 0, err.decode()
    assert PASSWORD not in connector.output + out.decode() + err.decode()


async def test_a_worker_ends_at_once_and_says_why(secure: SecureBroker, topic_prefix):
    ours = secure.environment() | {"TRICAST_TOPIC_PREFIX": topic_prefix}
    ours["TRICAST_KAFKA__SASL_PASSWORD"] = "PLANTED-wrong-password"
    async with tricast("work-one", "kambi", environment=ours) as worker:
        out, err = await asyncio.wait_for(worker.communicate(), 60)
    assert worker.returncode == EnvironmentFault.exit_code, err.decode()
    assert "does not accept user 'tricast'" in err.decode()
    assert "PLANTED" not in out.decode() + err.decode()
