"""Workers as processes on a real Kafka, seen by a ``read_committed`` reader that shares no code with the engine."""

import json
import signal
import time

import pytest
from confluent_kafka import Producer

from tests.engine.lab import (
    CHANGELOG,
    DEAD,
    OUT,
    RAW,
    exit_code,
    expect_clean,
    frame,
    stamps,
    stop,
    until,
)
from tests.faults.harness import PARTITIONS, Feeder, Judge

pytestmark = pytest.mark.kafka

SHORT = {"session_timeout_s": 4.0}
"""Where a test waits for a session to end; elsewhere a busy machine is given the longer one."""


def letters(records):
    return [
        (dict(record.headers())["tc-code"].decode(), dict(record.headers())["tc-source"].decode()) for record in records
    ]


def more_outputs(judge, number, fleet):
    wanted = len(judge.arrived) + number
    until(lambda: len(judge.arrived) >= wanted, f"{number} more records' outputs", fleet.logs)


# The happy path and restarts.


def test_state_goes_on_where_the_last_worker_left_it(lab):
    lab.feed(range(40))
    expect_clean(lab.work_off(80), range(40), 2)
    lab.feed(range(40, 60))
    expect_clean(lab.work_off(120), range(60), 2)
    assert lab.committed() == dict.fromkeys(range(PARTITIONS), 15)


def test_sigterm_under_load_exits_0_and_hands_over_at_once(lab):
    fleet = lab.workers(2, session_timeout_s=30.0, heartbeat_interval_s=1.0)
    feeder, judge = Feeder(lab.bootstrap, lab.prefix, 100), Judge(lab.bootstrap, lab.prefix)
    feeder.start()
    judge.start()
    lab.wait_for_members(2)
    until(lambda: len(judge.arrived) > 200, "outputs", fleet.logs)
    assert stop(fleet) == 0, fleet.logs()
    assert len(lab.members()) == 1, fleet.logs()
    lasts = len(judge.arrived)
    until(lambda: len(judge.arrived) > lasts + 400, "the other worker's outputs", fleet.logs, seconds=15)
    feeder.finish()
    verdict = judge.close(feeder, patience_s=15, settle_s=1)
    assert verdict.clean, f"{verdict.line()} {verdict.examples}\n{fleet.logs()[-4000:]}"


def test_a_killed_worker_is_replaced_by_another_under_another_name(lab):
    """The dead owner's open transaction is fenced by its id in the checkpoint, long before its time-out."""
    fleet = lab.workers(2, transaction_timeout_s=60.0, **SHORT)
    feeder, judge = Feeder(lab.bootstrap, lab.prefix, 100), Judge(lab.bootstrap, lab.prefix)
    feeder.start()
    judge.start()
    lab.wait_for_members(2)
    for number in range(3):
        more_outputs(judge, 100, fleet)
        slot = number % 2
        fleet.signal(slot, signal.SIGKILL)
        assert exit_code(fleet, slot) == -signal.SIGKILL
        fleet.start(slot, f"again{number}")
    feeder.finish()
    verdict = judge.close(feeder, patience_s=25, settle_s=1)
    assert verdict.clean, f"{verdict.line()} {verdict.examples}\n{fleet.logs()[-4000:]}"


# Fencing.


def test_a_worker_stopped_beyond_its_session_writes_nothing_when_it_wakes(lab):
    fleet = lab.workers(2, **SHORT)
    feeder, judge = Feeder(lab.bootstrap, lab.prefix, 150), Judge(lab.bootstrap, lab.prefix)
    feeder.start()
    judge.start()
    lab.wait_for_members(2)
    for slot in (0, 1):
        more_outputs(judge, 200, fleet)
        fleet.pause(slot, 5.5)  # longer than the session, shorter than the transaction time-out
        fleet.tend()

    def both_are_members():
        fleet.tend()  # a fenced worker ends some time after it woke
        return len(lab.members()) == 2

    until(both_are_members, "two members", fleet.logs)
    feeder.finish()
    verdict = judge.close(feeder, patience_s=40, settle_s=2, tend=fleet.tend)
    assert verdict.clean, f"{verdict.line()} {verdict.examples}\n{fleet.logs()[-4000:]}"


