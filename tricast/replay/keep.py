"""Keep what a replay writes: as JSON lines in a folder, or in topics under another prefix."""

import base64
import json
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import IO, Any, Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from schemas.errors import ConfigurationError, EnvironmentFault
from schemas.kafka import KafkaSettings
from schemas.topics import Topic
from tricast.audit.spans import Kafka
from tricast.kafka import topics as real_topics
from tricast.replay.written import Written


class Keep(Protocol):
    """Takes what is written, in the order of each task."""

    async def take(self, written: Sequence[Written]) -> None:
        """Keep records."""


@contextmanager
def into_folder(folder: Path) -> Iterator[Keep]:
    """Keep records in ``folder``, one file a topic, one JSON object a line.

    Raises:
        ConfigurationError: There is something in the folder: two runs in one file would look like one.
        EnvironmentFault: It cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigurationError(f"{folder} is not an empty folder", action="name a new one")
    keep = _Folder(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield keep
    except OSError as error:
        raise EnvironmentFault(f"cannot write to {folder}: {error.strerror}") from error
    finally:
        keep.close()


class _Folder:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, IO[str]] = {}

    async def take(self, written: Sequence[Written]) -> None:
        for record in written:
            file = self._files.get(record.topic)
            if file is None:
                path = self._folder / f"{record.topic}.jsonl"
                file = self._files[record.topic] = path.open("w", encoding="utf-8")
            file.write(json.dumps(to_json(record)) + "\n")

    def close(self) -> None:
        for file in self._files.values():
            file.close()


def to_json(record: Written) -> dict[str, Any]:
    """Return a record as JSON: bytes as text where they are UTF-8, else as ``{"base64": …}``."""
    return {
        "topic": record.topic,
        "partition": record.partition,
        "timestamp_ms": record.timestamp,
        "key": _json_bytes(record.key),
        "headers": [[name, _json_bytes(value)] for name, value in record.headers],
        "value": _json_bytes(record.value),
    }


def _json_bytes(value: bytes | None) -> str | dict[str, str] | None:
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}


@asynccontextmanager
async def into_topics(kafka: KafkaSettings, prefix: str, topics: Iterable[Topic]) -> AsyncIterator[Keep]:
    """Keep records in ``topics`` under ``prefix``, which are made when they are not there.

    Raises:
        ConfigurationError: Topics of that prefix hold records already.
        EnvironmentFault: Kafka cannot be reached.
    """
    wanted = {topic.name: topic for topic in topics}
    await real_topics.create(wanted.values(), prefix, kafka)
    await _refuse_used(Kafka(kafka.client(), timeout_s=30), prefix, sorted(wanted))
    producer = AIOKafkaProducer(**kafka.client(), acks="all", enable_idempotence=True, max_request_size=2**24)
    try:
        await producer.start()
        yield _Topics(producer, prefix)
        await producer.flush()
    except KafkaError as error:
        raise EnvironmentFault(
            f"cannot write topics {prefix}…: {error!r}", action="remove them, and try again with another prefix"
        ) from error
    finally:
        await producer.stop()


async def _refuse_used(kafka: Kafka, prefix: str, names: Iterable[str]) -> None:
    for name in names:
        spans = await kafka.spans(await kafka.partitions(prefix + name))
        if any(end > 0 for _, end in spans.values()):
            raise ConfigurationError(f"topic {prefix}{name} holds records already", action="name another prefix")


class _Topics:
    def __init__(self, producer: AIOKafkaProducer, prefix: str) -> None:
        self._producer = producer
        self._prefix = prefix

    async def take(self, written: Sequence[Written]) -> None:
        futures = [
            await self._producer.send(
                self._prefix + record.topic,
                record.value,
                key=record.key,
                partition=record.partition,
                timestamp_ms=record.timestamp,
                headers=list(record.headers),
            )
            for record in written
        ]
        for future in futures:  # at most a batch of source records is on its way
            await future
