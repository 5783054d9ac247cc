"""Segments: every codec is read; what was aborted, or in no transaction, is named; also on a real broker."""

import struct
import time
from itertools import chain
from pathlib import Path

import cramjam
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import (  # re-exported, as its manual has it
    AdminClient,
    ConfigResource,  # pyright: ignore[reportPrivateImportUsage]
    NewTopic,  # pyright: ignore[reportPrivateImportUsage]
    ResourceType,  # pyright: ignore[reportPrivateImportUsage]
)

from tests.chaos.checker.building import batch
from tests.chaos.checker.cabinet import Cabinet
from tests.chaos.checker.follow import Follower
from tests.chaos.checker.group_offsets import committed, judge_commits
from tests.chaos.checker.logs import judge_partition, partitions
from tests.chaos.checker.segments import UnreadableError, read_batches
from tests.chaos.checker.transactions import follow, judge_output, judge_replicas, judge_seen
from tests.chaos.checker.verdict import Verdict

COMMITTED = batch(0, [b"a", b"b"]) + batch(2, control=1)
ABORTED = batch(3, [b"c"]) + batch(4, control=0)
MORE = batch(5, [b"d"]) + batch(6, control=1)
PLAIN = batch(7, [b"e"], transactional=False, producer=-1)
CODECS = {
    "none": (0, bytes),
    "gzip": (1, lambda body: bytes(cramjam.gzip.compress(body))),
    "snappy": (2, lambda body: bytes(cramjam.snappy.compress_raw(body))),
    "lz4": (3, lambda body: bytes(cramjam.lz4.compress(body))),
    "zstd": (4, lambda body: bytes(cramjam.zstd.compress(body))),
}


@pytest.mark.parametrize(("codec", "pack"), CODECS.values(), ids=CODECS.keys())
def test_each_codec_is_read(codec, pack):
    (read,) = read_batches(batch(40, [b"x", b"y", b"z"], codec=codec, pack=pack), "s")
    assert (read.base, read.last, read.offsets, read.transactional) == (40, 42, (40, 41, 42), True)


def test_transactions_are_followed():
    held = follow(read_batches(COMMITTED + ABORTED + MORE, "s"))
    assert (held.committed, held.aborted, held.open, held.plain) == ([0, 1, 5], [3], {}, [])


def test_transactions_of_two_producers_are_told_apart():
    content = batch(0, producer=1) + batch(1, producer=2) + batch(2, producer=1, control=0) + batch(
        3, producer=2, control=1
    )  # fmt: skip
    held = follow(read_batches(content, "s"))
    assert (held.committed, held.aborted) == ([1], [0])


def test_a_reader_that_saw_what_was_committed_holds():
    verdict = Verdict()
    judge_seen("t/0", follow(read_batches(COMMITTED + ABORTED + MORE, "s")), [0, 1, 5], verdict)
    assert verdict.held


@pytest.mark.parametrize(
    ("seen", "kind"), [([0, 1, 3, 5], "aborted-visible"), ([0, 5], "lost")], ids=["aborted but visible", "not seen"]
)
def test_what_a_reader_saw_too_much_or_too_little_is_named(seen, kind):
    verdict = Verdict()
    judge_seen("t/0", follow(read_batches(COMMITTED + ABORTED + MORE, "s")), seen, verdict)
    assert set(verdict.found) == {kind}


def test_a_record_in_no_transaction_is_named():
    verdict = Verdict()
    judge_output("t/0", follow(read_batches(COMMITTED + ABORTED + MORE + PLAIN, "s")), verdict)
    assert dict(verdict.findings) == {"not-transactional": ["t/0/7"]}


def test_a_transaction_without_an_end_is_named():
    verdict = Verdict()
    judge_output("t/0", follow(read_batches(batch(0), "s")), verdict)
    assert set(verdict.found) == {"unreadable"}