def test_a_worker_that_wakes_with_a_cycle_in_hand_cannot_commit_it(lab, tmp_path):
    """Its first cycle: no checkpoint names it, so nobody fenced its id; the generation alone must stop it.

    It stops with outputs and a dead letter computed, wakes when its task is somebody else's, learns from its
    heartbeats that it is out of the group, and goes on to write.
    """
    lab.write(frame(0, [("a", "poison")]))
    lab.write(frame(1, [("a", f"stop-once:{tmp_path / 'stopped'}"), ("b", "x")]))
    lab.write(frame(2, [("a", "x")]))
    lab.flush()
    fleet = lab.workers(1, **SHORT)
    until((tmp_path / "stopped").exists, "the stop", fleet.logs)
    fleet.processes.append(None)
    fleet.start(1)
    expect_clean_of(lab.outputs(3))
    fleet.signal(0, signal.SIGCONT)
    until(lambda: fleet.processes[0].poll() is not None or len(lab.read(OUT)) > 3, "an end or a mistake", fleet.logs)
    expect_clean_of(lab.outputs(3))
    assert exit_code(fleet, 0) == 70, fleet.logs()
    assert "ILLEGAL_GENERATION" in fleet.logs() or "UNKNOWN_MEMBER_ID" in fleet.logs()
    expect_clean_of(lab.outputs(3))
    assert len(lab.read(DEAD)) == 1
    assert stop(fleet, 1) == 0
    lab.write(frame(3, [("a", "x")]))
    lab.flush()
    assert [output["nth"] for output in lab.work_off(4) if output["key"] == "a"] == [0, 1, 2]


def expect_clean_of(outputs):
    assert sorted((output["id"], output["index"], output["nth"]) for output in outputs) == [
        (1, 0, 0),
        (1, 1, 0),
        (2, 0, 1),
    ]


def test_a_cycle_whose_output_the_broker_refuses_leaves_nothing(lab):
    entry = {"max.message.bytes": "100000"}
    lab.recreate(OUT, **entry)
    lab.feed(range(4))
    expect_clean(lab.work_off(8), range(4), 2)
    before = len(lab.read(CHANGELOG))
    lab.write(frame(4, [("a", "x"), ("b", "x" * 300_000)]))
    lab.flush()
    code, log = lab.run_to_exit()
    assert code == 70, log
    assert "MessageSizeTooLarge" in log
    assert [len(lab.read(OUT)), len(lab.read(CHANGELOG))] == [8, before]
    assert lab.committed() == dict.fromkeys(range(PARTITIONS), 1)


def test_two_living_workers_of_one_name_one_ends_with_78_and_nothing_is_lost_or_doubled(lab):
    fleet = lab.workers(1, **SHORT)
    feeder, judge = Feeder(lab.bootstrap, lab.prefix, 50), Judge(lab.bootstrap, lab.prefix)
    feeder.start()
    judge.start()
    until(lambda: len(judge.arrived) > 50, "outputs", fleet.logs)
    fleet.processes.append(None)
    fleet.start(1, "w0")
    until(lambda: any(process.poll() is not None for process in fleet.processes), "one to end", fleet.logs)
    feeder.finish()
    verdict = judge.close(feeder, patience_s=40, settle_s=1)
    codes = [process.poll() for process in fleet.processes]
    assert sorted(codes, key=str) == [78, None], f"{codes}\n{fleet.logs()}"
    assert "worker.name_taken name=w0" in fleet.logs()
    assert verdict.clean, f"{verdict.line()} {verdict.examples}\n{fleet.logs()[-4000:]}"


# Records that fail.


