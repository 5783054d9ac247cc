"""What health records come to: lines, events and feeds."""

import pytest

from tests.monitor.looks import NOW_MS
from tricast.monitor.health import SETTLE_MS, HealthDesk, raw_partition, state_of
from tricast.monitor.picture import FeedCount, Line

NS = 1_000_000
OLD_NS = (NOW_MS - SETTLE_MS - 1) * NS


def event(number, state="live", **more):
    return f"event/{number}".encode(), {"event_id": number, "state": state, "since_ns": OLD_NS} | more


def test_a_line_is_its_newest_record_and_each_gap_has_a_key_of_its_own():
    desk = HealthDesk("tricast.")
    said = {"line": "kambi-2-general", "state": "live", "reason": "opened", "since_ns": NOW_MS * NS}
    desk.observe("kambi", b"kambi-2-general", said | {"connection": "c", "ours": True})
    desk.observe("kambi", b"kambi-2-general@2/17", said | {"state": "gapped"})
    assert desk.lines() == (
        Line(
            feed="kambi",
            name="kambi-2-general",
            state="live",
            since_ms=NOW_MS,
            reason="opened",
            raw_topic="tricast.kambi.raw",
            raw_partition=2,
            details={"connection": "c", "ours": "yes"},
        ),
    )
    assert desk.unwell(NOW_MS + 10 * SETTLE_MS) == ()
    assert desk.counts() == (FeedCount(feed="kambi", what="lines", state="live", count=1),)


def test_what_is_deleted_is_gone():
    desk = HealthDesk("tricast.")
    desk.observe("fastpath", b"line/a/b", {"line": "a/b", "feed": "a/b", "state": "live"})
    desk.observe("fastpath", b"feed/a/b", {"feed": "a/b", "state": "down", "since_ns": 0})
    assert (len(desk.lines()), len(desk.unwell(NOW_MS))) == (1, 1)
    desk.observe("fastpath", b"line/a/b", None)
    desk.observe("fastpath", b"feed/a/b", None)
    assert (desk.lines(), desk.unwell(NOW_MS)) == ((), ())


def test_of_events_those_are_told_that_are_not_well_for_a_minute():
    desk = HealthDesk("tricast.")
    for key, value in (
        event(1),
        event(2, "stale", coverage="main"),
        event(3, "gapped"),
        event(4, "down", since_ns=(NOW_MS - SETTLE_MS + 1000) * NS),
        event(5, "down", reason="finished"),
        event(6, "gapped", reason="hole"),
    ):
        desk.observe("kambi", key, value)
    desk.observe("kambi", *event(6, "live", reason="removed"))
    assert [feed.name for feed in desk.unwell(NOW_MS)] == ["3"]
    events = [count for count in desk.counts() if count.what == "events"]
    assert {(count.state, count.count) for count in events} == {
        ("live", 1),
        ("to come", 1),
        ("gapped", 1),
        ("down", 1),
        ("finished", 1),
    }
    assert FeedCount(feed="kambi", what="coverage", state="main", count=1) in desk.counts()


@pytest.mark.parametrize(
    ("state", "seconds", "is_told"), [("suspect", 9, False), ("suspect", 11, True), ("down", -1, True)]
)
def test_of_feeds_those_are_told_that_are_not_well_and_no_moment_of_doubt(state: str, seconds: int, is_told: bool):
    desk = HealthDesk("tricast.")
    since_ns = (NOW_MS - 1_000 * seconds) * NS
    desk.observe("fastpath", b"feed/a/b", {"feed": "a/b", "state": state, "since_ns": since_ns})
    assert [feed.name for feed in desk.unwell(NOW_MS)] == ["a/b"] * is_told


@pytest.mark.parametrize(
    ("feed", "line", "value", "partition"),
    [
        ("kambi", "kambi-3-events-12", {}, 3),
        ("kambi", "kambi-settlements.b", {}, 4),
        ("kambi", "strange", {}, None),
        ("rms", "rms-90210", {}, None),
    ],
)
def test_a_line_s_partition_follows_from_what_it_says(feed, line, value, partition):
    assert raw_partition(feed, line, value) == partition


def test_partitions_are_those_that_connectors_write_to():
    from connectors.fastpath.names import partition_of as of_fastpath  # noqa: PLC0415
    from connectors.rms.names import partition_of as of_rms  # noqa: PLC0415

    paths = [f"soccer/fixtures/{n}/actions" for n in range(50)]
    assert [raw_partition("fastpath", path, {"feed": path}) for path in paths] == [of_fastpath(path) for path in paths]
    assert raw_partition("rms", "rms-7", {"customer": "7"}) == of_rms("7")


def test_states_for_people():
    assert state_of({"state": "down", "reason": "finished"}) == "finished"
    assert state_of({"state": "down", "reason": "left"}) == "finished"
    assert state_of({"state": "down", "reason": "closed", "close_reason": "left"}) == "finished"
    assert state_of({"state": "down", "reason": "closed", "close_reason": "shutdown"}) == "down"
    assert state_of({"state": "down", "reason": "shutdown"}) == "down"
    assert state_of({"state": "stale", "coverage": "full"}) == "stale"
