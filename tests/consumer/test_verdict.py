"""What the health records of real stories say of a key, and why."""

from collections.abc import Iterable

import msgspec
import pytest

from schemas.codec import decode
from schemas.fastpath.health import FeedHealth
from schemas.kambi.health import EventHealth
from schemas.rms.health import LineHealth
from tests.consumer.story import kambi_story, tombstone
from tests.contracts.written import Written, written
from tests.core.driver import Output
from tests.core.fastpath.raw import FEED, FIXTURE, STATISTICS
from tests.core.kambi.raw_lines import EVENT_LINE
from tests.core.rms.approvals.raw import CUSTOMER
from tricast.consumer.event import Place, event_of
from tricast.consumer.verdict import Feed, HealthBook, Verdict, unread

GAP = [record for record in written() if record.name == "gap" and record.topic == "fastpath.health"]
ACCEPT = [record for record in written() if record.name == "accept" and record.topic == "rms.health"]


def told(records: Iterable[Output | Written]) -> HealthBook:
    book = HealthBook()
    for offset, record in enumerate(records):
        book.observe(
            event_of(Place(record.topic, 0), offset, key=record.key, value=record.value, headers=record.headers)
        )
    return book


def answers(records: Iterable[Output | Written], feed: Feed, key: str) -> list[tuple[bool, str, str]]:
    """Return what is answered while the records come, each once."""
    book, found = HealthBook(), [(False, "unknown", "no health record speaks of it")]
    for offset, record in enumerate(records):
        book.observe(
            event_of(Place(record.topic, 0), offset, key=record.key, value=record.value, headers=record.headers)
        )
        verdict = book.judge(feed, key)
        if (answer := (bool(verdict), verdict.state, verdict.reason)) != found[-1]:
            found.append(answer)
    return found


def test_an_event_of_kambi_is_trusted_when_it_is_covered_and_asked_for():
    assert answers(kambi_story(1, leave=True), "kambi", "1") == [
        (False, "unknown", "no health record speaks of it"),
        (False, "stale", "covered"),
        (True, "live", "baseline"),
        (False, "gapped", "closed"),
        (False, "down", "closed"),
    ]


def test_a_line_of_kambi_can_be_asked_for():
    assert answers(kambi_story(1, leave=True), "kambi", f"line/{EVENT_LINE}")[1:] == [
        (True, "live", "opened"),
        (False, "down", "closed"),
    ]


@pytest.mark.parametrize("key", [FIXTURE, FEED])
def test_a_fixture_of_fastpath_is_trusted_while_its_feed_is_live(key: str):
    assert answers(GAP, "fastpath", key)[1:] == [
        (True, "live", "delivering"),
        (False, "stale", "upstream-disconnected"),
        (False, "down", "closed"),
    ]


def test_a_gap_of_a_line_does_not_stand_for_its_newest_state():
    assert answers(GAP, "fastpath", f"line/{FEED}@b")[1:] == []
    assert answers(GAP, "fastpath", f"line/{FEED}")[1:] == [
        (True, "live", "opened"),
        (True, "live", "resumed"),
        (False, "down", "closed"),
    ]


def feed(path: str, state: str) -> FeedHealth:
    return FeedHealth(feed=path, fixture_id=FIXTURE, state=state, reason="why", since_ns=1)  # type: ignore[arg-type]


def observed(*records: tuple[str, str, FeedHealth | LineHealth | EventHealth]) -> HealthBook:
    book = HealthBook()
    for topic, key, record in records:
        event = event_of(Place(topic, 0), 0, key=key.encode(), value=b"{}", headers=[])
        book.observe(msgspec.structs.replace(event, data=record))
    return book


def test_of_a_fixture_the_worst_feed_counts_and_is_named():
    states = {FEED: "live", STATISTICS: "suspended"}
    book = observed(*(("fastpath.health", f"feed/{path}", feed(path, state)) for path, state in states.items()))
    verdict = book.judge("fastpath", FIXTURE)
    assert (verdict.trustworthy, verdict.state, verdict.subject) == (False, "suspended", f"feed {STATISTICS}")
    assert book.judge("fastpath", FEED)
    book.observe(event_of(Place("fastpath.health", 0), 1, key=f"feed/{STATISTICS}".encode(), value=None, headers=[]))
    assert book.judge("fastpath", FIXTURE)


@pytest.mark.parametrize("key", [CUSTOMER, f"{CUSTOMER}/some-slip", f"line/rms-{CUSTOMER}"])
def test_a_customer_of_rms_is_trusted_while_a_socket_has_joined(key: str):
    assert answers(ACCEPT, "rms", key)[1:] == [
        (False, "suspect", "not-joined"),
        (True, "live", "joined"),
        (False, "down", "closed"),
    ]


def line(name: str, state: str, *, joined: bool = True) -> tuple[str, str, LineHealth]:
    health = LineHealth(customer=CUSTOMER, line=name, state=state, since_ns=1, joined=joined)  # type: ignore[arg-type]
    return "rms.health", f"line/{name}", health


def test_of_two_sockets_the_better_counts():
    book = observed(line("a", "down", joined=False), line("b", "live"))
    assert book.judge("rms", CUSTOMER)
    assert book.judge("rms", CUSTOMER).subject == "line b"
    book.observe(event_of(Place("rms.health", 0), 1, key=b"line/b", value=None, headers=[]))
    assert book.judge("rms", CUSTOMER).state == "down"
    book.observe(event_of(Place("rms.health", 0), 1, key=b"line/a", value=None, headers=[]))
    assert book.judge("rms", CUSTOMER).state == "unknown"


def test_a_socket_that_has_not_joined_hears_nothing():
    verdict = observed(line("a", "live", joined=False)).judge("rms", CUSTOMER)
    assert (verdict.trustworthy, verdict.reason) == (False, "not joined")


@pytest.mark.parametrize(
    ("feed", "records", "key", "name"),
    [
        ("kambi", kambi_story(1), "1", "event/1"),
        ("kambi", kambi_story(1), f"line/{EVENT_LINE}", EVENT_LINE),
        ("fastpath", GAP[:2], FIXTURE, f"feed/{FEED}"),
        ("rms", ACCEPT[:2], CUSTOMER, f"line/rms-{CUSTOMER}"),
    ],
    ids=["event", "line", "feed", "socket"],
)
def test_what_is_taken_out_of_the_topic_is_unknown(feed: Feed, records: list[Output], key: str, name: str):
    book = told([*records, tombstone(f"{feed}.health", name)])
    assert book.judge(feed, key).state == "unknown"


def test_the_answer_says_since_when_and_has_the_record():
    health = [record for record in kambi_story(1) if record.key == b"event/1"][-1]
    record = decode(EventHealth.ce_type, health.value)
    assert isinstance(record, EventHealth)
    assert told([health]).judge("kambi", "1") == Verdict(
        trustworthy=True,
        state="live",
        reason="baseline",
        subject="event 1",
        since_ns=record.since_ns,
        record=record,
    )


def test_what_cannot_be_read_says_nothing():
    verdict = unread("1", 17.2, None)
    assert (verdict.trustworthy, verdict.state, verdict.reason) == (False, "unknown", "health was last read 17 s ago")
