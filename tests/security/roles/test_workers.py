"""Workers as their users: they join, fence and commit, and say which right they lack."""

import asyncio
import signal

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import InvalidTxnState

from processors.engine.changelog import CHECKPOINT_KEY, Checkpoint, encode_checkpoint
from processors.engine.config import EngineSettings
from processors.engine.engine import Engine
from processors.engine.topology import Topology
from processors.engine.transactions import TransactionalProducer
from schemas.errors import EnvironmentFault
from schemas.kafka import KafkaSettings
from schemas.missing_right import missing_right
from schemas.topics import TOPICS
from tests.security.command import tricast
from tests.security.intent import PREFIX
from tests.security.roles.lesser import UNTOLD, lesser
from tests.security.secure_broker import PASSWORD
from tricast.cli.main import run
from tricast.processors import PROCESSORS
from tricast.settings import Settings

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]

WORKERS = {name: f"tricast-worker-{name.replace('.', '-')}" for name in PROCESSORS}


@pytest.fixture(scope="module")
def lessened(guarded):
    """The broker with users who lack a right."""
    lost = {
        "nameless": lambda right: right.kind == "transactionalId",
        "groupless": lambda right: (right.kind, right.operation) == ("group", "Read"),
        "letterless": lambda right: right.name.endswith("letters") and right.operation == "Write",
    }
    guarded.admit({user: lesser("tricast-worker-kambi", user, what) for user, what in lost.items()})
    return guarded


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


def test_a_reset_that_is_refused_ends_with_3_and_says_what_it_lacks(lessened, as_user, capsys):
    as_user("groupless")
    assert run(["reset", "kambi", "--to", "committed", "--yes"]) == EnvironmentFault.exit_code
    assert "lacks Read on group tricast.kambi" in capsys.readouterr().err
