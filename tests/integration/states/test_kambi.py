"""Latest states of Kambi in a real Kafka: a worker that is killed, and readers who start in the middle.

What must hold is worked out from the facts themselves by ``naive``, which looks back over all of them.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest
from confluent_kafka import Message
from confluent_kafka.admin import (  # re-exported, as its manual has it
    AdminClient,
    AlterConfigOpType,  # pyright: ignore[reportPrivateImportUsage]
    ConfigEntry,  # pyright: ignore[reportPrivateImportUsage]
    ConfigResource,  # pyright: ignore[reportPrivateImportUsage]
)

from docs.examples.state.follow_kambi import FACTS, Follower
from tests.core.kambi.latest import naive
from tests.core.latest import said
from tests.integration.states.deployment import Deployment, fact_of, header, newest, place_of

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]

Json = dict[str, Any]
EVENTS = range(1, 25)
ABOUT = {"event_id", "offer_id", "vendor_time_ms", "source", "late", "received_ns", "partial", "main_line"}


def afternoon(chance: Random, number: int) -> list[tuple[str, Json, str]]:
    """Return facts as a live afternoon has them: mostly prices; events come and go."""
    facts = []
    for _ in range(number):
        event = chance.choice(EVENTS)
        offer = {"offer_id": event * 10 + chance.randrange(3)}
        outcomes = [{"id": one, "odds_thousandths": chance.randrange(1100, 9000)} for one in (1, 2)]
        kind, value = chance.choices(
            [
                ("odds.changed", offer | {"outcomes": outcomes[: chance.choice([1, 2])]}),
                ("offer.added", offer | {"suspended": False, "outcomes": outcomes, "tags": ["MAIN"]}),
                ("offer.status-changed", offer | {"suspended": chance.random() < 0.5, "visible": True}),
                ("offer.removed", offer),
                ("offers.suspended", {}),
                ("outcomes.status-changed", offer | {"outcomes": [{"id": 1, "status": "SUSPENDED"}]}),
                ("score.changed", {"home": str(chance.randrange(4)), "away": "0"}),
                ("clock.changed", {"minute": chance.randrange(90), "running": True}),
                ("clock.removed", {}),
                ("event.opened", {"name": f"event {event}", "state": "STARTED"}),
                ("event.state-changed", {"state": "FINISHED"}),
                ("ended", {}),
            ],
            weights=[50, 6, 6, 3, 1, 3, 10, 10, 1, 3, 1, 4],
        )[0]
        late = {"late": True} if chance.random() < 0.05 else {}
        ends = ("event.removed", "offers.removed", "scores.removed")
        for name in ends if kind == "ended" else (kind,):
            facts.append((f"tricast.kambi.{name}.v1", {"event_id": event} | value | late, str(event)))
    return facts


class Facts:
    """All facts as they stand in Kafka."""

    def __init__(self, messages: Iterable[Message]) -> None:
        self._facts = [
            (place_of(one), header(one, "ce_type"), json.loads(one.value() or b""), int(header(one, "ce_tcreceived")))
            for one in messages
        ]
        self.ends: dict[tuple[str, int], int] = defaultdict(lambda: -1)
        for (topic, partition, offset), _, _, _ in self._facts:
            self.ends[topic, partition] = max(self.ends[topic, partition], offset)

    def states(self, upto: dict[tuple[str, int], int]) -> dict[str, Json]:
        """Return what the facts up to those offsets add up to, without how it came."""
        taken = [fact for fact in self._facts if fact[0][2] <= upto.get(fact[0][:2], -1)]
        states = naive.states([fact[1:3] for fact in taken], [fact[3] for fact in taken])
        return plain(states)

    def behind(self, stands_at: dict[tuple[str, int], int]) -> list[tuple[str, int, int]]:
        """Return the places of all facts behind those offsets."""
        return sorted(fact[0] for fact in self._facts if fact[0][2] > stands_at.get(fact[0][:2], -1))


def plain(states: dict[str, Json]) -> dict[str, Json]:
    """Return what states say, in one order; a play without anything is none."""

    def told(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: told(one) for name, one in sorted(value.items()) if name not in ABOUT}
        if isinstance(value, list):
            return sorted((told(one) for one in value), key=str)
        return value

    return {key: state for key, state in sorted((key, told(state)) for key, state in said(states).items()) if state}


def loaded(deployment: Deployment) -> Follower:
    """Return a reader who has begun now."""
    reader = Follower(deployment.bootstrap, deployment.prefix, range(4), **{"fetch.wait.max.ms": 10})
    reader.load()
    return reader


def read_all(reader: Follower, facts: int = 4) -> list[tuple[str, int, int]]:
    """Follow to the ends of all topics of facts, each of so many partitions; return the places of what was applied."""
    applied, ends = [], 0
    for message in reader.follow():
        if message is not None:
            applied.append(place_of(message))
            continue
        ends += 1
        if ends >= len(FACTS) * facts:  # each has been at its end once; nobody writes now
            return sorted(applied)
    raise AssertionError


def compact(deployment: Deployment) -> None:
    """Have the broker's cleaner leave the newest state of each key, and no tombstone."""
    admin = AdminClient({"bootstrap.servers": deployment.bootstrap})

    def setting(name: str, value: str) -> ConfigEntry:
        return ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)

    topic = ConfigResource(
        ConfigResource.Type.TOPIC,
        deployment.prefix + "kambi.state",
        incremental_configs=[
            setting("segment.ms", "100"),
            setting("min.cleanable.dirty.ratio", "0.001"),
            setting("delete.retention.ms", "0"),
        ],
    )
    brokers = [
        ConfigResource(
            ConfigResource.Type.BROKER, str(number), incremental_configs=[setting("log.cleaner.backoff.ms", "100")]
        )
        for number in admin.list_topics(timeout=30).brokers
    ]
    for resource in (topic, *brokers):
        for future in admin.incremental_alter_configs([resource]).values():
            future.result(30)


