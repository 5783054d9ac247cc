"""Each reason comes when it should and not before; the worst decides."""

import pytest

from tests.monitor.looks import NOW_MS, REACHED, feed, group, line, partition, topic
from tricast.monitor.picture import NOT_VISIBLE, GroupPartition, Kafka, Reason
from tricast.monitor.verdict import CODES, Evidence, Limits, judge

RAW, OFFERS = "tricast.kambi.raw", "tricast.kambi.offers"
READS_RAW = (GroupPartition(topic=RAW, number=0, committed=1, lag=0, lag_s=0.0, member="w"),)


def evidence(**more) -> Evidence:
    told = {"at_ms": NOW_MS, "kafka": REACHED, "registry": (RAW,), "topics": (topic(),)}
    return Evidence(**(told | more))


def told(found: Evidence, before=()) -> tuple[str, list[str]]:
    state, reasons = judge(found, Limits(), before)
    return state, [reason.code for reason in reasons]


def test_what_is_as_it_should_be_is_healthy():
    assert told(evidence(groups=(group(partitions=READS_RAW),), lines=(line(),))) == ("healthy", [])


AWAY = Kafka(reachable=False, since_ms=NOW_MS - 5000, brokers=3, error="no Kafka answers", stale_s=5.0)


REASONS = [
    ({"kafka": AWAY}, "down", "kafka-down"),
    ({"topics": ()}, "down", "topics-missing"),
    ({"registry": (RAW, OFFERS)}, "degraded", "topic-missing"),
    ({"kafka": Kafka(reachable=True, since_ms=0, brokers=3, silent=(2,))}, "degraded", "broker-silent"),
    ({"topics": (topic(RAW, partition(leader=None)),)}, "degraded", "partition-offline"),
    ({"topics": (topic(RAW, partition(in_sync=2)),)}, "degraded", "under-replicated"),
    (
        {"topics": (topic(RAW, partition(last_stable=9, held_since_ms=NOW_MS - 25_001)),)},
        "degraded",
        "readers-held-back",
    ),
    ({"groups": (group(members=0, partitions=READS_RAW),)}, "degraded", "group-without-members"),
    ({"groups": (group(lag=10_001, partitions=READS_RAW),)}, "degraded", "group-lagging"),
    ({"groups": (group(lag=1, lag_s=60.1, partitions=READS_RAW),)}, "degraded", "group-lagging"),
    (
        {"topics": (topic(RAW, partition(newest_ms=NOW_MS - 15_001)),), "lines": (line(since_ms=NOW_MS - 15_001),)},
        "degraded",
        "connector-silent",
    ),
    ({"lines": (line(state="down"),)}, "degraded", "line-down"),
    ({"lines": (line(state="suspect"),)}, "degraded", "line-not-live"),
    ({"feeds": (feed(),)}, "degraded", "feed-not-live"),
    ({"lines": (line(details={"refresh_age_s": "561601"}),)}, "degraded", "token-near-end"),
    (
        {
            "topics": (
                topic(history=(10.0,) * 60),
                topic("tricast.kambi.dead-letters", kind="dead-letters", history=(1.0,) * 11),
            )
        },
        "degraded",
        "dead-letters",
    ),
]


@pytest.mark.parametrize(("more", "state", "code"), REASONS, ids=lambda value: value if isinstance(value, str) else "")
def test_each_reason(more, state, code):
    assert told(evidence(**more)) == (state, [code])
    assert [reason.runbook for reason in judge(evidence(**more), Limits())[1]] == [f"docs/runbook.md#{code}"]


