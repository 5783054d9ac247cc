"""Rates, histories, lag and what is held back, from looks."""

from typing import Any

from tests.monitor.looks import NOW_MS, group_look, look, partition_look
from tricast.monitor.chart import Chart, Processor, feed_of, kind_of
from tricast.monitor.picture import HISTORY, NOT_VISIBLE, GroupPartition

RAW, OFFERS = "tricast.kambi.raw", "tricast.kambi.offers"
KAMBI = Processor(group="tricast.kambi", sources=[RAW], outputs=[OFFERS])


def chart() -> Chart:
    return Chart("tricast.", [KAMBI])


def test_rates_are_taken_over_the_last_samples_and_the_history_from_one_to_the_next():
    drawn = chart()
    topics: Any = ()
    for second, end in enumerate((0, 10, 20, 30, 40, 50, 150)):
        topics, _, _ = drawn.add(look(NOW_MS + second * 1000, partitions={(RAW, 0): partition_look(end)}))
    assert topics[0].rate == 140 / 5
    assert topics[0].history == (10.0, 10.0, 10.0, 10.0, 10.0, 100.0)


def test_the_history_is_bounded_and_a_topic_made_anew_has_no_negative_rate():
    drawn = chart()
    topics: Any = ()
    for second in range(HISTORY + 10):
        topics, _, _ = drawn.add(look(NOW_MS + second * 1000, partitions={(RAW, 0): partition_look(1000 - second)}))
    assert topics[0].history == (0.0,) * HISTORY


def test_lag_is_end_minus_committed_and_its_seconds_those_of_the_oldest_record():
    partitions = {(RAW, 0): partition_look(100), (RAW, 1): partition_look(7), (RAW, 2): partition_look(0)}
    found = group_look({(RAW, 0): 90, (RAW, 1): 7}, owners={(RAW, 0): "worker-1"}, oldest_ms={(RAW, 0): NOW_MS - 2_500})
    _, (group,), _ = chart().add(look(partitions=partitions, groups={"tricast.kambi": found}))
    assert group.partitions == (
        GroupPartition(topic=RAW, number=0, committed=90, lag=10, lag_s=2.5, member="worker-1"),
        GroupPartition(topic=RAW, number=1, committed=7, lag=0, lag_s=0.0, member=None),
        GroupPartition(topic=RAW, number=2, committed=None, lag=0, lag_s=0.0, member=None),
    )
    assert (group.lag, group.lag_s) == (10, 2.5)


def test_only_markers_left_to_read_are_records_of_lag_and_no_seconds():
    found = group_look({(RAW, 0): 99}, oldest_ms={(RAW, 0): 0})
    partitions = {(RAW, 0): partition_look(100)}
    _, (group,), _ = chart().add(look(partitions=partitions, groups={"tricast.kambi": found}))
    assert (group.lag, group.lag_s) == (1, 0.0)


def test_seconds_that_could_not_be_read_are_not_known():
    partitions = {(RAW, 0): partition_look(100)}
    _, (group,), _ = chart().add(look(partitions=partitions, groups={"tricast.kambi": group_look({(RAW, 0): 1})}))
    assert (group.lag, group.lag_s) == (99, None)


def test_our_group_is_there_before_anybody_was_in_it_and_another_team_s_when_it_reads():
    others = {"other-team": group_look({(RAW, 0): 1})}
    _, groups, _ = chart().add(look(partitions={(RAW, 0): partition_look(3)}, groups=others))
    assert [(group.name, group.ours, group.members, group.lag) for group in groups] == [
        ("other-team", False, 1, 2),
        ("tricast.kambi", True, 0, 3),
    ]


def test_where_another_team_s_group_begins_nobody_knows():
    others = {"other-team": group_look(owners={(RAW, 0): "client"})}
    _, (group, _), _ = chart().add(look(partitions={(RAW, 0): partition_look(3)}, groups=others))
    assert (group.lag, group.lag_s) == (None, None)


def test_of_our_group_that_this_user_may_not_see_nothing_is_known():
    hidden = {name: group_look(state=NOT_VISIBLE, members=None) for name in ("tricast.kambi", "tricast.elsewhere")}
    _, (group,), _ = chart().add(look(partitions={(RAW, 0): partition_look(3)}, groups=hidden))
    assert (group.name, group.state, group.members, group.lag, group.lag_s) == (
        "tricast.kambi", NOT_VISIBLE, None, None, None,
    )  # fmt: skip


