"""Monitor, operator, bet platform and teams as their users: each does what it is for."""

import asyncio
import json
import signal

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from schemas.errors import EnvironmentFault
from schemas.topics import TOPICS
from tests.security.acls import Right
from tests.security.command import tricast
from tests.security.intent import PREFIX, PUBLIC
from tests.security.roles.lesser import UNTOLD
from tricast.cli.main import run
from tricast.monitor.picture import NOT_VISIBLE

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]


def test_the_monitor_sees_what_an_administrator_sees(as_user, capsys):
    seen = []
    for user in ("tricast", "tricast-monitor"):
        as_user(user)
        assert run(["status", "--json"]) in {0, 1}
        picture = json.loads(capsys.readouterr().out)
        topics_and_groups = [{one["name"] for one in picture[what]} for what in ("topics", "groups")]
        # The broker makes the files of a partition when it gets to it.
        sized = any(part["size_bytes"] is not None for topic in picture["topics"] for part in topic["partitions"])
        seen.append((*topics_and_groups, sized))
    assert seen[0] == seen[1]
    assert seen[1][0] == {PREFIX + name for name in TOPICS}
    assert sized


@pytest.mark.parametrize(
    ("command", "codes"),
    [
        pytest.param(["audit", "--json", "--timeout", "1"], {0, 1}, id="audit"),
        pytest.param(["replay", "kambi", "--json"], {0, 1}, id="replay"),
        pytest.param(["reconcile", "kambi", "--json"], {0}, id="reconcile"),
        pytest.param(["dlq", "list", "--json"], {0}, id="dlq"),
        pytest.param(["tail", "kambi.raw", "--since", "1h", "--until", "0s", "--json"], {0}, id="tail"),
    ],
)
def test_the_monitors_user_is_enough_to_look(as_user, capsys, command, codes):
    as_user("tricast-monitor")
    assert run(command) in codes, capsys.readouterr().err


def test_who_may_see_a_part_is_not_told_that_the_rest_is_missing(guarded, as_user, capsys):
    as_user("tricast-example-team")
    assert run(["status", "--json"]) == 1
    picture = json.loads(capsys.readouterr().out)
    assert {one["name"] for one in picture["topics"]} == {PREFIX + name for name in PUBLIC}
    told = [reason["text"] for reason in picture["reasons"] if reason["code"] in {"topic-missing", "topics-missing"}]
    assert [text.partition(" ")[0] for text in told] == [str(len(TOPICS) - len(PUBLIC))], told
    assert "not visible to this user" in told[0]
    assert run(["doctor", "--json"]) == 0, capsys.readouterr()
    answers = json.loads(capsys.readouterr().out)["answers"]
    assert "lacks DescribeConfigs on topic" in "".join(one["found"] for one in answers)

    named = {Right("guest", "topic", PREFIX + "kambi.offers", False, may) for may in ("Describe", "DescribeConfigs")}
    guarded.admit({"guest": named})
    as_user("guest")
    assert run(["topics", "check", "--newest", "0", "--json"]) == 1
    differences = json.loads(capsys.readouterr().out)["differences"]
    assert {one["kind"] for one in differences} == {"hidden-topic"}
    assert {one["topic"] for one in differences} == {PREFIX + name for name in TOPICS} - {PREFIX + "kambi.offers"}
    assert run(["doctor", "--json"]) == 0, capsys.readouterr()
    assert f"{PREFIX}kambi.raw" in capsys.readouterr().out

    guarded.admit({"onlooker": {Right("onlooker", "topic", PREFIX, True, "Describe")}})
    as_user("onlooker")
    assert run(["status", "--json"]) == 1
    picture = json.loads(capsys.readouterr().out)
    assert {(group["state"], group["members"], group["lag"]) for group in picture["groups"]} == {
        (NOT_VISIBLE, None, None)
    }
    told = [reason["text"] for reason in picture["reasons"] if reason["code"] == "group-without-members"]
    assert told
    assert [text for text in told if "not visible to this user" not in text] == []


