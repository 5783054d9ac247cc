"""Can Kafka be reached as it is set, is it set up so that nothing gets lost, and may we do what we must?"""

import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from schemas.errors import EnvironmentFault, MissingRight
from schemas.kafka import KafkaSettings
from schemas.unreached import unreached
from tricast.doctor.answer import Answer, words
from tricast.doctor.rights import GroupRights, TopicRights, missing
from tricast.kafka import topics as real_topics
from tricast.monitor.broker import Broker
from tricast.monitor.look import Look
from tricast.settings import Settings, variable

COPIES: Final = 3
SKEW_S: Final = 2.0
"""How far a record may be ahead of this machine's clock."""
_TOPIC_RIGHTS: Final = ("Read", "Write", "Describe")
_INTERNAL: Final = ("__consumer_offsets", "__transaction_state")


async def examine(settings: Settings, groups: Sequence[str]) -> AsyncIterator[Answer]:
    """Yield the answers one by one; nothing is written.

    Args:
        settings: Of this process.
        groups: Consumer groups of our processors.
    """
    kafka = settings.kafka
    admin = AIOKafkaAdminClient(**kafka.client())
    try:
        try:
            await admin.start()
        except KafkaError as error:
            fault = await unreached(kafka.client(), error)
            yield Answer(question="Kafka", verdict="failed", found=fault.message, action=fault.action)
            return
        yield Answer(question="Kafka", verdict="ok", found=f"{kafka.bootstrap_servers} by {kafka.security_protocol}")
        try:
            async for answer in _ask(settings, groups, admin):
                yield answer
        except (KafkaError, EnvironmentFault) as error:
            action = "look at the brokers' logs, and ask again"
            yield Answer(question="Kafka", verdict="failed", found=words(error), action=action)
    finally:
        await admin.close()