def test_readers_who_start_in_the_middle_have_all_of_it_once(kafka: str, topic_prefix: str, tmp_path: Path):
    deployment, chance = Deployment("kambi", kafka, topic_prefix, tmp_path), Random(7)
    deployment.write(afternoon(chance, 800))
    readers = []
    with deployment.worker() as worker:
        deployment.until(lambda found: len(found) > 200, worker)
        deployment.write(afternoon(chance, 800))
        readers.append(loaded(deployment))  # under load: states and facts go on
        deployment.write(afternoon(chance, 400))
        worker.kill()  # in the middle of whatever it does
    deployment.write(afternoon(chance, 400))
    readers.append(loaded(deployment))  # while nobody folds
    facts = Facts(message for name in FACTS for message in deployment.read(name))
    everything = facts.states(facts.ends)
    with deployment.worker() as worker:
        found = deployment.until(lambda found: plain(newest(found)) == everything, worker)
        # A state is in the partition of its facts, and nothing was told twice.
        assert all(fact_of(state)[1] == state.partition() for state in found)
        assert len({header(state, "ce_id") for state in found}) == len(found)
        compact(deployment)
        # The newest segment is never cleaned: have another begin in each partition.
        deployment.write(("tricast.kambi.event.opened.v1", {"event_id": one}, str(one)) for one in range(100, 120))
        deployment.until(lambda left: len(left) < len(found) // 2, worker)
    readers.append(loaded(deployment))  # of a cleaned topic
    facts = Facts(message for name in FACTS for message in deployment.read(name))
    everything = facts.states(facts.ends)
    for reader in readers:
        with closing(reader):
            # What was loaded is what the facts up to where it stands add up to; what is gone since, and its tombstone,
            # may be cleaned away ...
            wanted, known = facts.states(reader.stands_at), plain(reader.offering)
            cleaned = wanted.keys() - known.keys()
            assert known == {key: state for key, state in wanted.items() if key not in cleaned}
            assert not cleaned or (reader is readers[-1] and cleaned.isdisjoint(everything))
            # ... and every fact behind that is applied, once.
            assert read_all(reader) == facts.behind(reader.stands_at)
            assert plain(reader.offering) == everything
