"""Topics that grow in a real Kafka, under readers, states and kills."""

import asyncio
import io
import subprocess
import sys
from collections import defaultdict
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest
from confluent_kafka import Consumer, Message, TopicPartition

from docs.examples.state.follow_kambi import FACTS, Follower
from schemas.errors import ContractError
from schemas.topics import Partitions
from tests.core.latest import said
from tests.growth.killed import grow
from tests.integration.states.deployment import Deployment, fact_of, header, newest
from tests.integration.states.test_fastpath import ACTIONS, account, packets
from tests.integration.states.test_kambi import Facts, afternoon, plain, read_all
from tricast.cli.main import run

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(120)]

GROWN = Partitions(kambi_shards=6, kambi_facts=8)
TEAM = "trading"


def commit(deployment: Deployment, offsets: dict[int, int]) -> None:
    """Have a team's group stand there in ``kambi.offers``."""
    consumer = Consumer({"bootstrap.servers": deployment.bootstrap, "group.id": deployment.prefix + TEAM})
    topic = deployment.prefix + "kambi.offers"
    with closing(consumer):
        consumer.commit(offsets=[TopicPartition(topic, *each) for each in offsets.items()], asynchronous=False)


def stands(deployment: Deployment) -> dict[int, int]:
    """Return where it stands."""
    consumer = Consumer({"bootstrap.servers": deployment.bootstrap, "group.id": deployment.prefix + TEAM})
    topic = deployment.prefix + "kambi.offers"
    with closing(consumer):
        found = consumer.committed([TopicPartition(topic, number) for number in range(8)], 30)
    return {each.partition: each.offset for each in found}


def followed(deployment: Deployment) -> Follower:
    """Return a reader who has loaded the states, and followed all facts behind them."""
    reader = Follower(deployment.bootstrap, deployment.prefix, range(4), **{"fetch.wait.max.ms": 10})
    reader.load()
    read_all(reader, deployment.partitions.kambi_facts)
    return reader


def test_grown_topics_keep_states_readers_and_order(
    kafka: str, topic_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    deployment, chance = Deployment("kambi", kafka, topic_prefix, tmp_path), Random(11)
    deployment.write(afternoon(chance, 600))
    ends = {message.partition() or 0: (message.offset() or 0) + 1 for message in deployment.read("kambi.offers")}
    commit(deployment, ends | {0: ends[0] - 1})
    with deployment.worker() as worker:
        deployment.until(lambda found: len(found) > 50, worker)
        # Nothing is done while a worker runs, a state is behind, or a team has not read to the end.
        plan = asyncio.run(grow(kafka, topic_prefix, GROWN).plan())
        assert any(f"{topic_prefix}kambi.state has living members" in each for each in plan.obstacles)
        assert any(f"{TEAM} has not read kambi.offers to the end (partitions 0)" in each for each in plan.obstacles)
        with pytest.raises(ContractError, match="living members"):
            asyncio.run(grow(kafka, topic_prefix, GROWN).do(plan))
        before = Facts(message for name in FACTS for message in deployment.read(name))
        deployment.until(lambda found: plain(newest(found)) == before.states(before.ends), worker)
        worker.stop()
    commit(deployment, ends)

    # Killed before the changelogs grow, and in the middle of the transaction; then not.
    deployment.partitions = GROWN
    for phase in ("growing changelog", "dividing"):
        told = [kafka, topic_prefix, phase, GROWN.model_dump_json()]
        assert subprocess.run([sys.executable, "-m", "tests.growth.killed", *told], check=False).returncode == 9
    task = grow(kafka, topic_prefix, GROWN)
    plan = asyncio.run(task.plan())
    assert ([each.topic.name for each in plan.growths], plan.obstacles) == ([], [])
    assert asyncio.run(task.do(plan)) > 0
    assert asyncio.run(task.plan()).divided == []

    # A team goes on where it stood, and begins what is new at its beginning.
    assert stands(deployment) == ends | dict.fromkeys(range(4, 8), 0)

    # Whoever would have its states folded anew is told what that takes, and may think again.
    environment = {"KAFKA__BOOTSTRAP_SERVERS": kafka, "TOPIC_PREFIX": topic_prefix}
    environment |= {f"PARTITIONS__{name.upper()}": str(count) for name, count in GROWN.model_dump().items()}
    for name, value in environment.items():
        monkeypatch.setenv(f"TRICAST_{name}", value)
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    assert run(["reset", "kambi.state", "--to", "earliest"]) != 0
    assert "caution: kambi.events, kambi.offers, kambi.scores" in capsys.readouterr().err

    deployment.write(afternoon(chance, 600))
    facts = Facts(message for name in FACTS for message in deployment.read(name))
    assert {partition for _, partition in facts.ends} == set(range(8))
    everything = facts.states(facts.ends)
    with deployment.worker() as worker:
        found = deployment.until(lambda found: plain(newest(found)) == everything, worker)
    assert len({header(state, "ce_id") for state in found}) == len(found)
    assert all(fact_of(state)[1] % 4 == state.partition() for state in found)
    with closing(followed(deployment)) as reader:
        assert plain(reader.offering) == everything


def test_packets_of_a_fixture_that_moves_are_folded_into_its_state(kafka: str, topic_prefix: str, tmp_path: Path):
    deployment, chance = Deployment("fastpath", kafka, topic_prefix, tmp_path), Random(13)
    wanted = Partitions(fastpath_actions=8)
    deployment.write(packets(chance, 0, 400))
    with deployment.worker() as worker:
        deployment.until(lambda found: said(newest(found)) == account(deployment.read(ACTIONS)), worker)
        worker.stop()
    deployment.partitions = wanted
    task = grow(kafka, topic_prefix, wanted, feed="fastpath")
    plan = asyncio.run(task.plan())
    assert plan.obstacles == []
    assert ACTIONS in {each.topic.name for each in plan.growths}
    assert asyncio.run(task.do(plan)) > 0
    deployment.write(packets(chance, 400, 400))
    facts = deployment.read(ACTIONS)
    homes = defaultdict[bytes | str | None, set[int | None]](set)
    for fact in facts:
        homes[fact.key()].add(fact.partition())
    assert any(len(partitions) == 2 for partitions in homes.values()), "no fixture moved"
    with deployment.worker() as worker:
        found = deployment.until(lambda found: said(newest(found)) == by_age(facts), worker)
    assert len({header(state, "ce_id") for state in found}) == len(found)


def by_age(facts: list[Message]) -> dict[str, Any]:
    """Return the states that facts add up to, told in the order in which they were written."""
    return account(sorted(facts, key=lambda fact: int(header(fact, "ce_tcreceived"))))
