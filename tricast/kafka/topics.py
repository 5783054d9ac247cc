"""Make the registry's topics on a real Kafka, and compare what is there with the registry."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, TopicAuthorizationFailedError, for_code

from schemas.errors import EnvironmentFault, MissingRight
from schemas.kafka import KafkaSettings
from schemas.topic_metadata import describe_topics
from schemas.topics import Topic, min_in_sync, replicas
from schemas.unreached import unreached

_IN_SYNC = "min.insync.replicas"
_KNOWN_TIMEOUT_S = 30.0
_ANSWER_TIMEOUT_S = 5.0  # a broker that hangs is out of the cluster before the time above is over
_POLL_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingTopic:
    """Kafka has no such topic."""

    kind: ClassVar[str] = "missing-topic"
    topic: str

    def __str__(self) -> str:
        return f"{self.topic}: missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class HiddenTopic:
    """This user may not describe the topic: Kafka does not say whether it exists."""

    kind: ClassVar[str] = "hidden-topic"
    topic: str

    def __str__(self) -> str:
        return f"{self.topic}: not visible to this user, who lacks Describe on it"


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherPartitionCount:
    """The topic has another number of partitions: keys would go elsewhere than its readers think."""

    kind: ClassVar[str] = "other-partition-count"
    topic: str
    expected: int
    found: int

    def __str__(self) -> str:
        return f"{self.topic}: {self.found} partitions, the registry says {self.expected}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherConfig:
    """A setting that the registry names has another value."""

    kind: ClassVar[str] = "other-setting"
    topic: str
    key: str
    expected: str
    found: str | None

    def __str__(self) -> str:
        return f"{self.topic}: {self.key} is {self.found}, the registry says {self.expected}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TooFewCopies:
    """A partition has fewer replicas than there could be: a broker's disk may take acknowledged records with it."""

    kind: ClassVar[str] = "too-few-copies"
    topic: str
    expected: int
    found: int

    def __str__(self) -> str:
        return f"{self.topic}: {self.found} copies, with so many brokers there should be {self.expected}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherInSync:
    """``min.insync.replicas`` lets acknowledged records be lost with one broker, or stops all writes without one."""

    kind: ClassVar[str] = "other-min-in-sync"
    topic: str
    least: int
    most: int
    found: str | None

    def __str__(self) -> str:
        wanted = str(self.least) if self.least == self.most else f"{self.least} to {self.most}"
        return f"{self.topic}: {_IN_SYNC} is {self.found}, with its copies it should be {wanted}"


Difference = MissingTopic | HiddenTopic | OtherPartitionCount | OtherConfig | TooFewCopies | OtherInSync


async def create(topics: Iterable[Topic], prefix: str, kafka: KafkaSettings) -> list[str]:
    """Create what is missing, wait until every broker knows it and it can be written, and return the names created.

    Topics that exist are left as they are, right or wrong: ``check`` tells.

    Raises:
        EnvironmentFault: Kafka cannot be reached, refused a topic, or has a broker that does not hear of one.
    """
    wanted = list(topics)
    async with _admin(kafka) as admin:
        existing = set(await admin.list_topics())
        missing = [topic for topic in wanted if prefix + topic.name not in existing]
        if not missing:
            return []
        copies = replicas(len((await admin.describe_cluster())["brokers"]))
        in_sync = {_IN_SYNC: str(min_in_sync(copies))}
        answer: Any = await admin.create_topics(
            [NewTopic(prefix + t.name, t.partitions, copies, topic_configs=t.config() | in_sync) for t in missing]
        )
        created = []
        for name, code, *message in answer.topic_errors:
            if code == 0:
                created.append(name)
            elif code != TopicAlreadyExistsError.errno:  # somebody else made it meanwhile
                raise EnvironmentFault(
                    f"Kafka refused topic {name}: {for_code(code).__name__} {message[0] if message else ''}".rstrip(),
                    action="give this user the right to create topics, or have the topics created for you",
                )
        await _await_known(admin, [prefix + topic.name for topic in missing])
        return created


