"""What the doctor says of a machine, of Kafka, and of RMS: pure answers by hand, and all of it over real sockets."""

import json
from dataclasses import replace

import pytest
from pydantic import SecretStr

from connectors.rms.config import RmsSettings
from schemas.topics import TOPICS
from simulators.rms.config import RmsSimulatorSettings
from simulators.rms.server import RmsSimulator
from tests.monitor.looks import look, partition_look
from tricast.cli.main import run
from tricast.doctor import kafka as of_kafka
from tricast.doctor import machine, rms
from tricast.doctor.rights import OPERATIONS, missing
from tricast.settings import Settings

SOUND = {"min.insync.replicas": "2", "unclean.leader.election.enable": "false", "message.timestamp.type": "CreateTime"}
RAW = "tricast.kambi.raw"


def told(*answers):
    return [(answer.question, answer.verdict) for answer in answers]


# The machine.


@pytest.mark.parametrize(
    ("limit", "verdict"), [(1024, "warning"), (4096, "ok"), (-1, "ok")], ids=["few", "enough", "without-limit"]
)
def test_open_files(limit, verdict):
    answer = machine.open_files(limit)
    assert answer.verdict == verdict
    assert ("ulimit -n" in answer.action) == (verdict == "warning")


@pytest.mark.parametrize(
    ("state", "verdict"), [(0, "ok"), (5, "warning"), (None, "ok")], ids=["kept", "adrift", "untold"]
)
def test_clock(state, verdict):
    answer = machine.clock(state)
    assert answer.verdict == verdict
    assert ("chrony" in answer.action) == (verdict == "warning")


def test_a_folder_without_room_and_one_that_cannot_be_written(tmp_path):
    spool = tmp_path / "not" / "yet" / "there"
    assert machine.place("SPOOL", spool, machine.SPACE_WANTED_BYTES).verdict == "ok"
    assert machine.place("SPOOL", spool, machine.SPACE_WANTED_BYTES - 1).verdict == "warning"
    assert list(tmp_path.iterdir()) == []
    file = tmp_path / "file"
    file.touch()
    answer = machine.place("SPOOL", file / "below", machine.SPACE_WANTED_BYTES)
    assert (answer.verdict, "set SPOOL to another place" in answer.action) == ("failed", True)


def test_what_a_real_vendor_needs_is_asked_for_and_of_a_simulated_one_nothing():
    found = {answer.question: answer for answer in machine.vendors(Settings(), ["fastpath", "rms"])}
    assert {question: answer.verdict for question, answer in found.items()} == {
        "settings of kambi": "ok",
        "settings of fastpath": "failed",
        "settings of rms": "failed",
    }
    assert "TRICAST_RMS__CUSTOMER_ID, TRICAST_RMS__CLIENT_ID, TRICAST_RMS__SECRET" in found["settings of rms"].found
    has_all = Settings(rms=RmsSettings(customer_id="1", client_id="c", secret=SecretStr("s")))
    assert [answer.verdict for answer in machine.vendors(has_all, ["rms"])] == ["ok", "ok", "ok"]


# Kafka.


def places(*, replicas=3, in_sync=3, leader: int | None = 1, newest_ms=None):
    return look(
        partitions={(RAW, 0): partition_look(replicas=replicas, in_sync=in_sync, leader=leader, newest_ms=newest_ms)}
    )


@pytest.mark.parametrize(
    ("replicas", "in_sync", "config", "noticed"),
    [
        (3, 3, {}, []),
        (1, 1, {"min.insync.replicas": "1"}, ["replication"]),
        (3, 3, {"min.insync.replicas": "1"}, ["min.insync"]),
        (3, 3, {"min.insync.replicas": "3"}, ["min.insync"]),
        (3, 2, {}, ["in sync"]),
        (3, 3, {"unclean.leader.election.enable": "true"}, ["unclean.leader.election.enable"]),
        (3, 3, {"message.timestamp.type": "LogAppendTime"}, ["message.timestamp.type"]),
    ],
    ids=["sound", "one-copy", "one-in-sync-is-enough", "all-must-be-in-sync", "torn", "unclean", "broker's-time"],
)
def test_topics(replicas, in_sync, config, noticed):
    answers = of_kafka.topic_answers(places(replicas=replicas, in_sync=in_sync), {RAW: SOUND | config}, 3)
    found = [answer for answer in answers if answer.verdict != "ok"]
    assert told(*found) == [(question, "warning") for question in noticed]
    assert all(RAW in answer.found and answer.action for answer in found)


def test_a_partition_that_nobody_leads_is_not_in_sync():
    answers = of_kafka.topic_answers(places(leader=None), {RAW: SOUND}, 3)
    assert ("in sync", "warning") in told(*answers)


