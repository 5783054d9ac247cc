"""Latest states of FastPath in a real Kafka: a worker that is killed, and readers who load, then follow."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from confluent_kafka import Message

from tests.core.fastpath.test_latest import ACTION, ELEMENT, PACKET, naive
from tests.core.latest import said
from tests.integration.states.deployment import Deployment, fact_of, header, newest, place_of

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(120)]

Json = dict[str, Any]
ACTIONS, STATE = "fastpath.actions", "fastpath.state"


def packets(chance: Random, begin: int, number: int) -> list[tuple[str, Json, str]]:
    """Return packets of both families, some of them out of order; each sequence number once."""
    found = []
    for sequence in range(begin, begin + number):
        fixture = str(chance.randrange(20))
        mark = chance.choice(["late", "repaired", "conflict"] + [""] * 12)
        value = PACKET | {"fixture_id": fixture, "sequence": sequence, "vendor_time": str(sequence)}
        if int(fixture) % 2:
            kind, more = ELEMENT, {"feed": "tennis", "details": {"point": sequence}, "element_type": "Point"}
        else:
            kind, more = ACTION, {"feed": "soccer", "summary": {"home_score": sequence}}
        found.append((kind, value | more | ({mark: True} if mark else {}), fixture))
    return found


def account(facts: list[Message]) -> dict[str, Json]:
    """Return the states that facts add up to."""
    return naive([(header(fact, "ce_type"), json.loads(fact.value() or b"")) for fact in facts])


def loaded(deployment: Deployment) -> tuple[dict[str, Json], dict[tuple[str, int], int]]:
    """Return the states as they are, and the last fact of each partition that is in them."""
    states, stands_at = deployment.read(STATE), dict[tuple[str, int], int]()
    for topic, partition, offset in map(fact_of, states):
        stands_at[topic, partition] = max(stands_at.get((topic, partition), -1), offset)
    return said(newest(states)), stands_at


def is_behind(fact: Message, stands_at: dict[tuple[str, int], int]) -> bool:
    topic, partition, offset = place_of(fact)
    return offset > stands_at.get((topic, partition), -1)


def test_who_loads_then_follows_has_every_packet_once(kafka: str, topic_prefix: str, tmp_path: Path):
    deployment, chance = Deployment("fastpath", kafka, topic_prefix, tmp_path), Random(3)
    deployment.write(packets(chance, 0, 500))
    readers = []
    with deployment.worker() as worker:
        deployment.until(lambda found: len(found) > 100, worker)
        deployment.write(packets(chance, 500, 500))
        readers.append(loaded(deployment))  # under load
        worker.stop()
    deployment.write(packets(chance, 1000, 200))
    readers.append(loaded(deployment))  # while nobody folds
    facts = deployment.read(ACTIONS)
    for states, stands_at in readers:
        behind = [fact for fact in facts if is_behind(fact, stands_at)]
        assert behind
        assert states == account([fact for fact in facts if not is_behind(fact, stands_at)])
        followed = account(behind)
        assert {key: states.get(key, {}) | followed.get(key, {}) for key in states | followed} == account(facts)
    told = [header(state, "ce_id") for state in deployment.read(STATE)]
    in_them = [fact for fact in facts if is_in_order(fact) and not is_behind(fact, readers[-1][1])]
    assert len(set(told)) == len(told) == len(in_them)


def is_in_order(fact: Message) -> bool:
    return not json.loads(fact.value() or b"").keys() & {"late", "repaired", "conflict"}