async def _ask(settings: Settings, groups: Sequence[str], admin: AIOKafkaAdminClient) -> AsyncIterator[Answer]:
    brokers = [row["node_id"] for row in (await admin.describe_cluster())["brokers"]]
    prefix = settings.topic_prefix
    async with Broker(settings.kafka, lambda name: name.startswith(prefix) or name in _INTERNAL) as watching:
        look = await watching.look()
        yield brokers_answer(look)
    names = sorted({topic for topic, _ in look.partitions if topic.startswith(prefix)})
    async for answer in _topics(settings):
        yield answer
    configs = await _configs(admin, ConfigResourceType.TOPIC, names)
    for answer in topic_answers(look, configs, len(brokers)):
        yield answer
    for node in brokers[:1]:
        described = await _configs(admin, ConfigResourceType.BROKER, [str(node)])
        for answer in broker_answers(described.get(str(node), {}), settings):
            yield answer
    yield clock_answer(look, time.time_ns() // 1_000_000, prefix)
    async for answer in _rights(settings.kafka, names, groups):
        yield answer


async def _topics(settings: Settings) -> AsyncIterator[Answer]:
    try:
        differences = await real_topics.check(settings.topics.values(), settings.topic_prefix, settings.kafka)
    except MissingRight as fault:  # as it is for the user of a single part
        yield Answer(question="topics", verdict="warning", found=fault.message, action=fault.action)
        return
    hidden = [difference.topic for difference in differences if isinstance(difference, real_topics.HiddenTopic)]
    if hidden:
        action = "fine for a role's own user (docs/rights.md); tricast-operator sees all"
        yield _some("topics", hidden, "not visible to this user: it may not describe them", action)
    action = "`tricast topics create` makes what is missing; what is other than it should be is yours to decide"
    for difference in differences:
        # ``topic_answers`` tells of copies, of all topics together.
        if not isinstance(difference, real_topics.HiddenTopic | real_topics.TooFewCopies | real_topics.OtherInSync):
            yield Answer(question="topics", verdict="failed", found=str(difference), action=action)


def brokers_answer(look: Look) -> Answer:
    """Return whether every broker can be reached at the address that it gives."""
    silent = ", ".join(map(str, look.silent))
    if silent:
        action = "their advertised.listeners must be addresses that this machine reaches"
        found = f"of {len(look.brokers)} brokers these do not answer: {silent}"
        return Answer(question="brokers", verdict="failed", found=found, action=action)
    if len(look.brokers) < COPIES:
        action = f"have {COPIES}: the loss of one disk loses records otherwise; fine for trying it out"
        found = f"only {len(look.brokers)}"
        return Answer(question="brokers", verdict="warning", found=found, action=action)
    return Answer(question="brokers", verdict="ok", found=f"all {len(look.brokers)} answer")


def topic_answers(look: Look, configs: Mapping[str, Mapping[str, str | None]], brokers: int) -> Iterator[Answer]:
    """Yield whether topics have copies enough, and are set so that acknowledged records stay."""
    copies: dict[str, int] = {}
    torn = set()
    for (topic, _), partition in look.partitions.items():
        copies[topic] = min(copies.get(topic, partition.replicas), partition.replicas)
        if partition.in_sync < partition.replicas or partition.leader is None:
            torn.add(topic)
    if not copies:
        return
    if thin := sorted(name for name, count in copies.items() if count < COPIES):
        action = "raise the replication factor (kafka-reassign-partitions.sh)" if brokers >= COPIES else "add brokers"
        yield _some("replication", thin, f"have fewer than {COPIES} copies", action)
    else:
        yield Answer(question="replication", verdict="ok", found=f"all topics have {COPIES} copies or more")
    yield from _settings_of_topics(copies, configs)
    if torn:
        action = "see which broker lags or is away (`tricast status`)"
        yield _some("in sync", sorted(torn), "have replicas that are not in sync", action)


def _settings_of_topics(copies: Mapping[str, int], configs: Mapping[str, Mapping[str, str | None]]) -> Iterator[Answer]:
    needs = {name: int(config.get("min.insync.replicas") or 1) for name, config in configs.items()}
    lone = sorted(name for name, least in needs.items() if least < 2 <= copies[name] - 1)
    stuck = sorted(name for name, least in needs.items() if least >= copies[name] > 1)
    if lone:
        action = "set min.insync.replicas=2: an acknowledged record is on one disk only otherwise"
        yield _some("min.insync", lone, "acknowledge with one replica in sync", action)
    if stuck:
        action = "set min.insync.replicas below the number of copies: one broker away stops all writes otherwise"
        yield _some("min.insync", stuck, "cannot be written while one broker is away", action)
    if configs and not lone and not stuck:
        yield Answer(question="min.insync", verdict="ok", found="fits the number of copies")
    for key, bad, what, action in (
        (
            "unclean.leader.election.enable",
            "true",
            "may lose acknowledged records when brokers fail",
            "set unclean.leader.election.enable=false",
        ),
        (
            "message.timestamp.type",
            "LogAppendTime",
            "replace the times of records, which processors rest on",
            "set message.timestamp.type=CreateTime",
        ),
    ):
        if found := sorted(name for name, config in configs.items() if config.get(key) == bad):
            yield _some(key, found, what, action)


def broker_answers(config: Mapping[str, str | None], settings: Settings) -> Iterator[Answer]:
    """Yield whether the limits of a broker allow what the engine asks for."""
    engine = settings.engine
    session_ms, transaction_ms = round(engine.session_timeout_s * 1000), round(engine.transaction_timeout_s * 1000)
    refused = {
        "group.min.session.timeout.ms": (range(session_ms + 1), "session_timeout_s"),
        "group.max.session.timeout.ms": (range(session_ms, 2**31), "session_timeout_s"),
        "transaction.max.timeout.ms": (range(transaction_ms, 2**31), "transaction_timeout_s"),
    }
    for key, (allowed, name) in refused.items():
        limit = config.get(key)
        if limit is not None and limit.isdecimal() and int(limit) not in allowed:
            action = f"change it on the brokers, or {variable(('engine', name))}"
            found = f"{key} is {limit}: workers would be refused"
            yield Answer(question="limits of the brokers", verdict="failed", found=found, action=action)
    largest = max(topic.max_message_bytes for topic in settings.topics.values())
    fetched = config.get("replica.fetch.max.bytes")
    if fetched is not None and fetched.isdecimal() and int(fetched) < largest:
        found = f"replica.fetch.max.bytes is {fetched}, records may have {largest}"
        action = "raise it, so that followers keep up with large records"
        yield Answer(question="limits of the brokers", verdict="warning", found=found, action=action)


def clock_answer(look: Look, now_ms: int, prefix: str) -> Answer:
    """Return whether records come from what is the future here: then this clock, or a connector's, is wrong."""
    newest = [
        partition.newest_ms
        for (topic, _), partition in look.partitions.items()
        if topic.startswith(prefix) and partition.newest_ms is not None
    ]
    question = "clock against the records"
    if not newest:
        return Answer(question=question, verdict="ok", found="no record to compare it with")
    ahead_s = (max(newest) - now_ms) / 1000
    if ahead_s > SKEW_S:
        action = "correct the clock of this machine, or of the connector's"
        return Answer(question=question, verdict="warning", found=f"the newest is {ahead_s:.1f} s ahead", action=action)
    found = f"the newest record is {-ahead_s:.1f} s old" if ahead_s < 0 else "they agree"
    return Answer(question=question, verdict="ok", found=found)


async def _rights(kafka: KafkaSettings, topics: Sequence[str], groups: Sequence[str]) -> AsyncIterator[Answer]:
    client = AIOKafkaClient(**kafka.client())
    try:
        await client.bootstrap()
        told = await client.send(client.get_random_node(), TopicRights(list(topics)))
        lacking = [
            f"{operation} on topic {row[1]}" for row in told.topics for operation in missing(row[4], _TOPIC_RIGHTS)
        ]
        for group in groups:
            node = await client.coordinator_lookup(0, group)
            (row,) = (await client.send(node, GroupRights([group]))).groups
            lacking += [f"Read on group {group}"] if row[0] in {29, 30} or missing(row[-1], ("Read",)) else []
    except KafkaError as error:
        found = f"the brokers do not tell: {words(error)}"
        action = "a user needs Read, Write, Describe on topics, Read on groups, Write on transactional ids"
        yield Answer(question="rights (ACLs)", verdict="warning", found=found, action=action)
        return
    finally:
        await client.close()
    if lacking:
        # No failure: where each role has a user of its own, none has all, and none should.
        action = (
            "fine for a role's own user (docs/rights.md); one that is to do everything needs them, and Write on the"
            " transactional ids, which nobody can ask for without using them"
        )
        found = f"user {kafka.sasl_username or 'of this process'} lacks {_first(lacking)}"
        yield Answer(question="rights (ACLs)", verdict="warning", found=found, action=action)
    else:
        found = f"Read, Write and Describe on {len(topics)} topics, Read on {len(groups)} groups"
        yield Answer(question="rights (ACLs)", verdict="ok", found=found)


async def _configs(
    admin: AIOKafkaAdminClient, kind: ConfigResourceType, names: Sequence[str]
) -> dict[str, dict[str, str | None]]:
    if not names:
        return {}
    answers: list[Any] = await admin.describe_configs([ConfigResource(kind, name) for name in names])
    return {
        name: {entry[0]: entry[1] for entry in entries}
        for answer in answers
        for code, _, _, name, entries in answer.resources
        if code == 0
    }


def _some(question: str, names: Sequence[str], what: str, action: str) -> Answer:
    return Answer(question=question, verdict="warning", found=f"{_first(names)} {what}", action=action)


def _first(names: Iterable[str]) -> str:
    known = list(names)
    return ", ".join(known[:3]) + (f" and {len(known) - 3} more" if len(known) > 3 else "")