def test_a_poison_record_is_dead_lettered_alone(lab):
    lab.feed(range(4), kids=[("a", "x")])
    for number in (4, 5):
        lab.write(frame(number, [("a", "x"), ("new", "x"), ("b", "poison" if number == 4 else "x")]), partition=0)
    lab.write(b"not json", partition=0, headers=stamps(1))
    lab.flush()
    outputs = lab.work_off(7)
    place = [(o["id"], o["index"], o["key"], o["nth"]) for o in outputs if o["partition"] == 0]
    assert sorted(place) == [(0, 0, "a", 0), (5, 0, "a", 1), (5, 1, "new", 0), (5, 2, "b", 0)]
    source = f"{lab.prefix}{RAW}/0/"
    dead = lab.read(DEAD)
    assert letters(dead) == [("processor-error", source + "1"), ("processor-error", source + "3")]
    assert [record.value() for record in dead][1] == b"not json"
    assert dict(dead[1].headers())["tc-version"] == b"test"
    assert dict(dead[1].headers())["tc-frame"] == b"1"


def test_above_the_stop_ratio_it_exits_70_and_nothing_of_that_cycle_is_visible(lab):
    for number in range(30):
        lab.write(frame(number, [("a", "x")]))
        lab.write(frame(number, [("a", "poison")]))
    lab.flush()
    code, log = lab.run_to_exit(dead_letter_window=20, dead_letter_stop_ratio=0.3)
    assert code == 70, log
    assert "7 of the last 20 records failed" in log
    assert [len(lab.read(name)) for name in (OUT, DEAD, CHANGELOG)] == [0, 0, 0]
    assert lab.committed() == {}


def test_dead_letters_of_an_aborted_cycle_are_not_visible_and_come_once_later(lab):
    """The letter goes with its record's transaction: a cycle that fails after it leaves none."""
    lab.write(frame(0, [("a", "poison")]))
    for number in range(1, 12):
        lab.write(frame(number, [("a", "poison")]))
    lab.flush()
    code, _ = lab.run_to_exit(dead_letter_window=20, dead_letter_stop_ratio=0.5)
    assert code == 70
    fleet = lab.workers(dead_letter_window=1000)
    records = lab.wait_for(DEAD, 12)
    assert stop(fleet) == 0, fleet.logs()
    assert letters(records) == [("processor-error", f"{lab.prefix}{RAW}/0/{offset}") for offset in range(12)]


# Repeats and holes.


def test_repeats_are_dropped_and_holes_told_over_a_restart(lab):
    def write(numbers, first_id):
        for number, frame_number in enumerate(numbers, first_id):
            lab.write(frame(number, [("a", "x")]), headers=stamps(frame_number))
        lab.flush()

    write([1, 2, 2, 3], 0)
    outputs = lab.work_off(3)
    write([1, 3, 2, 4, 7, 7, 5, 8], 10)
    outputs = lab.work_off(6)
    assert [(output["id"], output["nth"]) for output in outputs] == [(0, 0), (1, 1), (3, 2), (13, 3), (14, 4), (17, 5)]
    (hole,) = lab.read(DEAD)
    assert (dict(hole.headers())["tc-code"], dict(hole.headers())["tc-detail"]) == (b"toy.hole", b"5-6")
    assert lab.committed() == {0: 12}


# What may stand in a source topic.