@pytest.mark.parametrize(
    "other", [COMMITTED, COMMITTED + ABORTED + batch(5, [b"D"]) + batch(6, control=1)], ids=["shorter", "other bytes"]
)
def test_replicas_that_differ_are_named(other):
    verdict = Verdict()
    both = {"1": COMMITTED + ABORTED + MORE, "2": other}
    reads = {name: lambda content=content: read_batches(content, "s") for name, content in both.items()}
    judge_replicas("t/0", reads, verdict)
    assert set(verdict.found) == {"lost"}


def test_half_a_batch_is_left_out_at_the_end_and_nowhere_else():
    torn = COMMITTED + MORE[:-3]
    assert len(list(read_batches(torn, "s", may_be_torn=True))) == 3
    with pytest.raises(UnreadableError):
        list(read_batches(torn, "s"))


def committing(base: int, offset: int, *, end: int | None = 1) -> bytes:
    key = struct.pack(">hh1sh3si", 1, 1, b"g", 3, b"p.t", 0)
    batches = batch(base, [key], value=struct.pack(">hq", 3, offset), transactional=end is not None)
    return batches + (batch(base + 1, control=end) if end is not None else b"")


@pytest.mark.parametrize(
    ("content", "kinds"),
    [
        (committing(0, 5) + committing(2, 9), set()),
        (committing(0, 5) + committing(2, 4), {"offset-went-back"}),
        (committing(0, 5) + committing(2, 4, end=0) + committing(4, 5), set()),
        (committing(0, 5, end=None) + committing(1, 4, end=None), {"offset-went-back"}),
    ],
    ids=["rising", "back", "back in an aborted transaction", "back without any"],
)
def test_what_groups_committed(content, kinds):
    verdict = Verdict()
    judge_commits(committed(read_batches(content, "s", whole=True)), "p.", verdict)
    assert set(verdict.found) == kinds
    assert verdict.counts["offset commits"] >= 2


def test_a_real_broker(kafka: str, topic_prefix: str):
    admin = AdminClient({"bootstrap.servers": kafka})
    topic = f"{topic_prefix}kambi.offers"
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(30)
    producer = Producer(
        {"bootstrap.servers": kafka, "transactional.id": f"{topic_prefix}checker", "compression.type": "lz4"}
    )
    producer.init_transactions(30)
    for number, end in enumerate(
        (producer.commit_transaction, producer.abort_transaction, producer.commit_transaction)
    ):
        producer.begin_transaction()
        for part in range(3):
            producer.produce(topic, value=b"v" * 200, key=b"%d-%d" % (number, part), partition=0)
        producer.flush(30)
        end(30)
    cabinet = Cabinet(None)
    follower = Follower(kafka, topic_prefix, cabinet)
    assert follower.finish()
    follower.close()
    seen = list(cabinet.offsets("kambi.offers", 0))
    assert [record.key for record in cabinet.read("kambi.offers")] == [b"0-0", b"0-1", b"0-2", b"2-0", b"2-1", b"2-2"]

    replicas = partitions(_log_folders(admin), topic_prefix)["kambi.offers", 0]
    assert judged(replicas, seen) == {}
    aborted = sorted(set(range(max(seen))) - set(seen))
    assert judged(replicas, sorted(chain(seen, [aborted[1]]))) == {"aborted-visible": 1}
    assert judged(replicas, seen[1:]) == {"lost": 1}
    plain = Producer({"bootstrap.servers": kafka})
    plain.produce(topic, value=b"v", partition=0)
    plain.flush(30)
    _until(lambda: judged(replicas, [*seen, max(seen) + 2]) == {"not-transactional": 1})


def judged(replicas: dict[str, Path], seen: list[int]) -> dict[str, int]:
    verdict = Verdict()
    judge_partition("kambi.offers", 0, replicas, seen, verdict)
    return {str(kind): number for kind, number in verdict.found.items()}


def _log_folders(admin: AdminClient) -> list[Path]:
    (broker,) = admin.list_topics(timeout=30).brokers
    resource = ConfigResource(ResourceType.BROKER, str(broker))
    (config,) = admin.describe_configs([resource]).values()
    entries = config.result(30)
    listed = entries["log.dirs"].value or entries["log.dir"].value
    return [Path(folder) for folder in listed.split(",")]


def _until(holds, patience_s: float = 20.0) -> None:
    deadline = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