@pytest.mark.parametrize(
    "more",
    [
        {"topics": (topic(RAW, partition(last_stable=9, held_since_ms=NOW_MS - 24_000)),)},
        {"groups": (group(lag=10_000, lag_s=60.0, partitions=READS_RAW),)},
        {"groups": (group("other-team", ours=False, members=0, lag=10**6, lag_s=10**6, partitions=READS_RAW),)},
        {"groups": (group(members=None, partitions=READS_RAW),)},
        {"topics": (topic(RAW, partition(newest_ms=NOW_MS - 15_000)),), "lines": (line(),)},
        {"topics": (topic(RAW, partition(newest_ms=0)),), "lines": (line(since_ms=NOW_MS - 15_000),)},
        {"topics": (topic(RAW, partition(newest_ms=0)),), "lines": (line(state="finished"),)},
        {"topics": (topic(RAW, partition(newest_ms=0)),)},
        {"topics": (topic(history=(9.0,)), topic("tricast.kambi.dead-letters", kind="dead-letters", history=(10.0,)))},
        {"lines": (line(details={"refresh_age_s": "561600"}),)},
    ],
    ids=[
        "held back not long",
        "lag at its limits",
        "another team's",
        "members not told",
        "a tick is due",
        "just opened",
        "finished",
        "no line says it is open",
        "few dead letters",
        "token",
    ],
)
def test_what_is_no_reason(more):
    assert told(evidence(**more)) == ("healthy", [])


def test_a_feed_that_nobody_uses_needs_no_worker_beside_one_that_somebody_does():
    unused = topic("tricast.rms.raw", partition(end=0))
    reads = GroupPartition(topic="tricast.rms.raw", number=0, committed=None, lag=None, lag_s=None, member=None)
    nobody = group("tricast.rms.approvals", members=0, partitions=(reads,))
    assert told(evidence(topics=(topic(), unused), groups=(nobody,))) == ("healthy", [])
    assert told(evidence(registry=("tricast.rms.raw",), topics=(unused,), groups=(nobody,)))[1] == [
        "group-without-members"
    ]


def test_of_a_group_that_this_user_may_not_see_it_is_not_said_that_no_worker_runs():
    reads = GroupPartition(topic=RAW, number=0, committed=None, lag=None, lag_s=None, member=None)
    hidden = group("tricast.kambi", state=NOT_VISIBLE, members=None, lag=None, lag_s=None, partitions=(reads,))
    _, (reason,) = judge(evidence(groups=(hidden,)), Limits())
    assert (reason.code, reason.subject) == ("group-without-members", "tricast.kambi")
    assert "not visible to this user" in reason.text
    assert "no worker" not in reason.text


def test_while_kafka_is_away_what_was_seen_before_is_not_judged():
    found = evidence(kafka=AWAY, lines=(line(state="down"),), topics=(topic(RAW, partition(leader=None)),))
    assert told(found) == ("down", ["kafka-down"])


def test_what_holds_on_keeps_its_beginning():
    now = evidence(topics=(topic(RAW, partition(in_sync=2)),))
    before = Reason(code="under-replicated", subject=RAW, text="", since_ms=NOW_MS - 9_000)
    other = Reason(code="under-replicated", subject=OFFERS, text="", since_ms=0)
    _, (reason,) = judge(now, Limits(), (before, other))
    assert reason.since_ms == NOW_MS - 9_000


def test_many_lines_that_are_down_are_one_reason_and_the_worst_comes_first():
    lines = tuple(line(f"kambi-{n}-general", "down", since_ms=NOW_MS - n) for n in range(40))
    _, reasons = judge(evidence(lines=lines, topics=(topic(RAW, partition(leader=None)),)), Limits())
    assert [reason.code for reason in reasons] == ["partition-offline", "line-down"]
    assert reasons[1].text == "line kambi-39-general is down (opened), and 39 more of kambi"


@pytest.mark.parametrize(
    ("hidden", "existing", "texts"),
    [
        pytest.param([OFFERS], [RAW], [f"topic {OFFERS} is not visible to this user"], id="one"),
        pytest.param([RAW, OFFERS], [], [f"2 topics ({RAW}, …) are not visible to this user"], id="all"),
        pytest.param([OFFERS], [], [f"topic {RAW} does not exist", f"topic {OFFERS} is not visible"], id="one of each"),
    ],
)
def test_what_this_user_may_not_see_is_not_said_to_be_missing(hidden, existing, texts):
    found = evidence(registry=(RAW, OFFERS), hidden=hidden, topics=tuple(map(topic, existing)))
    state, reasons = judge(found, Limits())
    assert (state, {reason.code for reason in reasons}) == ("degraded", {"topic-missing"})
    assert all(any(reason.text.startswith(text) for reason in reasons) for text in texts), reasons
    assert len(reasons) == len(texts)


def test_every_code_is_told_by_a_test():
    assert {code for _, _, code in REASONS} == set(CODES)
