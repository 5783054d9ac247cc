"""Each role on a real broker that enforces rights: the parts do their work as these users, and nothing else is open."""

import asyncio
import json
import signal

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import InvalidTxnState

from deploy.access.roles import roles
from processors.engine.changelog import CHECKPOINT_KEY, Checkpoint, encode_checkpoint
from processors.engine.config import EngineSettings
from processors.engine.engine import Engine
from processors.engine.topology import Topology
from processors.engine.transactions import TransactionalProducer
from schemas.errors import EnvironmentFault
from schemas.kafka import KafkaSettings
from schemas.missing_right import missing_right
from schemas.topics import TOPICS
from tests.connectors import fastpath_vendor, raw_topic
from tests.connectors import test_rms_process as of_rms
from tests.connectors.test_kambi_process import connect
from tests.connectors.vendor import eventually, vendor
from tests.security.acls import Right, of_role
from tests.security.attempts import (
    ADMINISTRATION,
    MAKE,
    NO_GROUP,
    NO_ID,
    NO_TOPIC,
    SEE_RIGHTS,
    SEE_SETTINGS,
    attempts,
    let_through,
)
from tests.security.guarded import Guarded
from tests.security.intent import FOREIGN_GROUP, FOREIGN_TOPIC, GROUPS, INTENTS, PREFIX, PUBLIC
from tests.security.secure_broker import PASSWORD, SecureBroker
from tests.security.test_kafka_tls import tricast
from tests.simulators.rms_client import staged
from tricast.cli.main import run
from tricast.kafka import topics
from tricast.processors import PROCESSORS
from tricast.settings import Settings

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]

ROLES = {role.name: role for role in roles(PREFIX)}
WORKERS = {name: f"tricast-worker-{name.replace('.', '-')}" for name in PROCESSORS}
UNTOLD = ("Traceback", "kafka.unavailable", "Authorization", "lacks")


@pytest.fixture(scope="module")
def guarded(secure: SecureBroker) -> Guarded:
    """The broker with a user a role, and with the topics, which the operator has made."""
    broker = Guarded(secure)
    broker.settle_others(FOREIGN_TOPIC, FOREIGN_GROUP)
    broker.admit({name: of_role(role) for name, role in ROLES.items()})
    made = asyncio.run(topics.create(TOPICS.values(), PREFIX, broker.settings("tricast-operator")))
    assert sorted(made) == sorted(PREFIX + name for name in TOPICS)
    return broker


@pytest.fixture
def as_user(guarded, monkeypatch):
    """Have commands in this process come as a user."""

    def become(user):
        for name, value in guarded.environment(user).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("TRICAST_TOPIC_PREFIX", PREFIX)

    return become


def unprefixed(guarded, user):
    given = {name.removeprefix("TRICAST_"): value for name, value in guarded.environment(user).items()}
    return given | {"TOPIC_PREFIX": PREFIX}


async def ended_well(process):
    process.signal(signal.SIGTERM)
    assert await process.exit_code() == 0, process.output
    assert not [word for word in UNTOLD if word in process.output], process.output
    assert PASSWORD not in process.output


# What each is for.


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


async def test_every_worker_joins_fences_its_dead_predecessor_and_commits(guarded):
    await asyncio.gather(*(worker_does_its_work(guarded, name) for name in WORKERS))


