"""Processor and audit share no code; over any frames, however broken, the audit must find nothing to say."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from processors.core.kambi import dedupe
from processors.core.kambi.processor import KambiProcessor
from schemas.raw import RawHeaders
from tests.core.driver import Driver, Record
from tricast.audit import first_seen
from tricast.audit.judge import Judge
from tricast.audit.records import to_output, to_raw
from tricast.audit.report import Report

TOPIC = "tricast.kambi.raw"
SECOND_NS = 1_000_000_000
START_NS = 1_790_000_000 * SECOND_NS

ids = st.sampled_from([1, 2, "2", 2**53 + 1, 2**63, -1, 1.5, True, None, "x"])
good_ids = st.sampled_from([1, 2, "2", 2**53 + 1])
numbers = st.sampled_from([None, -1, 1000, 1910, 999, 2.5, "1910"])
stamps = st.sampled_from(["1790000000001", "1790000000002", 1790000000001, None, "soon", -5, 1790000000, "1790000000"])
outcomes = st.lists(
    st.fixed_dictionaries(
        {"id": good_ids}, optional={"betOfferId": good_ids, "odds": numbers, "line": numbers, "extra": numbers}
    ),
    max_size=3,
)
offers = st.fixed_dictionaries(
    {"id": good_ids},
    optional={"eventId": good_ids, "outcomes": outcomes, "suspended": st.booleans(), "betOfferType": st.just(2)},
)
events = st.fixed_dictionaries({"id": ids}, optional={"name": st.text(max_size=3), "path": st.just([{"id": 5}])})
labels = st.sampled_from(["GOALS_HOME", 7, "7"])
clocks = st.fixed_dictionaries({"minute": st.integers(0, 2)}, optional={"running": st.booleans(), "periodId": labels})
scores = st.fixed_dictionaries({"home": st.just("1"), "away": st.sampled_from(["0", "W"])}, optional={"version": ids})
statistics = st.sampled_from(
    [
        {"sets": {"home": [6, -1], "away": [4, -1], "homeServe": True}},
        {"football": {"home": {"corners": 1}, "away": {"corners": 2}}, "version": 3},
        {},
        {"sets": 7},
    ]
)
settled = st.fixed_dictionaries({"id": good_ids}, optional={"eventId": good_ids, "status": st.just("SETTLED")})
lives = st.fixed_dictionaries({}, optional={"matchClock": clocks, "score": scores, "statistics": statistics})
bodies = st.one_of(
    st.tuples(st.just((4, "ea")), st.fixed_dictionaries({"event": events})),
    st.tuples(
        st.just((5, "leo")),
        st.fixed_dictionaries({"event": events}, optional={"mainBetOffer": offers, "liveData": lives}),
    ),
    st.tuples(st.just((6, "boa")), st.fixed_dictionaries({"betOffer": offers}, optional={"eventId": ids})),
    st.tuples(st.just((7, "bor")), st.fixed_dictionaries({"betOfferId": ids}, optional={"eventId": ids})),
    st.tuples(
        st.just((8, "bosu")),
        st.fixed_dictionaries(
            {"betOfferId": good_ids, "eventId": good_ids},
            optional={"suspended": st.booleans(), "visible": st.sampled_from([True, False, None, 1])},
        ),
    ),
    st.tuples(
        st.sampled_from([(11, "boou"), (22, "booa"), (23, "boor")]),
        st.fixed_dictionaries({"outcomes": outcomes}, optional={"eventId": good_ids, "betOfferId": good_ids}),
    ),
    st.tuples(st.just((18, "er")), st.fixed_dictionaries({"eventId": ids})),
    st.tuples(st.just((34, "esu")), st.fixed_dictionaries({"state": st.just("STARTED")}, optional={"id": ids})),
    st.tuples(st.sampled_from([(16, "score"), (99, "new"), ("8", "bosu"), (None, "er")]), st.just({"eventId": 1})),
    st.tuples(st.sampled_from([(9, "abos"), (12, "mcr")]), st.fixed_dictionaries({"eventId": ids})),
    st.tuples(st.just((15, "mcu")), st.fixed_dictionaries({"eventId": good_ids, "matchClock": clocks})),
    st.tuples(st.just((16, "score")), st.fixed_dictionaries({"eventId": good_ids, "score": scores})),
    st.tuples(st.just((17, "stats")), st.fixed_dictionaries({"eventId": good_ids, "statistics": statistics})),
    st.tuples(
        st.just((19, "tu")),
        st.fixed_dictionaries({"eventId": good_ids, "id": good_ids}, optional={"message": st.just("Corner")}),
    ),
    st.tuples(st.just((20, "desc")), st.fixed_dictionaries({"eventId": good_ids, "description": st.text(max_size=2)})),
    st.tuples(
        st.just((24, "os")),
        st.fixed_dictionaries({"outcomes": st.lists(st.one_of(good_ids, settled), min_size=1, max_size=3)}),
    ),
    st.tuples(
        st.just((25, "mo")),
        st.fixed_dictionaries(
            {"eventId": good_ids, "id": good_ids, "occurrenceTypeId": labels}, optional={"periodId": labels}
        ),
    ),
    st.tuples(
        st.just((27, "vo")),
        st.fixed_dictionaries({"eventId": good_ids, "id": good_ids, "occurrenceTypeId": labels}),
    ),
    st.tuples(
        st.just((28, "ls")),
        st.fixed_dictionaries({"eventId": good_ids, "occurrenceTypeId": labels}, optional={"value": st.just(7)}),
    ),
    st.tuples(
        st.just((32, "osu")),
        st.fixed_dictionaries({"eventId": good_ids, "outcomes": outcomes}, optional={"betOfferId": good_ids}),
    ),
)
children = st.builds(
    lambda body, t, name: json.dumps({"t": t, "mt": body[0][0], name or body[0][1]: body[1]}),
    bodies,
    stamps,
    st.sampled_from([None, None, None, "other"]),
)
junk = st.sampled_from(["", "nul", '{"mt":18', "NaN", '{"mt":18,"mt":18,"er":{"eventId":1}}', "[]", '"]', "}", "7"])


def unlike(child):
    """Return the same news in other words: with fields that no record carries, and defaults left out or spelled out."""
    message = json.loads(child)
    for body in message.values():
        if isinstance(body, dict):
            body["extra"] = 7
            for flag, default in (("suspended", False), ("visible", True)):
                if body.get(flag) is default:
                    del body[flag]
            for outcome in body.get("outcomes", ()):
                if isinstance(outcome, dict):
                    outcome["extra"] = 8
    return json.dumps(message)


def frames_of(pool):
    """Return frames that say the things of ``pool``, some of them more than once, so that there are copies."""
    child = st.sampled_from([*pool, *map(unlike, pool)])
    bulks = st.lists(st.one_of(child, child, child, junk), max_size=4).map(lambda parts: f"[{','.join(parts)}]")
    return st.lists(st.tuples(packets(bulks, child), LINES, PAUSES), min_size=1, max_size=8)


def packets(bulks, child):
    return st.one_of(
        bulks.map(lambda bulk: f'2["message",{json.dumps(bulk)}]'.encode()),
        bulks.map(lambda bulk: f'2["message",{bulk}]'.encode()),
        st.tuples(child, st.integers(1, 30)).map(lambda cut: f'2["message",{json.dumps(cut[0])}]'.encode()[: -cut[1]]),
        child.map(lambda text: f'2["message",{json.dumps(text)}]'.encode()),
        OTHER_PACKETS,
    )


LINES = st.sampled_from(["line-a", "line-b"])
PAUSES = st.sampled_from([0, 1, 700])
OTHER_PACKETS = st.sampled_from(
    [b"0{}", b"1", b"2", b"3probe", b"30[]", b'2["error",{}]', b"\xff", b'2["message"]', b"2[\xff]"]
)


SETTLED_TWICE = st.sampled_from(
    [
        json.dumps({"t": "1790000000001", "mt": 24, "os": settled})
        for settled in (
            {"outcomeIds": [1, "1", 2, 1]},
            {"outcomes": [{"id": 1, "status": "SETTLED"}, {"id": 1}], "outcomeIds": [2, 1, 2]},
            {"outcomes": [], "outcomeIds": [3]},
        )
    ]
)
"""Outcomes named more than once, in one list or in both."""
SOUND = st.sampled_from(
    [
        json.dumps({"t": "1790000000001", "mt": mt, element: {"eventId": 1, **body}})
        for mt, element, body in [
            (11, "boou", {"outcomes": [{"id": 1, "betOfferId": 2, "odds": 1910}, {"id": 3, "betOfferId": 4}]}),
            (11, "boou", {"outcomes": [{"id": 1, "betOfferId": 2, "odds": 2000}, {"id": 5, "betOfferId": 2}]}),
            (22, "booa", {"outcomes": [{"id": 1, "betOfferId": 2, "odds": 1910, "label": "1"}]}),
            (8, "bosu", {"betOfferId": 2, "suspended": False, "visible": True}),
            (8, "bosu", {"betOfferId": 2, "suspended": True, "visible": False}),
        ]
    ]
)
"""Children without a fault: random ones seldom are, and only sound ones have copies."""


@given(
    st.lists(st.one_of(SOUND, children, SETTLED_TWICE), min_size=1, max_size=3).flatmap(frames_of),
    st.sampled_from([(0, 1), (0, 2), (1, 2), (1, 4)]),
    st.sampled_from([0, 0, 1]),
)
@settings(max_examples=1000)
def test_audit_accounts_for_everything_the_processor_does(frames, share, skew_ms):
    driver, report = Driver(KambiProcessor(copy_skew_ms=skew_ms)), Report()
    judge = Judge(TOPIC, 0, report, from_start=True, ledger=None, copy_skew_ms=skew_ms)
    now_ns = START_NS
    numbered = {"line-a": 0, "line-b": 0}
    opened = json.dumps({"shard": share[0], "shards": share[1], "keys": []}).encode()
    frames = [(opened, "line-a", 0), (opened, "line-b", 0), *frames]
    for offset, (packet, line, after_s) in enumerate(frames):
        now_ns += after_s * SECOND_NS
        kind = "opened" if packet is opened else "frame"
        numbered[line] += kind == "frame"
        stamps = RawHeaders(
            feed="kambi", line=line, connection=f"c-{line}", frame=numbered[line], received_ns=now_ns, kind=kind
        )
        record = Record(offset=offset, value=packet, headers=stamps.to_kafka(), timestamp=now_ns // 1_000_000)
        driver.outputs.clear()
        driver.dead_letters.clear()
        driver.feed_record(record)
        judge.judge(to_raw(record), written(driver))
    assert dict(report.findings) == {}, report.examples


def written(driver):
    """Return what the processor wrote for one record, as the audit reads it."""
    outputs = [
        to_output(Record(offset=n, value=o.value, headers=o.headers, topic=o.topic, key=o.key), TOPIC, dead=False)
        for n, o in enumerate(driver.outputs)
        if o.topic != "kambi.health"
    ]
    for n, dead in enumerate(driver.dead_letters):
        source = dead.source if dead.index is None else f"{dead.source}/{dead.index}"
        headers = [("tc-source", source.encode()), ("tc-code", dead.code.encode())]
        record = Record(offset=n, value=dead.value, headers=headers, topic="tricast.kambi.dead-letters")
        outputs.append(to_output(record, TOPIC, dead=True))
    return outputs


def test_audit_and_processor_remember_facts_for_the_same_time():
    # Frames of the property above lie close together; only this notices a window that was changed on one side.
    assert first_seen.WINDOW_S == dedupe.WINDOW_S
