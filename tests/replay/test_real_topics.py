"""A replay over what a real worker left in a real Kafka."""

import contextlib
import json
import os
import subprocess
import sys
import time

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition

from processors.core.kambi.processor import KambiProcessor
from schemas.errors import ConfigurationError
from schemas.kafka import KafkaSettings
from schemas.topics import TOPICS
from tests.replay.frames import Careless, frames
from tricast.audit.scratch import scratch_database
from tricast.audit.spans import Kafka
from tricast.kafka import topics
from tricast.replay.extent import Scope
from tricast.replay.keep import into_folder, into_topics
from tricast.replay.memory import Memory
from tricast.replay.run import replay

pytestmark = pytest.mark.kafka

FRAMES = 60
NAMES = [name for name in TOPICS if "kambi" in name]


async def write(servers, prefix, records):
    producer = AIOKafkaProducer(bootstrap_servers=servers)
    await producer.start()
    for row in records:
        where = {"partition": row.partition, "timestamp_ms": row.timestamp}
        await producer.send_and_wait(row.topic, row.value, key=row.key, headers=list(row.headers), **where)
    await producer.stop()


@contextlib.contextmanager
def worker(servers, prefix, folder):
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("TRICAST_")}
    settings = {
        "TRICAST_KAFKA__BOOTSTRAP_SERVERS": servers,
        "TRICAST_TOPIC_PREFIX": prefix,
        "TRICAST_ENGINE__SESSION_TIMEOUT_S": "6",
        "TRICAST_ENGINE__HEARTBEAT_INTERVAL_S": "0.5",
        "TRICAST_ENGINE__WORKER_NAME": "w0",
    }
    with (folder / "worker.log").open("ab") as log:
        command = [sys.executable, "-m", "tricast", "work-one", "kambi"]
        process = subprocess.Popen(command, cwd=folder, env=inherited | settings, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def test_what_a_worker_wrote_comes_out_again(kafka, topic_prefix, tmp_path):
    raw = topic_prefix + "kambi.raw"
    settings = KafkaSettings(bootstrap_servers=kafka)
    await topics.create([TOPICS[name] for name in NAMES], topic_prefix, settings)
    start_ms = int(time.time() * 1000) - 20_000  # the broker removes what is older than retention
    records = list(frames(FRAMES, topic=raw, start_ms=start_ms))
    reader = Kafka(settings.client(), timeout_s=60)
    group, partition = topic_prefix + "kambi", TopicPartition(raw, 0)
    await write(kafka, topic_prefix, records)
    with worker(kafka, topic_prefix, tmp_path):
        assert await reader.wait_committed(group, {partition: FRAMES}) == {partition: FRAMES}

    async def replayed(processor=None, keep=None, from_ms=None, to_ms=None):
        scope = Scope(
            prefix=topic_prefix,
            processors=[processor or KambiProcessor()],
            memories={"kambi": Memory(0, "")},
            version="0",
            from_ms=from_ms,
            to_ms=to_ms or start_ms + 3_600_000,
            shown=3,
        )
        with scratch_database() as database:
            return await replay(reader, scope, database, lambda *_: None, keep)

    with into_folder(tmp_path / "kept") as keep:
        report = await replayed(keep=keep)
    assert report.equal, report.to_json()
    assert report.records == FRAMES
    assert {task.state for task in report.tasks} == {"equal", "there is none"}
    assert report.totals()["equal"] > 3 * (FRAMES - 3)
    kept = [json.loads(line) for path in (tmp_path / "kept").iterdir() for line in path.open()]
    assert len(kept) == report.totals()["equal"]
    with pytest.raises(ConfigurationError), into_folder(tmp_path / "kept"):
        pass

    report = await replayed(from_ms=start_ms + 1000, to_ms=start_ms + 2000)
    assert report.equal, report.to_json()
    assert (report.records, report.around_records) == (10, FRAMES - 10)

    again = f"{topic_prefix}again."
    async with into_topics(
        settings, again, [TOPICS[name] for name in ("kambi.offers", "kambi.health", "kambi.dead-letters")]
    ) as keep:
        report = await replayed(Careless(), keep)
    assert not report.equal
    said = json.dumps(report.to_json())
    assert "value.outcomes[0].odds_thousandths: 9" in said
    assert "kambi.bad-element" in said
    spans = await reader.spans(await reader.partitions(again + "kambi.offers"))
    assert sum(end - begin for begin, end in spans.values()) == 2 * (FRAMES - 2)
    with pytest.raises(ConfigurationError):
        async with into_topics(settings, again, [TOPICS[name] for name in ("kambi.offers",)]):
            pass
