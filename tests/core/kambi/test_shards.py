"""Each task speaks of its own events only, and of each child exactly one task speaks."""

import json
from typing import Any

import pytest

from processors.core.kambi.control import Tick
from processors.core.kambi.processor import KambiProcessor
from processors.core.kambi.shards import learn_share, share_of_task
from processors.engine.store import MemoryStore
from schemas.kambi.codes import Code, Count
from schemas.topics import KAMBI_SETTLEMENTS_PARTITION, kambi_partition, kambi_shard
from tests.core.driver import Driver
from tests.core.kambi.frames import frame
from tests.core.kambi.raw_lines import SNAPSHOT_LINE, Lines
from tests.core.kambi.tasks import START_MS, added, gone, message, odds, removed, status

SHARDS = 4
T = START_MS
MS_NS = 1_000_000


class Shards:
    """The tasks of all shards and of the settlements, fed as the connector does."""

    def __init__(self, shards: int = SHARDS) -> None:
        self.tasks = [Driver(KambiProcessor(), stream_time_ns=T * MS_NS) for _ in range(shards)]
        for shard, task in enumerate(self.tasks):
            for kind in ("general", "events-0"):
                opened = {"shard": shard, "shards": shards, "url": "", "keys": [], "previous_connection": None}
                task.feed(
                    json.dumps(opened).encode(),
                    kind="opened",
                    line=f"kambi-{shard}-{kind}",
                    partition=kambi_partition(shard),
                )
            task.outputs.clear()

    def general(self, *children: str) -> list[tuple[int, str]]:
        """Deliver to every shard, as general lines do; return (shard, ce_id's index) of what came out."""
        found = []
        for shard, task in enumerate(self.tasks):
            before = len(task.outputs)
            task.feed(frame(*children), line=f"kambi-{shard}-general", partition=kambi_partition(shard))
            found += [(shard, output.header("ce_id").rpartition("/")[2]) for output in task.outputs[before:]]
        return found

    def own(self, shard: int, *children: str) -> list[dict[str, Any]]:
        """Deliver on an event line of one shard; return the values that came out."""
        task = self.tasks[shard]
        before = len(task.outputs)
        task.feed(frame(*children), line=f"kambi-{shard}-events-0", partition=kambi_partition(shard))
        return [json.loads(output.value) for output in task.outputs[before:]]

    @property
    def dead(self) -> list[tuple[int, str, int | None]]:
        return [(shard, dead.code, dead.index) for shard, task in enumerate(self.tasks) for dead in task.dead_letters]


@pytest.mark.parametrize("shards", [1, 2, 3, 4, 7])
def test_each_child_has_one_claimant_and_keeps_its_index(shards: int):
    children = [odds(T, (number, 1500), offer=number, event=number) for number in range(20, 40)]
    # Two candidates, so that what comes behind it shows whether a skipped child takes its indices.
    opened = {"event": {"id": 41}, "mainBetOffer": {"id": 41, "outcomes": []}}
    children += [message(5, "leo", opened, T), odds(T, (50, 1500), offer=50, event=50)]
    found = Shards(shards).general(*children)
    events = [*range(20, 40), 41, 41, 50]
    assert sorted((int(index), shard) for shard, index in found) == [
        (index, event % shards) for index, event in enumerate(events)
    ]


def test_foreign_children_are_counted():
    shards = Shards()
    shards.general(odds(T, (1, 1500), offer=1, event=5))
    assert [task.counts[Count.FOREIGN_EVENT] for task in shards.tasks] == [1, 0, 1, 1]


def test_line_that_never_said_passes_nothing_over():
    task = Driver(KambiProcessor())
    task.feed(frame(odds(T, (1, 1500), event=5), odds(T, (1, 1500), event=6)), line="kambi-3-general", partition=3)
    assert len(task.outputs) == 2