def test_readers_are_held_back_since_their_offset_stands():
    drawn = chart()
    seen = []
    for second, (stable, end) in enumerate(((5, 9), (5, 12), (7, 12), (12, 12), (12, 13))):
        partitions = {(RAW, 0): partition_look(end, last_stable=stable)}
        topics, _, _ = drawn.add(look(NOW_MS + second, partitions=partitions))
        seen.append((topics[0].partitions[0].held_since_ms, topics[0].held_back))
    assert seen == [(NOW_MS, 4), (NOW_MS, 7), (NOW_MS + 2, 5), (None, 0), (NOW_MS + 4, 1)]


def test_growth_on_disk_is_measured_from_one_size_to_the_next():
    drawn = chart()
    for second, size in ((0, 1000), (1, 1000), (10, 3000)):
        topics, _, _ = drawn.add(
            look(NOW_MS + second * 1000, partitions={(RAW, 0): partition_look(1, size_bytes=size)})
        )
    assert (topics[0].size_bytes, topics[0].bytes_rate) == (3000, 200.0)


def test_the_pipeline():
    partitions = {(RAW, 0): partition_look(3), (OFFERS, 0): partition_look(1)}
    _, _, edges = chart().add(look(partitions=partitions))
    assert [(edge.source, edge.target) for edge in edges] == [
        ("vendor/kambi", "connector/kambi"),
        ("connector/kambi", f"topic/{RAW}"),
        (f"topic/{RAW}", "group/tricast.kambi"),
        ("group/tricast.kambi", f"topic/{OFFERS}"),
    ]


def test_of_what_a_group_reads_each_topic_has_its_own_rate():
    made = Chart("tricast.", [Processor(group="tricast.kambi.state", sources=[RAW, OFFERS], outputs=[])])
    partitions = {(RAW, 0): partition_look(99), (OFFERS, 0): partition_look(99)}
    at_first, then = (
        {"tricast.kambi.state": group_look({(RAW, 0): raw, (OFFERS, 0): offers})} for raw, offers in ((0, 0), (3, 40))
    )
    made.add(look(NOW_MS, partitions=partitions, groups=at_first))
    _, (group,), edges = made.add(look(NOW_MS + 1000, partitions=partitions, groups=then))
    assert group.rate == 43
    rates = {edge.source: edge.rate for edge in edges if edge.target.startswith("group/")}
    assert rates == {f"topic/{RAW}": 3, f"topic/{OFFERS}": 40}


def test_of_a_topic_with_several_writers_nobody_knows_who_wrote_how_much():
    writers = [Processor(group=f"tricast.{n}", sources=[RAW], outputs=[OFFERS]) for n in range(2)]
    made = Chart("tricast.", writers)
    made.add(look(NOW_MS, partitions={(RAW, 0): partition_look(0), (OFFERS, 0): partition_look(0)}))
    after = look(NOW_MS + 1000, partitions={(RAW, 0): partition_look(0), (OFFERS, 0): partition_look(10)})
    topics, _, edges = made.add(after)
    assert {topic.name: topic.rate for topic in topics}[OFFERS] == 10
    assert [edge.rate for edge in edges if edge.target == f"topic/{OFFERS}"] == [None, None]


def test_nobody_misses_an_optional_processor_that_never_ran():
    optional = Processor(group="tricast.kambi.state", sources=[OFFERS], outputs=[], optional=True)
    partitions = {(OFFERS, 0): partition_look(3)}
    assert Chart("tricast.", [optional]).add(look(partitions=partitions))[1] == ()
    there = {"tricast.kambi.state": group_look({(OFFERS, 0): 1}, members=0)}
    _, (group,), _ = Chart("tricast.", [optional]).add(look(partitions=partitions, groups=there))
    assert (group.ours, group.members, group.lag) == (True, 0, 2)


def test_topics_are_known_by_what_they_are_for():
    names = ("kambi.raw", "rms.bets", "rms.health", "fastpath.sequence", "rms.dead-letters", "rms.pending")
    assert [kind_of(name) for name in names] == ["raw", "input", "health", "findings", "dead-letters", "internal"]
    assert (kind_of("changelog.rms.join.rms.pending"), kind_of("kambi.offers")) == ("changelog", "normalized")
    assert feed_of("changelog.rms.join.rms.pending") == "rms"
    foreign = look(partitions={("tricast.strange", 0): partition_look(1)})
    (topic,) = chart().add(foreign)[0]
    assert (topic.registry, topic.kind) == (None, "other")
