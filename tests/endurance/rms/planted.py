"""Looks for planted secrets wherever somebody could read them: files, topics, command lines, what commands print."""

import contextlib
import mmap
import re
import threading
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path

from confluent_kafka import Consumer, KafkaError, TopicPartition

from tests.endurance.fastpath.reader import QUIET


def in_text(secrets: Iterable[str], where: str, text: str) -> Iterator[str]:
    """Yield in words which kind of secret stands in ``text``."""
    return (f"{where} shows a secret ({secret[:4]}…)" for secret in secrets if secret in text)


def in_files(secrets: Iterable[str], folder: Path, *, but: Iterable[Path]) -> Iterator[str]:
    """Yield every file below ``folder`` that holds one; not what lies below the paths ``but``."""
    passed_over = tuple(but)
    any_of = _any_of(secrets)
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.stat().st_size and not any(path.is_relative_to(other) for other in passed_over):
            with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                if any_of.search(content):
                    yield f"file {path.relative_to(folder)} holds a secret"


def in_topics(secrets: Iterable[str], bootstrap: str, prefix: str) -> tuple[int, list[str]]:
    """Return how many records there are in all topics of ``prefix``, uncommitted ones too, and those that hold one."""
    any_of = _any_of(secrets)
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": f"planted-{uuid.uuid4()}",
            "isolation.level": "read_uncommitted",
            "enable.partition.eof": True,
            "enable.auto.commit": False,
            **QUIET,
        }
    )
    topics = consumer.list_topics(timeout=30).topics
    waiting = {
        (name, number) for name, topic in topics.items() if name.startswith(prefix) for number in topic.partitions
    }
    consumer.assign([TopicPartition(name, number, 0) for name, number in sorted(waiting)])
    records, found = 0, []
    while waiting:
        for message in consumer.consume(10_000, 5.0):
            error = message.error()
            if error is not None:
                if error.code() == KafkaError._PARTITION_EOF:
                    waiting.discard((message.topic() or "", message.partition() or 0))
                continue
            records += 1
            parts = [
                message.key() or b"",
                message.value() or b"",
                *(part for pair in message.headers() or () for part in pair),
            ]
            text = b"\0".join(part if isinstance(part, bytes) else str(part or "").encode() for part in parts)
            if any_of.search(text):
                found.append(f"{message.topic()}/{message.partition()}/{message.offset()} holds a secret")
    consumer.close()
    return records, found


def _any_of(secrets: Iterable[str]) -> re.Pattern[bytes]:
    return re.compile(b"|".join(re.escape(secret.encode()) for secret in secrets))


class CommandLines(threading.Thread):
    """Watches the command lines of all processes of this machine until told to quit.

    Args:
        secrets: What must not stand in one; may grow.

    Attributes:
        looks: How often it looked.
        found: In words, where one stood.
    """

    def __init__(self, secrets: set[str]) -> None:
        super().__init__(daemon=True, name="command-lines")
        self._secrets = secrets
        self.quit = threading.Event()
        self.looks = 0
        self.found: set[str] = set()

    def run(self) -> None:
        while not self.quit.wait(0.5):
            self.looks += 1
            secrets = [secret.encode() for secret in tuple(self._secrets)]
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(OSError):
                    line = path.read_bytes()
                    if any(secret in line for secret in secrets):
                        self.found.add(f"the command line of process {path.parent.name} shows a secret")