def test_tick_says_the_number_of_shards_to_snapshots_only():
    task = Driver(KambiProcessor(), stream_time_ns=T * MS_NS)
    task.feed(b'{"shards":4}', kind="tick", line="kambi-1-general", partition=1)
    task.feed(frame(odds(T, (1, 1500), event=5), odds(T, (1, 1500), event=6)), line="kambi-1-general", partition=1)
    assert [json.loads(output.value)["event_id"] for output in task.outputs] == [5, 6]
    body = {"liveEvents": [{"event": {"id": number, "state": "STARTED"}} for number in (9, 10)]}
    task.feed(
        json.dumps(body).encode(),
        kind="snapshot",
        line="kambi-1-snapshots",
        partition=1,
        position="event/live/open.json",
        requested_ns=(T + 5_000) * MS_NS,
        status=200,
    )
    assert [json.loads(output.value)["event_id"] for output in task.outputs[2:]] == [9]


def test_change_of_shards_holds_from_the_record_that_says_it():
    shards = Shards(2)
    task = shards.tasks[1]
    assert len(shards.own(1, odds(T, (1, 1500), event=5), odds(T, (1, 1500), event=7))) == 2
    task.feed(b'{"shard":1,"shards":4}', kind="opened", line="kambi-1-events-0", connection="c-2", partition=1)
    after = shards.own(1, odds(T + 1, (1, 1500), event=5), odds(T + 1, (1, 1500), event=7))
    assert [value["event_id"] for value in after] == [5]


def test_removed_offer_without_event_goes_to_who_knows_it():
    shards = Shards()
    shards.general(added(T, (1, 1500), offer=90, event=5))
    found = shards.general(removed(T + 1, 90, None))
    assert found == [(1, "0")]
    assert shards.dead == []
    (value,) = (json.loads(output.value) for output in shards.tasks[1].outputs[-1:])
    assert (value["event_id"], value["offer_id"]) == (5, 90)


@pytest.mark.parametrize(
    "teach",
    [added(T, (1, 1500), offer=90, event=5), status(T, offer=90, event=5), odds(T, (1, 1500), offer=90, event=5)],
    ids=["boa", "bosu", "boou"],
)
def test_shards_learn_places_from_general_lines(teach: str):
    """90 % 4 == 2: shard 2 would dead-letter what it does not know to be another's."""
    shards = Shards()
    shards.general(teach)
    shards.general(removed(T + 1, 90, None))
    assert shards.dead == []


def test_removed_offer_that_nobody_knows_is_one_dead_letter_of_its_home_shard():
    shards = Shards()
    assert shards.general(odds(T, (1, 1500), event=5), removed(T, 91, None)) == [(1, "0")]
    assert shards.dead == [(3, Code.NO_EVENT_ID, 1)]


def test_on_an_event_line_nobody_else_reads_it_so_it_is_a_dead_letter_there():
    shards = Shards()
    shards.own(0, removed(T, 91, None))
    assert shards.dead == [(0, Code.NO_EVENT_ID, 0)]


def test_copy_with_and_without_event_are_one_fact():
    shards = Shards()
    shards.general(added(T, (1, 1500), offer=90, event=5))
    assert len(shards.own(1, removed(T + 1, 90, 5))) == 1
    assert shards.general(removed(T + 1, 90, None)) == []


def test_place_of_an_offer_outlives_its_event():
    shards = Shards()
    shards.general(added(T, (1, 1500), offer=90, event=5), gone(T + 1, event=5))
    assert shards.general(removed(T, 90, None)) == [(1, "0")]
    assert json.loads(shards.tasks[1].outputs[-1].value)["late"] is True


