"""The simulated live offering: repeatable, and true to what a consumer may rely on."""

import json
from collections import Counter
from itertools import cycle, islice

from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.kambi.messages import Channels, Message, MessageWriter
from simulators.kambi.offering import Offering
from tests.simulators.consumer import ELEMENTS, LANGUAGE_SIDE, WHOLE_EVENT, View, parse

START_MS = 1_790_000_000_000


def offering(seed=1, *, events=4, rate=40.0, duration_s=60.0):
    return Offering(
        seed=seed, start_ms=START_MS, events_live=events, changes_per_second=rate, match_duration_s=duration_s
    )


def play(offering: Offering, steps, *, extended=False) -> list[Message]:
    writer = MessageWriter(Channels(offering="kambi", languages=("en_GB",), extended=extended))
    return [writer.write(change, offering.now_ms) for step in steps for change in offering.advance(step)]


def test_same_seed_and_steps_give_the_same_bytes():
    steps = list(islice(cycle((20, 50, 7, 300)), 2_000))
    first, second = (play(offering(7), steps) for _ in range(2))
    assert len(first) > 5_000
    assert first == second
    assert play(offering(8), steps) != first


def test_load_is_repeatable_too():
    def loaded():
        live = offering(3)
        writer = MessageWriter(Channels(offering="kambi", languages=("en",), extended=False))
        return [writer.write(change, live.now_ms) for _ in range(50) for change in live.load(live.live_event_ids[0], 4)]

    assert len(loaded()) == 200
    assert loaded() == loaded()


def test_every_message_type_comes_and_reads_as_the_sheet_says():
    seen = Counter()
    for message in play(offering(), [50] * 2_400):
        mt, _ = parse(message.envelope)
        assert mt == message.mt
        seen[mt] += 1
    assert set(seen) == set(ELEMENTS)


@settings(max_examples=25)
@given(
    seed=st.integers(0, 1 << 32),
    pattern=st.lists(st.integers(1, 1_000), min_size=1, max_size=6),
    duration_s=st.floats(2, 120),
)
def test_a_consumer_never_sees_the_impossible(seed, pattern, duration_s):
    live = offering(seed, duration_s=duration_s)
    view = View()
    for message in play(live, islice(cycle(pattern), 400)):
        view.apply(*parse(message.envelope))
    shown = live.live_open()["liveEvents"]
    assert {item["event"]["id"] for item in shown}.isdisjoint(view.removed_events)
    for item in shown:
        for outcome in item["mainBetOffer"]["outcomes"]:
            assert view.odds.get(outcome["id"], outcome["odds"]) == outcome["odds"]


def test_events_end_and_others_take_their_place():
    live = offering(duration_s=10, events=6)
    before = set(live.live_event_ids)
    states = {}
    view = View()
    for message in play(live, [100] * 600):
        mt, element = parse(message.envelope)
        view.apply(mt, element)
        if mt == 34:
            states.setdefault(element["id"], []).append(element["state"])
    assert before <= view.removed_events
    assert all(states[event] == ["FINISHED"] for event in before)
    later = [event for event in view.removed_events if event not in before]
    assert later
    assert all(states[event] == ["STARTED", "FINISHED"] for event in later)
    assert len(live.live_event_ids) >= 4


def test_a_goal_suspends_the_whole_event_at_once_and_new_odds_come_before_it_opens():
    live = offering(2, events=1, rate=0.0, duration_s=90)
    burst = 0
    for _ in range(20_000):
        changes = play(live, [20])
        suspended = [element for message in changes for mt, element in [parse(message.envelope)] if mt == 8]
        if len(suspended) >= 20 and suspended[0]["suspended"]:
            burst = len(suspended)
            after = [parse(message.envelope) for message in play(live, [20] * 201)]
            opened = [n for n, (mt, element) in enumerate(after) if mt == 8 and not element["suspended"]]
            repriced = [n for n, (mt, _) in enumerate(after) if mt == 11]
            assert len(opened) > 15
            assert repriced
            assert max(repriced) < min(opened)
            assert {mt for mt, _ in after} >= {6, 7, 8, 11}
            break
    assert burst >= 20


def test_ids_and_sort_orders_pass_what_a_double_can_hold():
    live = offering()
    event = live.live_open()["liveEvents"][0]
    assert event["event"]["groupSortOrder"] > 1 << 53
    assert len(str(event["event"]["groupSortOrder"])) == 19
    assert event["mainBetOffer"]["id"] > 1 << 32


def test_live_open_shows_started_events_with_data_and_main_offer():
    answer = offering(events=8).live_open()
    assert len(answer["liveEvents"]) == 8
    for item in answer["liveEvents"]:
        assert item["event"]["state"] == "STARTED"
        assert set(item["liveData"]) >= {"eventId", "score", "liveStatistics"}
        assert "MAIN" in item["mainBetOffer"]["tags"]
    assert {item["event"]["sport"] for item in answer["liveEvents"]} == {"FOOTBALL", "TENNIS"}


def test_general_channels_carry_main_offers_only_and_event_channels_all():
    listed_criteria, all_criteria = set(), set()
    kinds: dict[int, set[str]] = {}
    for message in play(offering(duration_s=20), [100] * 600):
        mt, element = parse(message.envelope)
        language = ".en_GB" if mt in LANGUAGE_SIDE else ""
        general = f"v2018.kambi{language}.ev.json"
        if mt in WHOLE_EVENT:
            assert message.keys == (general,)
            continue
        own = f"v2018.kambi{language}.ev.{element['eventId']}.json"
        assert message.keys in ((own,), (general, own))
        kinds.setdefault(mt, set()).add("both" if len(message.keys) == 2 else "event")
        if mt == 6:
            all_criteria.add(element["betOffer"]["criterion"]["label"])
            if general in message.keys:
                listed_criteria.add(element["betOffer"]["criterion"]["label"])
    assert listed_criteria == {"Full Time", "Total Goals", "Match Odds", "Set Winner"}
    assert len(all_criteria) > 12
    assert kinds[11] == kinds[8] == {"both", "event"}


def test_extended_channels_carry_more_when_they_are_enabled():
    criteria = {"general": set(), "extended": set()}
    for message in play(offering(duration_s=20), [100] * 600, extended=True):
        mt, element = parse(message.envelope)
        if mt == 6:
            label = element["betOffer"]["criterion"]["label"]
            if "v2018.kambi.en_GB.ev.json" in message.keys:
                criteria["general"].add(label)
            if "v2018.kambi.en_GB.ext.ev.json" in message.keys:
                criteria["extended"].add(label)
    assert criteria["general"] < criteria["extended"]


def test_odds_may_be_left_out_on_purpose():
    live = offering()
    writer = MessageWriter(
        Channels(offering="kambi", languages=("en",), extended=False), missing_odds_every=3
    )  # fmt: skip
    odds = [
        json.loads(message.envelope)["boou"]["outcomes"]
        for change in (change for _ in range(200) for change in live.advance(50))
        if (message := writer.write(change, live.now_ms)).mt == 11
    ]
    without = [n for n, outcomes in enumerate(odds, 1) if any("odds" not in outcome for outcome in outcomes)]
    assert without == list(range(3, len(odds) + 1, 3))