async def check(topics: Iterable[Topic], prefix: str, kafka: KafkaSettings) -> list[Difference]:
    """Compare Kafka's topics with the registry; an empty list means that all is as it should be.

    Raises:
        EnvironmentFault: Kafka cannot be reached, or does not tell this user (``MissingRight``).
    """
    wanted = {prefix + topic.name: topic for topic in topics}
    differences: list[Difference] = []
    async with _admin(kafka) as admin:
        told = await describe_topics(admin, wanted)
        copies = {one["topic"]: [len(row["replicas"]) for row in one["partitions"]] for one in told if _is_there(one)}
        configs = await _configs(admin, list(copies))
        brokers = len((await admin.describe_cluster())["brokers"])
    hidden = {one["topic"] for one in told if one["error_code"] == TopicAuthorizationFailedError.errno}
    for name, topic in wanted.items():
        if name not in copies:
            differences.append(HiddenTopic(topic=name) if name in hidden else MissingTopic(topic=name))
            continue
        if (count := len(copies[name])) != topic.partitions:
            differences.append(OtherPartitionCount(topic=name, expected=topic.partitions, found=count))
        differences += durability(name, min(copies[name]), brokers, configs[name].get(_IN_SYNC))
        for key, expected in topic.config().items():
            if (found := configs[name].get(key)) != expected:
                differences.append(OtherConfig(topic=name, key=key, expected=expected, found=found))
    return differences


def durability(topic: str, copies: int, brokers: int, in_sync: str | None) -> Iterator[Difference]:
    """Yield what is wrong with the copies of a topic.

    Args:
        topic: Its name.
        copies: Replicas of the partition that has the fewest.
        brokers: How many there are.
        in_sync: Its ``min.insync.replicas``, whoever set it.
    """
    if copies < replicas(brokers):
        yield TooFewCopies(topic=topic, expected=replicas(brokers), found=copies)
    least, most = min_in_sync(replicas(copies)), min_in_sync(copies)
    if in_sync is None or not in_sync.isdecimal() or not least <= int(in_sync) <= most:
        yield OtherInSync(topic=topic, least=least, most=most, found=in_sync)


@asynccontextmanager
async def _admin(kafka: KafkaSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(request_timeout_ms=kafka.request_timeout_ms, **kafka.client())
    try:
        try:
            await admin.start()
        except KafkaError as error:
            raise await unreached(kafka.client(), error) from error
        yield admin
    finally:
        await admin.close()


async def _configs(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, dict[str, str | None]]:
    if not names:
        return {}
    answers: list[Any] = await admin.describe_configs(
        [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    )
    configs: dict[str, dict[str, str | None]] = {}
    for answer in answers:
        for code, _message, _kind, name, entries in answer.resources:
            if code == TopicAuthorizationFailedError.errno:
                raise MissingRight(f"DescribeConfigs on topic {name}")
            if code != 0:
                raise EnvironmentFault(f"Kafka does not tell the settings of topic {name}: {for_code(code).__name__}")
            configs[name] = {entry[0]: entry[1] for entry in entries}
    return configs


async def _await_known(admin: AIOKafkaAdminClient, names: Sequence[str]) -> None:
    # The answer to create comes before every broker knows the topic: whoever asks one that does not is told wrong.
    try:
        async with asyncio.timeout(_KNOWN_TIMEOUT_S):
            while not await _is_known(admin, names):  # noqa: ASYNC110 - brokers are asked
                await asyncio.sleep(_POLL_S)
    except TimeoutError as error:
        raise EnvironmentFault(
            f"within {_KNOWN_TIMEOUT_S:.0f} s not every broker knows a leader of each partition of {', '.join(names)}",
            action="see whether all brokers are well; the topics are made, `tricast topics check` compares them",
        ) from error


async def _is_known(admin: AIOKafkaAdminClient, names: Sequence[str]) -> bool:
    """Return whether each broker of the cluster says so; one that is gone for good is none of them after a while."""
    try:
        async with asyncio.timeout(_ANSWER_TIMEOUT_S):
            brokers = [broker["node_id"] for broker in (await admin.describe_cluster())["brokers"]]
            told = await asyncio.gather(*(describe_topics(admin, names, broker) for broker in brokers))
    except (KafkaError, TimeoutError):
        return False
    return all(_is_there(one) and _has_leaders(one) for of_broker in told for one in of_broker)


def _is_there(topic: dict[str, Any]) -> bool:
    return bool(topic["error_code"] == 0)


def _has_leaders(topic: dict[str, Any]) -> bool:
    return all(partition["leader"] >= 0 for partition in topic["partitions"])