def test_snapshot_of_foreign_events_is_passed_over():
    shards = Shards()
    body = {"liveEvents": [{"event": {"id": number, "state": "STARTED"}} for number in range(4, 12)]}
    for shard, task in enumerate(shards.tasks):
        task.feed(
            json.dumps(body).encode(),
            kind="snapshot",
            line=f"kambi-{shard}-snapshots",
            partition=shard,
            position="event/live/open.json",
            requested_ns=(T + 5_000) * MS_NS,
            status=200,
        )
        events = [output for output in task.outputs if output.topic == "kambi.events"]
        assert [json.loads(output.value)["event_id"] % SHARDS for output in events] == [shard, shard]
        assert task.counts[Count.FOREIGN_EVENT] == 6


# Settlements: a partition of their own, where nothing is passed over.


def settled(t: int, *outcomes: dict[str, Any]) -> str:
    return message(24, "os", {"outcomes": list(outcomes)}, t)


def test_settlements_are_keyed_by_outcome_and_pass_nothing_over():
    task = Driver(KambiProcessor())
    opened = b'{"shard":0,"shards":1,"url":"","keys":[],"previous_connection":null}'
    task.feed(opened, kind="opened", line="kambi-settlements", partition=4)
    task.feed(b'{"shards":1}', kind="tick", line="kambi-settlements", partition=4)
    task.outputs.clear()
    child = settled(T, {"id": 1, "eventId": 5}, {"id": 2, "eventId": 6, "betOfferId": 3}, {"id": 2**62})
    task.feed(frame(child), line="kambi-settlements", partition=4)
    task.feed(frame(child), line="kambi-settlements.b", partition=4)
    assert [(output.topic, output.key) for output in task.outputs] == [
        ("kambi.settlements", b"1"),
        ("kambi.settlements", b"2"),
        ("kambi.settlements", b"%d" % 2**62),
    ]
    assert "event_id" not in json.loads(task.outputs[2].value)


def test_settlement_gets_the_event_of_an_offer_that_is_known_and_is_one_fact_all_the_same():
    task = Driver(KambiProcessor(), stream_time_ns=T * MS_NS)
    task.feed(frame(settled(T, {"id": 1, "betOfferId": 90})), line="kambi-settlements")
    task.feed(frame(added(T, (1, 1500), offer=90, event=5)))
    task.feed(frame(settled(T, {"id": 1, "betOfferId": 90})), line="kambi-settlements.b")
    task.feed(frame(settled(T, {"id": 2, "betOfferId": 90})), line="kambi-settlements.b")
    values = [json.loads(output.value) for output in task.outputs if output.topic == "kambi.settlements"]
    assert [(value["outcome_id"], value.get("event_id")) for value in values] == [(1, None), (2, 5)]


def test_a_snapshot_before_any_line_has_opened_is_taken_for_the_own_events_alone():
    """Push may be refused for long while lists come; the connector says the number of shards before the first."""
    lines = Lines(shards=2)
    lines.record("tick", SNAPSHOT_LINE, {"shards": 2})
    lines.live_open([10, 11, 12])
    opened = [output for output in lines.driver.outputs if output.header("ce_type").endswith(".event.opened.v1")]
    assert [json.loads(output.value)["event_id"] for output in opened] == [10, 12]
    assert not [output for output in lines.driver.outputs if b"snapshots" in (output.key or b"")], "no line of push"


def test_shards_grow_past_the_partition_of_settlements():
    partitions = [kambi_partition(shard) for shard in range(7)]
    assert partitions == [0, 1, 2, 3, 5, 6, 7]
    assert [kambi_shard(partition) for partition in partitions] == list(range(7))
    assert kambi_shard(KAMBI_SETTLEMENTS_PARTITION) is None


@pytest.mark.parametrize(("partition", "own"), [(3, {3, 10}), (5, {4, 11}), (KAMBI_SETTLEMENTS_PARTITION, set())])
def test_a_tick_alone_tells_the_shard_of_its_partition(partition: int, own: set[int]):
    store = MemoryStore()
    learn_share(Tick(shards=7), "kambi-snapshots", partition=partition, store=store)
    share = share_of_task(store)
    assert {event for event in range(14) if share.shards > 1 and share.holds(event)} == own