@pytest.mark.parametrize(
    ("config", "verdicts"),
    [
        ({}, []),
        ({"group.max.session.timeout.ms": "1000"}, ["failed"]),
        ({"group.min.session.timeout.ms": "3600000"}, ["failed"]),
        ({"transaction.max.timeout.ms": "1000"}, ["failed"]),
        ({"replica.fetch.max.bytes": "1000"}, ["warning"]),
    ],
    ids=["sound", "session-too-long", "session-too-short", "transaction-too-long", "records-too-large"],
)
def test_limits_of_the_brokers(config, verdicts):
    assert [answer.verdict for answer in of_kafka.broker_answers(config, Settings())] == verdicts


@pytest.mark.parametrize(
    ("newest_ms", "verdict"),
    [(None, "ok"), (999_000, "ok"), (1_000_000 + 2_500, "warning")],
    ids=["none", "old", "ahead"],
)
def test_the_clock_against_the_records(newest_ms, verdict):
    assert of_kafka.clock_answer(places(newest_ms=newest_ms), 1_000_000, "tricast.").verdict == verdict


def test_brokers_that_do_not_answer():
    assert of_kafka.brokers_answer(replace(look(), brokers=(1,))).verdict == "warning"
    silent = of_kafka.brokers_answer(replace(look(), silent=(2,)))
    assert (silent.verdict, silent.found.rpartition(" ")[2]) == ("failed", "2")
    assert of_kafka.brokers_answer(look()).verdict == "ok"


def test_rights_are_told_by_bits():
    may = 1 << OPERATIONS["Read"] | 1 << OPERATIONS["Describe"]
    assert missing(may, ["Read", "Write", "Describe"]) == ["Write"]
    assert missing(-(2**31), ["Read"]) == [], "a broker that does not tell"


@pytest.mark.kafka
def test_a_broker_without_topics_and_then_with_them(kafka, topic_prefix, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TRICAST_KAFKA__BOOTSTRAP_SERVERS", kafka)
    monkeypatch.setenv("TRICAST_TOPIC_PREFIX", topic_prefix)
    monkeypatch.setenv("TRICAST_DATA_DIR", str(tmp_path))
    assert run(["doctor", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert {answer["question"] for answer in found["answers"] if answer["verdict"] == "failed"} == {"topics"}

    assert run(["topics", "create"]) == 0
    capsys.readouterr()
    assert run(["doctor", "--json"]) == 0
    answers = {answer["question"]: answer for answer in json.loads(capsys.readouterr().out)["answers"]}
    assert {"environment", "open files", "clock", "Kafka", "brokers", "clock against the records"} <= answers.keys()
    assert answers["rights (ACLs)"]["verdict"] == "ok"
    assert f"on {len(TOPICS)} topics" in answers["rights (ACLs)"]["found"]
    assert answers["replication"]["verdict"] == "warning", "the tests' broker is alone"
    assert all(answer["action"] for answer in answers.values() if answer["verdict"] != "ok")


def test_without_kafka_it_says_so_and_goes_no_further(monkeypatch, capsys, tmp_path, unused_tcp_port):
    monkeypatch.setenv("TRICAST_KAFKA__BOOTSTRAP_SERVERS", f"127.0.0.1:{unused_tcp_port}")
    monkeypatch.setenv("TRICAST_DATA_DIR", str(tmp_path))
    assert run(["doctor"]) == 1
    shown = capsys.readouterr().out
    assert f"no Kafka answers at 127.0.0.1:{unused_tcp_port}: nothing listens there" in shown
    assert "tricast kafka start" in shown
    assert "brokers:" not in shown


# RMS.


async def of_rms(urls, **more):
    settings = RmsSettings(
        socket_url=urls.socket_url, auth_url=urls.auth_url, customer_id="90210", client_id="simulated", **more
    )
    return {answer.question: answer async for answer in rms.examine(settings)}


async def test_rms_lets_us_in_and_a_wrong_secret_does_not():
    async with RmsSimulator(RmsSimulatorSettings()) as simulator:
        found = await of_rms(simulator.urls, secret="simulated")
        assert told(*found.values()) == [("authentication: access token", "ok"), ("socket: handshake", "ok")]
        (denied,) = (await of_rms(simulator.urls, secret="PLANTED-wrong")).values()
        assert denied.verdict == "failed"
        assert "ARENA360" in denied.action
        assert "PLANTED" not in denied.found + denied.action
    (gone,) = (await of_rms(simulator.urls, secret="simulated")).values()
    assert (gone.verdict, "TRICAST_RMS__AUTH_URL" in gone.action) == ("failed", True)
    (unset,) = (await of_rms(simulator.urls)).values()
    assert (unset.verdict, "TRICAST_RMS__SECRET_FILE" in unset.action) == ("failed", True)
