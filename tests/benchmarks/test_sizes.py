"""What docs/sizing.md counts with: whole roads, played through, and batches as brokers keep them."""

from aiokafka.record.default_records import DefaultRecordBatch

from benchmarks import fastpath_frames, road_frames
from benchmarks.sizes import BATCH_BYTES, Road, facts, on_disk, sourced
from processors.core.fastpath.processor import FastpathProcessor
from processors.core.kambi.latest.processor import KambiState
from processors.core.kambi.processor import KambiProcessor


def test_batches_hold_every_byte_once_and_lz4_makes_them_smaller():
    records = [(b"%d" % number, b"%0400d" % number, [("tc-feed", b"kambi")]) for number in range(400)]
    content = sum(len(key) + len(value) + 12 for key, value, _ in records)
    size = on_disk(records)
    assert content < size < content + 400 * 16 + 61 * (content // BATCH_BYTES + 2)
    assert on_disk(records, DefaultRecordBatch.CODEC_LZ4) < size / 5


def test_a_road_comes_to_facts_and_states_without_a_dead_letter():
    kambi = Road(KambiProcessor())
    kambi.play(sourced("kambi.raw", road_frames.frames(200)))
    assert {"kambi.offers", "kambi.health", "changelog"} <= kambi.written.keys()
    states = Road(KambiState())
    states.play(facts(kambi, KambiState.sources))
    fastpath = Road(FastpathProcessor())
    fastpath.play(sourced("fastpath.raw", fastpath_frames.frames(400)))
    assert not [name for road in (kambi, states, fastpath) for name in road.written if name.endswith("dead-letters")]
    entries, memory = states.state()
    assert entries == sum(1 for task in states.tasks.values() for _ in task.store.items())
    assert memory > entries * 100
