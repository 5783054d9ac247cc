"""Copies of one message on its channels: the same, unless a fault makes them differ."""

import json
from collections import defaultdict

import pytest

from simulators.kambi.config import FaultSwitch, KambiFaultSettings
from simulators.kambi.copies import Copies
from simulators.kambi.ledger import Fact
from simulators.kambi.messages import Message

GN, EN, XN = "v2018.kambi.ev.json", "v2018.kambi.ev.7.json", "v2018.kambi.ext.ev.json"


def odds(change: int, keys: tuple[str, ...], *outcomes: tuple[int, int | None], event: int = 7) -> Message:
    bodies = [{"id": id_, "betOfferId": 50 + id_} | ({"odds": price} if price else {}) for id_, price in outcomes]
    body = {"t": "1790000000000", "mt": 11, "boou": {"eventId": event, "outcomes": bodies}}
    return Message(
        mt=11,
        keys=keys,
        envelope=json.dumps(body).encode(),
        facts=tuple(
            Fact(
                child=0,
                change=change,
                mt=11,
                t=1_790_000_000_000,
                event=event,
                offer=50 + id_,
                outcome=id_,
                value=price,
            )
            for id_, price in outcomes
        ),
    )


def removal(change: int) -> Message:
    body = {"t": "1790000000000", "mt": 7, "bor": {"eventId": 7, "betOfferId": 51}}
    facts = (Fact(child=0, change=change, mt=7, t=1_790_000_000_000, event=7, offer=51),)
    return Message(mt=7, keys=(GN, EN), envelope=json.dumps(body).encode(), facts=facts)


def published(messages, **faults):
    """Return per key what its copies say, and check that facts and bodies agree."""
    by_key = defaultdict(list)
    for key, copy in Copies(FaultSwitch(KambiFaultSettings(**faults))).of(messages):
        body = json.loads(copy.envelope)
        assert {fact.t for fact in copy.facts} == {int(body["t"])}
        if body["mt"] == 11:
            said = {outcome["id"]: outcome.get("odds") for outcome in body["boou"]["outcomes"]}
            assert said == {fact.outcome: fact.value for fact in copy.facts}
            by_key[key].append(said)
        else:
            by_key[key].append(body["mt"])
    return dict(by_key)


def test_without_faults_every_channel_carries_the_same_bytes():
    messages = [odds(1, (GN, EN), (1, 1500)), removal(2), odds(3, (EN,), (2, 2000))]
    copies = list(Copies(FaultSwitch(KambiFaultSettings())).of(messages))
    assert [(key, copy.envelope, copy.facts, copy.fault) for key, copy in copies] == [
        (key, message.envelope, message.facts, None) for message in messages for key in message.keys
    ]


def test_filtered_copies_gather_per_channel_what_it_carries():
    run = [odds(1, (GN, XN, EN), (1, 1500)), odds(2, (XN, EN), (2, 2000)), odds(3, (EN,), (3, 3000), (4, None))]
    assert published(run, filtered_copies=True) == {
        GN: [{1: 1500}],
        XN: [{1: 1500, 2: 2000}],
        EN: [{1: 1500, 2: 2000, 3: 3000, 4: None}],
    }


def test_filtered_copies_keep_the_change_numbers_that_copies_share():
    run = [odds(1, (GN, EN), (1, 1500)), odds(2, (EN,), (2, 2000))]
    copies = dict(Copies(FaultSwitch(KambiFaultSettings(filtered_copies=True))).of(run))
    assert [fact.change for fact in copies[GN].facts] == [1]
    assert [fact.change for fact in copies[EN].facts] == [1, 2]


@pytest.mark.parametrize(
    ("run", "on_the_event_channel"),
    [
        pytest.param([odds(1, (EN,), (1, 1500)), odds(2, (EN,), (1, 1600)), odds(3, (EN,), (1, 1500))],
                     [{1: 1500}, {1: 1600}, {1: 1500}], id="there and back again stay three"),
        pytest.param([odds(1, (EN,), (1, 1500)), removal(2), odds(3, (EN,), (2, 1600))],
                     [{1: 1500}, 7, {2: 1600}], id="nothing is gathered past another message"),
    ],
)  # fmt: skip
def test_filtered_copies_never_lose_or_reorder(run, on_the_event_channel):
    assert published(run, filtered_copies=True)[EN] == on_the_event_channel


def test_messages_of_different_events_are_not_gathered():
    run = [odds(1, (GN,), (1, 1500)), odds(2, (GN,), (2, 1600), event=8)]
    assert published(run, filtered_copies=True)[GN] == [{1: 1500}, {2: 1600}]


def test_a_skew_makes_event_channels_say_later():
    copies = dict(Copies(FaultSwitch(KambiFaultSettings(copy_skew_ms=250))).of([odds(1, (GN, EN), (1, 1500))]))
    assert json.loads(copies[GN].envelope)["t"] == "1790000000000"
    assert json.loads(copies[EN].envelope)["t"] == "1790000000250"
    assert copies[EN].facts[0].t == 1_790_000_000_250


def test_every_nth_shared_odds_message_is_contradicted_on_the_event_channel_at_the_same_t():
    run = [odds(1, (GN, EN), (1, 1500)), odds(2, (EN,), (2, 2000)), odds(3, (GN, EN), (3, 500_000), (4, 2000))]
    said = published(run, contradict_every=2)
    assert said[GN] == [{1: 1500}, {3: 500_000, 4: 2000}]
    assert said[EN][:2] == [{1: 1500}, {2: 2000}]
    assert said[EN][2][4] == 2000
    assert said[EN][2][3] < 500_000  # the top of the ladder: it can only be lower
    faults = [copy.fault for _, copy in Copies(FaultSwitch(KambiFaultSettings(contradict_every=2))).of(run)]
    assert faults == [None, None, None, None, "contradiction"]


def test_what_has_no_odds_is_not_contradicted():
    run = [odds(1, (GN, EN), (1, None), (2, -1))]
    said = published(run, contradict_every=1)
    assert said[EN] == said[GN]