@pytest.mark.parametrize(
    ("command", "topic"),
    [
        pytest.param(["audit", "rms", "--json", "--timeout", "1"], "rms.raw", id="audit"),
        pytest.param(["replay", "kambi", "--json"], "kambi.raw", id="replay"),
        pytest.param(["dlq", "list", "--feed", "kambi", "--json"], "kambi.dead-letters", id="dlq"),
    ],
)
def test_who_may_not_see_a_topic_is_told_which_right_is_missing(as_user, capsys, command, topic):
    as_user("tricast-example-team")
    assert run(command) == EnvironmentFault.exit_code
    assert f"lacks Describe on topic {PREFIX}{topic}" in capsys.readouterr().err


async def test_the_monitor_goes_on_looking(guarded):
    environment = guarded.environment("tricast-monitor") | {"TRICAST_OBSERVE__PORT": "0"}
    async with tricast("monitor", environment=environment) as process:
        assert process.stderr is not None
        told = await asyncio.wait_for(process.stderr.readuntil(b"monitor.reason"), 60)
        process.send_signal(signal.SIGTERM)
        _, rest = await process.communicate()
    assert process.returncode == 0
    assert not [word for word in UNTOLD if word in (told + rest).decode()]


def test_the_operator_checks_topics_and_examines(as_user, capsys):
    as_user("tricast-operator")
    assert run(["topics", "check", "--newest", "0"]) == 0, capsys.readouterr()
    assert run(["topics", "check"]) in {0, 1}, "records of these tests are not as promised"
    assert capsys.readouterr().err == ""
    assert run(["doctor", "--json"]) == 0, capsys.readouterr()
    answers = {one["question"]: one for one in json.loads(capsys.readouterr().out)["answers"]}
    assert answers["rights (ACLs)"]["verdict"] == "warning"
    assert "user tricast-operator lacks Write on topic tricast." in answers["rights (ACLs)"]["found"]


async def test_the_operator_has_dead_letters_processed_again(guarded, as_user, capsys):
    await worker_does_its_work_again(guarded)
    as_user("tricast-operator")
    arguments = ["dlq", "replay", "--feed", "rms", "--even-if-unchanged", "--yes", "--json"]
    assert await asyncio.to_thread(run, arguments) in {0, 1}
    told = json.loads(capsys.readouterr().out)
    assert told["asked"], told


async def worker_does_its_work_again(guarded):
    """Make a dead letter of a processor failure, past all roles."""
    headers = [("tc-code", b"rms.processor-error"), ("tc-source", b"tricast.rms.bets/0/0"), ("tc-version", b"0.0.0")]
    async with AIOKafkaProducer(bootstrap_servers=guarded.own) as producer:
        await producer.send_and_wait(f"{PREFIX}rms.dead-letters", b"{}", key=b"1/1", headers=headers)


async def test_the_bet_platform_writes_bets(guarded):
    kafka = guarded.settings("tricast-bet-platform")
    async with AIOKafkaProducer(**kafka.client(), acks="all", enable_idempotence=True) as producer:
        await producer.send_and_wait(f"{PREFIX}rms.bets", b"{}", key=b"1/2")


async def test_a_team_reads_all_that_is_normalized_in_a_group_of_its_own(guarded):
    async with AIOKafkaProducer(bootstrap_servers=guarded.own) as producer:
        for name in PUBLIC:
            await producer.send_and_wait(PREFIX + name, b"{}", key=b"k")
    kafka = guarded.settings("tricast-example-team")
    names = sorted(PREFIX + name for name in PUBLIC)
    async with AIOKafkaConsumer(
        *names,
        **kafka.client(),
        group_id="example-team.test",
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    ) as consumer:
        unread = set(names)
        while unread:
            for partition in await consumer.getmany(timeout_ms=200):
                unread.discard(partition.topic)
        await consumer.commit()


def test_a_command_that_is_refused_ends_with_3_and_says_what_it_lacks(as_user, capsys):
    as_user("tricast-example-team")
    assert run(["tail", "kambi.raw", "--from-beginning"]) == EnvironmentFault.exit_code
    assert "lacks Read on topic tricast.kambi.raw" in capsys.readouterr().err