async def worker_does_its_work(guarded, name):
    user, group = WORKERS[name], PREFIX + name
    source = min(PROCESSORS[name](Settings()).sources)
    record = await nonsense(guarded, PREFIX + source)
    await die_in_a_transaction(guarded.settings(user), group, PREFIX + source, f"{PREFIX}changelog.{name}.{source}")
    async with tricast("work-one", name, environment=guarded.environment(user)) as process:
        letters = f"{PREFIX}{name.partition('.')[0]}.dead-letters"
        seen = asyncio.ensure_future(letter_of(guarded, letters, record))
        ended = asyncio.ensure_future(process.wait())
        await asyncio.wait({seen, ended}, return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            process.send_signal(signal.SIGTERM)
        _, said = await process.communicate()
        seen.cancel()
    assert process.returncode == 0, said.decode()
    assert f"fencing.dead_owner owner={group}-gone" in said.decode()
    assert not [word for word in UNTOLD if word in said.decode()], said.decode()
    assert PASSWORD not in said.decode()


async def nonsense(guarded, topic):
    """Write a record that makes a dead letter, past all roles; return its position."""
    async with AIOKafkaProducer(bootstrap_servers=guarded.own) as producer:
        written = await producer.send_and_wait(topic, b"no message of anybody's", partition=0)
    return f"{topic}/0/{written.offset}"


async def letter_of(guarded, topic, source):
    """Return when a reader of committed records sees the dead letter of ``source``."""
    async with AIOKafkaConsumer(
        topic,
        bootstrap_servers=guarded.own,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
    ) as consumer:
        async for letter in consumer:
            if dict(letter.headers).get("tc-source", b"").startswith(source.encode()):
                return


async def die_in_a_transaction(kafka: KafkaSettings, group, source, changelog):
    """Leave a transaction open for 15 minutes, as a worker does that is killed between produce and commit."""
    owner = f"{group}-gone"
    torn = Checkpoint(
        group=group, source=source, partition=0, offset=1, stream_time_ns=0, owner=owner, member="m", generation=1
    )
    producer = TransactionalProducer(kafka, owner, 900)
    try:
        await producer.start()
        await producer.begin()
        await asyncio.gather(*await producer.write(changelog, 0, [(CHECKPOINT_KEY, encode_checkpoint(torn), [], 0)]))
    finally:
        await producer.stop()


def test_a_workers_user_resets_its_processor(guarded, as_user, capsys):
    as_user("tricast-worker-rms-bets")
    assert run(["reset", "rms.bets", "--to", "earliest", "--yes", "--json"]) == 0, capsys.readouterr().err


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
    assert "does not tell this user the settings" in "".join(one["found"] for one in answers)

    named = {Right("guest", "topic", PREFIX + "kambi.offers", False, may) for may in ("Describe", "DescribeConfigs")}
    guarded.admit({"guest": named})
    as_user("guest")
    assert run(["topics", "check", "--newest", "0", "--json"]) == 1
    differences = json.loads(capsys.readouterr().out)["differences"]
    assert {one["kind"] for one in differences} == {"hidden-topic"}
    assert {one["topic"] for one in differences} == {PREFIX + name for name in TOPICS} - {PREFIX + "kambi.offers"}
    assert run(["doctor", "--json"]) == 0, capsys.readouterr()
    assert f"{PREFIX}kambi.raw" in capsys.readouterr().out


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


# And nothing else.


def test_every_role_is_in_the_table():
    assert INTENTS.keys() == ROLES.keys()


@pytest.mark.parametrize("user", INTENTS)
async def test_nothing_but_its_work(guarded, user):
    intent = INTENTS[user]
    every = {PREFIX + name: intent.on_topic(name) for name in TOPICS} | {FOREIGN_TOPIC: frozenset()}
    groups = {PREFIX + name: intent.on_group(name) for name in GROUPS}
    groups |= {FOREIGN_GROUP: frozenset({"Describe"} if intent.foreign_groups_seen else ())}
    groups |= {f"{PREFIX}more": groups[FOREIGN_GROUP]}
    if intent.team:
        groups |= {f"{intent.team}.x": frozenset({"Read", "Describe"}), f"{intent.team}x": frozenset()}
    ids = {f"{PREFIX}{name}-w" for name in GROUPS if name != intent.joins} | {"orders-1", PREFIX, user}
    async with attempts(guarded.settings(user)) as tries:
        on_cluster = intent.cluster if "Describe" in intent.cluster else frozenset()  # Kafka tells nobody else
        assert await tries.on_topics(every) == (every, on_cluster)
        assert await tries.on_groups(groups) == groups
        # The broker has said so; now by doing.
        for kind, attempt in (("Write", tries.write), ("Read", tries.read)):
            closed = [topic for topic, may in every.items() if kind not in may]
            assert await attempt(closed) == dict.fromkeys(closed, NO_TOPIC), kind
        foreign = [group for group, may in groups.items() if "Read" not in may]
        assert await tries.join(foreign) == dict.fromkeys(foreign, NO_GROUP)
        assert await tries.take(ids) == dict.fromkeys(ids, NO_ID)
    tried = ADMINISTRATION.keys() - ({MAKE} if intent.creates else set())
    topic = PREFIX + min(intent.writes or intent.reads)
    through = await asyncio.to_thread(let_through, guarded.as_user(user), topic, tried)
    # Kafka shows rights to whoever may describe the cluster, which sizes on disk are asked by.
    assert through == ({SEE_RIGHTS} if "Describe" in intent.cluster else set()) | (
        SEE_SETTINGS if intent.creates else set()
    )


# What a person is told when a right is missing.


def lesser(role, user, lost):
    """Return the rights of ``role`` for ``user``, without those that ``lost`` says."""
    return {right._replace(user=user) for right in of_role(ROLES[role]) if not lost(right)}


LESSER = {
    "mute": lesser("tricast-connector-kambi", "mute", lambda right: right.operation == "Write"),
    "nameless": lesser("tricast-worker-kambi", "nameless", lambda right: right.kind == "transactionalId"),
    "groupless": lesser("tricast-worker-kambi", "groupless", lambda r: (r.kind, r.operation) == ("group", "Read")),
    "letterless": lesser(
        "tricast-worker-kambi", "letterless", lambda r: r.name.endswith("letters") and r.operation == "Write"
    ),
    "blind": lesser(
        "tricast-connector-fastpath", "blind", lambda r: r.name.endswith("commands") and r.operation == "Read"
    ),
}


@pytest.fixture(scope="module")
def lessened(guarded):
    """The broker with users who lack a right."""
    guarded.admit(LESSER)
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


async def test_workers_end_with_3_and_say_what_they_lack(lessened):
    await nonsense(lessened, f"{PREFIX}kambi.raw")
    said = await asyncio.gather(*(last_words(lessened, user) for user in ("nameless", "groupless", "letterless")))
    for words, lacks in zip(
        said,
        (
            "'nameless': it lacks Write on transactional id tricast.kambi-nameless",
            "'groupless': it lacks Read on group tricast.kambi",
            "'letterless': it lacks Write on topic tricast.kambi.dead-letters",
        ),
        strict=True,
    ):
        assert f"Kafka refuses user {lacks}\nOperator action: grant that" in words
        assert "Traceback" not in words


async def last_words(guarded, user):
    ours = guarded.environment(user) | {"TRICAST_ENGINE__WORKER_NAME": user}
    async with tricast("work-one", "kambi", environment=ours) as process:
        _, said = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == EnvironmentFault.exit_code, said.decode()
    return said.decode()


async def test_what_else_fails_in_a_transaction_does_not_hide_the_right_that_is_missing(lessened):
    processor, failed = PROCESSORS["kambi"](Settings()), list[BaseException]()
    engine = Engine(
        processor,
        Topology.of(processor, PREFIX, TOPICS),
        kafka=lessened.settings("letterless"),
        settings=EngineSettings(worker_name="both"),
        version="test",
        seek=lambda *_: never(),
        fail=failed.append,
    )
    producer = engine._producer
    try:
        await producer.start()
        await producer.begin()
        (refused,) = await producer.write(f"{PREFIX}kambi.dead-letters", 0, [(b"k", b"{}", [], 0)])
        await asyncio.wait({refused})
        # What Kafka says of a record that aiokafka had not yet added to the transaction; else it means a namesake.
        await engine._stop_for(InvalidTxnState())
    finally:
        await producer.stop()
    told = missing_right(failed[0], on_topic=lambda _: "Write")
    assert told is not None
    assert told.message == "Kafka refuses this user: it lacks Write on topic tricast.kambi.dead-letters"


async def never():
    raise AssertionError("no task opens here")


@pytest.mark.parametrize(
    ("user", "command", "lacks"),
    [
        ("tricast-example-team", ["tail", "kambi.raw", "--from-beginning"], "Read on topic tricast.kambi.raw"),
        ("groupless", ["reset", "kambi", "--to", "committed", "--yes"], "Read on group tricast.kambi"),
    ],
    ids=["tail", "reset"],
)
def test_a_command_ends_with_3_and_says_what_it_lacks(lessened, as_user, capsys, user, command, lacks):
    as_user(user)
    assert run(command) == EnvironmentFault.exit_code
    assert f"lacks {lacks}" in capsys.readouterr().err