def test_a_source_with_transactions_gives_exactly_its_committed_records(lab):
    def transactional(name):
        producer = Producer({"bootstrap.servers": lab.bootstrap, "transactional.id": lab.prefix + name})
        producer.init_transactions(30)
        return producer

    def transaction(producer, ids, *, commit):
        producer.begin_transaction()
        for number in ids:
            producer.produce(lab.prefix + RAW, frame(number, [("a", "x"), ("b", "y")]), partition=number % PARTITIONS)
        producer.flush(30)
        (producer.commit_transaction if commit else producer.abort_transaction)(30)

    producer = transactional("feeder")
    good: list[int] = []
    for first in range(0, 100, 20):
        transaction(producer, range(first, first + 10), commit=True)
        transaction(producer, range(first + 10, first + 20), commit=False)
        good += range(first, first + 10)
    expect_clean(lab.work_off(2 * len(good)), good, 2)
    fleet = lab.workers()
    for first in range(100, 140, 20):
        transaction(producer, range(first + 10, first + 20), commit=False)
        transaction(producer, range(first, first + 10), commit=True)
        good += range(first, first + 10)
    expect_clean(lab.outputs(2 * len(good)), good, 2)
    hanging = transactional("hanging")
    hanging.begin_transaction()
    hanging.produce(lab.prefix + RAW, frame(900, [("a", "x")]), partition=0)
    hanging.flush(30)
    lab.feed(range(140, 144))
    good += range(141, 144)
    expect_clean(lab.outputs(2 * len(good)), good, 2)
    hanging.abort_transaction(30)
    good.append(140)
    expect_clean(lab.outputs(2 * len(good)), sorted(good), 2)
    assert stop(fleet) == 0, fleet.logs()


def test_a_record_of_7_mib_passes(lab):
    lab.allow_large()
    lab.write(frame(0, [("a", "x" * 7 * 1024 * 1024)]))
    lab.write(frame(1, [("a", "y")]))
    lab.flush()
    outputs = lab.work_off(2)
    assert [(output["id"], output["nth"], len(output["text"])) for output in outputs] == [
        (0, 0, 7 * 1024 * 1024),
        (1, 1, 1),
    ]


def test_an_output_beyond_its_topics_limit_is_a_dead_letter_of_its_source(lab):
    lab.allow_large()
    lab.write(frame(0, [("a", "x"), ("b", "x" * (8 * 1024 * 1024 - 60_000)), ("a", "x")]))
    lab.write(frame(1, [("a", "y")]))
    lab.flush()
    outputs = lab.work_off(3)
    assert [(output["id"], output["key"], output["nth"]) for output in outputs] == [
        (0, "a", 0),
        (0, "a", 1),
        (1, "a", 2),
    ]
    assert letters(lab.wait_for(DEAD, 1)) == [("output-too-large", f"{lab.prefix}{RAW}/0/0")]


def test_ten_thousand_outputs_of_one_record_are_one_transaction(lab):
    lab.write(frame(0, [(f"k{index % 1000}", "x" * 50) for index in range(10_000)]))
    lab.flush()
    expect_clean(lab.work_off(10_000), [0], 10_000)


def test_a_checkpoint_names_its_writer(lab):
    lab.feed(range(4))
    lab.work_off(8)
    checkpoints = [json.loads(record.value()) for record in lab.read(CHANGELOG) if record.key() == b"@"]
    assert sorted(found["partition"] for found in checkpoints) == [0, 1, 2, 3]
    for found in checkpoints:
        assert (found["group"], found["owner"], found["offset"]) == (lab.group, f"{lab.group}-w0", 1)
        assert found["member"].startswith(f"{lab.group}-w0-")


def test_the_changelog_is_read_committed_only(lab):
    """State of an aborted transaction must not be restored."""
    lab.feed(range(8))
    lab.work_off(16)
    stranger = Producer({"bootstrap.servers": lab.bootstrap, "transactional.id": lab.prefix + "torn"})
    stranger.init_transactions(30)
    stranger.begin_transaction()
    for partition in range(PARTITIONS):
        stranger.produce(lab.prefix + CHANGELOG, b"77", key=b"s|a", partition=partition)
    stranger.flush(30)
    stranger.abort_transaction(30)
    lab.feed(range(8, 16))
    expect_clean(lab.work_off(32), range(16), 2)


def test_an_idle_worker_stops_at_once(lab):
    fleet = lab.workers()
    lab.wait_for_members(1)
    began = time.monotonic()
    assert stop(fleet) == 0, fleet.logs()
    assert time.monotonic() - began < 10
    assert lab.members() == []
