"""The simulated live offering: repeatable, and the same from whatever side one looks at it."""

import json
import re
from collections import Counter
from itertools import cycle, islice
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from simulators.kambi.channels import Channels
from simulators.kambi.messages import Message, MessageWriter
from simulators.kambi.offering import Offering
from tests.simulators.consumer import ELEMENTS, Consumer, parse

START_MS = 1_790_000_000_000
SPORTS = {"FOOTBALL", "TENNIS", "BASKETBALL", "GALLOPS"}
BEYOND_A_DOUBLE = (1 << 53) + 1


def offering(seed=1, *, events=4, rate=40.0, duration_s=60.0, **more) -> Offering:
    return Offering(
        seed=seed, start_ms=START_MS, events_live=events, changes_per_second=rate, match_duration_s=duration_s, **more
    )


def writer(*, extended=False, **more) -> MessageWriter:
    return MessageWriter(Channels(offering="kambi", languages=("en_GB",), extended=extended), **more)


def play(live: Offering, steps, *, extended=False) -> list[Message]:
    write = writer(extended=extended).write
    return [write(change, live.now_ms) for step in steps for change in live.advance(step)]


def elements(messages: list[Message], *types: int) -> list[dict[str, Any]]:
    return [parse(message.envelope)[1] for message in messages if message.mt in types]


def all_ids(live: Offering) -> list[int]:
    return [int(event_id) for event_id in live.state()]


def over_http(live: Offering) -> Consumer:
    consumer = Consumer()
    consumer.load(live.betoffer_event(all_ids(live)), live.livedata(all_ids(live)))
    return consumer


def list_view(live: Offering, *terms: str, **more: str) -> list[dict[str, Any]]:
    answer = live.list_view(*terms, **more)
    assert answer is not None
    return answer["events"]


def offers_of(live: Offering) -> list[dict[str, Any]]:
    answer = live.betoffer_event(all_ids(live))
    assert answer is not None
    return answer["betOffers"]


def latest(shown: dict[str, Any]) -> dict[str, Any]:
    """HTTP shows the latest 20 occurrences and ticker lines."""
    cut = {name: dict(list(shown[name].items())[-10:]) for name in ("occurrences", "tickers")}
    return shown | cut


def test_same_seed_and_steps_give_the_same_bytes():
    steps = list(islice(cycle((20, 50, 7, 300)), 1_000))
    first, second = (play(offering(7), steps) for _ in range(2))
    assert len(first) > 4_000
    assert first == second
    assert play(offering(8), steps) != first


def test_load_is_repeatable_too():
    def loaded():
        live = offering(3)
        write = writer().write
        return [write(change, live.now_ms) for _ in range(50) for change in live.load(live.live_event_ids[0], 4)]

    assert len(loaded()) == 200
    assert loaded() == loaded()


def test_every_message_type_comes_and_reads_as_the_sheet_says():
    seen = Counter()
    for message in play(offering(duration_s=30), [50] * 1_500):
        mt, _ = parse(message.envelope)
        assert mt == message.mt
        seen[mt] += 1
    assert set(seen) == set(ELEMENTS)


@settings(max_examples=6, deadline=None, phases=(Phase.explicit, Phase.generate))  # shrinking would take minutes
@given(
    seed=st.integers(0, 1 << 32),
    pattern=st.lists(st.integers(1, 1_000), min_size=1, max_size=6),
    duration_s=st.floats(2, 90),
    speed=st.sampled_from((0.5, 1.0, 10.0)),
    missing_odds_every=st.sampled_from((0, 3)),
)
def test_push_adds_up_to_the_state_at_any_time_and_http_shows_the_same(
    seed, pattern, duration_s, speed, missing_odds_every
):
    live = offering(seed, duration_s=duration_s, speed=speed, missing_odds_every=missing_odds_every)
    consumer = over_http(live)
    write = writer().write
    for number, step in enumerate(islice(cycle(pattern), 160)):
        for change in live.advance(step):
            consumer.apply(*parse(write(change, live.now_ms).envelope))
        if number % 20 == 0:
            state = live.state()
            assert consumer.events == state
            agrees_over_http(live, consumer)


def agrees_over_http(live: Offering, consumer: Consumer) -> None:
    shown = over_http(live)
    visible = live.state(prematch=True)
    for event in visible.values():
        event["offers"] = {key: offer for key, offer in event["offers"].items() if offer["visible"]}
    assert shown.events == visible
    for event_id, extras in shown.shown.items():
        assert latest(extras) == latest(consumer.shown[event_id])
    for item in live.live_open()["liveEvents"]:
        event = visible[str(item["event"]["id"])]
        assert item["event"]["state"] == event["state"] == "STARTED"
        nothing = {"home": "", "away": "", "who": "UNKNOWN"}
        assert item["liveData"]["score"] == (event["score"] or nothing)
        main = item["mainBetOffer"]
        outcomes = {str(o["id"]): {"odds": o.get("odds"), "status": o["status"]} for o in main["outcomes"]}
        assert event["offers"][str(main["id"])]["outcomes"] == outcomes
    for item in list_view(live, attribute="all"):
        for bet_offer in item["betOffers"]:
            outcomes = {str(o["id"]): {"odds": o.get("odds"), "status": o["status"]} for o in bet_offer["outcomes"]}
            assert visible[str(item["event"]["id"])]["offers"][str(bet_offer["id"])]["outcomes"] == outcomes


def test_every_sport_takes_part_in_that_test():
    assert {item["event"]["sport"] for item in offering(events=4).live_open()["liveEvents"]} == SPORTS


def test_events_end_and_others_take_their_place():
    live = offering(duration_s=10, events=6)
    before = set(live.live_event_ids)
    states: dict[int, list[str]] = {}
    removed: list[int] = []
    for message in play(live, [100] * 1_000):
        mt, element = parse(message.envelope)
        if mt == 34:
            states.setdefault(element["id"], []).append(element["state"])
        if mt == 18:
            removed.append(element["eventId"])
    assert before <= set(removed)
    assert all(states[event] == ["FINISHED"] for event in before)
    later = [states[event] for event in removed if event not in before]
    straight, delayed = ["STARTED", "FINISHED"], ["STARTED", "NOT_STARTED", "STARTED", "FINISHED"]
    assert straight in later
    assert delayed in later
    assert all(lived in (straight, delayed) for lived in later)
    assert len(live.live_event_ids) >= 3


def test_a_goal_suspends_every_offer_at_once_and_new_odds_come_before_it_opens():
    live = offering(2, events=1, rate=0.0, duration_s=90)
    burst = play(live, [20])
    while len(elements(burst, 16)) != 1 or elements(burst, 5):
        burst = play(live, [20])
    types = [message.mt for message in burst]
    assert types[:20] == [8] * 20
    assert types.count(8) == len(next(iter(live.state().values()))["offers"])
    assert 16 in types[types.count(8) :]
    assert all(element["suspended"] for element in elements(burst, 8))
    after: list[Message] = []
    while not [element for element in elements(after, 8) if not element["suspended"]]:
        after += play(live, [20])
    assert elements(after, 11)
    assert [message.mt for message in after].index(11) < [message.mt for message in after].index(8)


def test_odds_go_back_and_forth_at_one_time():
    at: dict[Any, list[Any]] = {}
    live = offering(events=2)
    for message in play(live, [50] * 1_500):
        for fact in message.facts if message.mt == 11 else ():
            at.setdefault((fact.outcome, fact.t), []).append(fact.value)
    assert sum(len(odds) == 3 and odds[0] == odds[2] != odds[1] for odds in at.values()) > 20


def test_no_offer_is_told_whole_and_priced_at_one_time_for_those_go_out_on_two_channels():
    live = offering(events=4, duration_s=20, rate=200.0, speed=10)
    whole, priced = set(), set()
    for message in play(live, [50] * 300):
        told = whole if message.mt in (6, 22) else priced if message.mt == 11 else set()
        told.update((fact.outcome, fact.t) for fact in message.facts)
    assert whole
    assert priced
    assert whole.isdisjoint(priced)


def test_a_line_that_moves_is_a_removal_and_an_addition():
    pairs = 0
    live = offering(events=4)
    lines: dict[int, tuple[int, int]] = {}
    for _ in range(600):
        gone = []
        for message in play(live, [100]):
            _, element = parse(message.envelope)
            if message.mt == 7:
                gone.append(lines.get(element["betOfferId"]))
            if message.mt == 6 and element["betOffer"]["outcomes"] and "line" in element["betOffer"]["outcomes"][0]:
                offer = element["betOffer"]
                line = (offer["criterion"]["id"], offer["outcomes"][0]["line"])
                lines[offer["id"]] = line
                pairs += any(old is not None and old[0] == line[0] and old[1] != line[1] for old in gone)
            assert not any("line" in outcome for outcome in element["outcomes"]) if message.mt == 11 else True
    assert pairs


def test_offers_are_hidden_and_shown_outcomes_held_and_released():
    messages = play(offering(rate=100.0), [100] * 1_200)
    assert {element["visible"] for element in elements(messages, 8)} == {True, False}
    statuses = {outcome["status"] for element in elements(messages, 32) for outcome in element["outcomes"]}
    assert statuses == {"OPEN", "SUSPENDED", "SETTLED"}


def test_every_outcome_of_an_event_is_settled_once_by_its_end():
    live = offering(duration_s=15)
    known: dict[str, set[int]] = {}
    settled: Counter[int] = Counter()
    ended = set()
    for event_id, event in live.state().items():
        known[event_id] = {int(o) for offer in event["offers"].values() for o in offer["outcomes"]}
    for message in play(live, [100] * 500):
        mt, element = parse(message.envelope)
        if mt in (6, 22):
            outcomes = element["betOffer"]["outcomes"] if mt == 6 else element["outcomes"]
            known.setdefault(str(element["eventId"]), set()).update(outcome["id"] for outcome in outcomes)
        if mt == 24:
            assert len(element["outcomes"]) <= 50
            settled.update(outcome["id"] for outcome in element["outcomes"])
        if mt == 18:
            ended.add(str(element["eventId"]))
    assert ended
    assert all(settled[outcome] == 1 for event_id in ended for outcome in known[event_id])
    assert set(settled.values()) == {1}


@pytest.mark.parametrize("extended", [False, True])
def test_each_type_rides_on_the_channels_of_the_sheet(extended):
    kind = re.compile(r"v2018\.kambi(?P<lang>\.en_GB)?(?P<ext>\.ext)?\.(?P<bh>bh)?(ev)?(\.(?P<id>\d+))?\.json")
    live = offering(duration_s=20)
    sports = {item["event"]["id"]: item["event"]["sport"] for item in live.live_open()["liveEvents"]}
    seen: dict[int, set[frozenset[str]]] = {}
    for message in play(live, [100] * 600, extended=extended):
        mt, element = parse(message.envelope)
        for item in live.live_open()["liveEvents"] if mt == 5 else ():
            sports[item["event"]["id"]] = item["event"]["sport"]
        kinds = set()
        for key in message.keys:
            match = kind.fullmatch(key)
            assert match is not None
            if match["id"]:
                assert int(match["id"]) == element["eventId"]
            side = "L" if match["lang"] else "N"
            kinds.add("BH" if match["bh"] else ("E" if match["id"] else "X" if match["ext"] else "G") + side)
        assert len(kinds) == len(message.keys)
        if mt == 16 and element["eventId"] in sports:
            assert ("EN" in kinds) is (sports[element["eventId"]] == "TENNIS")
        if mt == 17:
            assert kinds - {"XN"} == ({"GN"} if "sets" in element["statistics"] else {"EN"})
        seen.setdefault(mt, set()).add(frozenset(kinds))

    def general(side: str, *more: str) -> frozenset[str]:
        return frozenset({f"G{side}", *([f"X{side}"] if extended else []), *more})

    def of_offers(side: str) -> set[frozenset[str]]:
        far = [frozenset({f"X{side}", f"E{side}"})] if extended else []
        return {general(side, f"E{side}"), frozenset({f"E{side}"}), *far}

    assert seen == {
        **{mt: {general("L")} for mt in (4, 5, 15)},
        **{mt: {general("N")} for mt in (12, 18, 20, 34)},
        **{mt: of_offers("L") for mt in (6, 8)},
        **{mt: of_offers("N") for mt in (7, 11)},
        16: {general("N"), general("N", "EN")},
        17: {general("N"), frozenset({"EN"})},
        **{mt: {frozenset({"EL"})} for mt in (19, 25)},
        **{mt: {frozenset({"EN"})} for mt in (27, 28, 32)},
        22: seen[22] & of_offers("L"),
        23: seen[23] & of_offers("N"),
        24: {frozenset({"BH"})},
    }


def test_general_channels_carry_main_and_list_view_offers_only():
    listed, every = set(), set()
    live = offering(duration_s=20)
    for message in play(live, [100] * 600):
        for element in elements([message], 6):
            label = element["betOffer"]["criterion"]["label"]
            every.add(label)
            if "v2018.kambi.en_GB.ev.json" in message.keys:
                listed.add(label)
    on_lists = {
        bet_offer["criterion"]["label"] for item in list_view(live, attribute="all") for bet_offer in item["betOffers"]
    }
    assert on_lists <= listed
    assert listed == {
        "Full Time", "Total Goals", "Match Odds", "Set Winner", "Including Overtime", "Handicap", "Total Points",
        "Winner", "Winner at Starting Price",
    }  # fmt: skip
    assert len(every) > 20


def test_ids_pass_32_bits_and_sort_orders_what_a_double_can_hold():
    event = offering().live_open()["liveEvents"][0]
    assert len(str(event["event"]["groupSortOrder"])) == 19
    assert event["event"]["groupSortOrder"] > 1 << 53
    assert event["mainBetOffer"]["id"] > 1 << 32


def test_ids_may_start_beyond_what_a_double_can_hold():
    live = offering(first_id=BEYOND_A_DOUBLE, duration_s=10)
    messages = play(live, [100] * 200)
    named = {
        number
        for message in messages
        for fact in message.facts
        for number in (fact.event, fact.offer, fact.outcome)
        if number is not None
    }
    assert min(named) >= BEYOND_A_DOUBLE
    assert any(number != int(float(number)) for number in named)


def test_a_race_has_runners_and_starting_prices_but_no_sides_no_draw_no_score():
    live = offering(events=4)
    (item,) = list_view(live, "gallops", attribute="competitions")
    event = item["event"]
    assert {"awayName", "homeName", "nameDelimiter"}.isdisjoint(event)
    assert "COMPETITION" in event["tags"]
    assert isinstance(event["meetingId"], str)
    assert all(isinstance(runner["extended"]["age"], str) for runner in event["participants"])
    assert item["liveData"]["score"] == {"home": "", "away": "", "who": "UNKNOWN"}
    assert "matchClock" not in item["liveData"]
    starting = [bet_offer for bet_offer in item["betOffers"] if "STARTING_PRICE" in bet_offer["tags"]]
    assert {outcome.get("odds") for bet_offer in starting for outcome in bet_offer["outcomes"]} <= {-1, None}
    numbers = {runner["startNumber"] for runner in event["participants"]}
    assert {outcome["startNr"] for outcome in item["betOffers"][0]["outcomes"]} == numbers


def test_scratched_runners_cannot_be_bet_on():
    live = offering(events=64)
    scratched = [
        outcome
        for item in list_view(live, "gallops", attribute="all")
        for bet_offer in item["betOffers"]
        for outcome in bet_offer["outcomes"]
        if outcome["scratched"]
    ]
    assert scratched
    assert all("odds" not in outcome and outcome["status"] == "SUSPENDED" for outcome in scratched)


def test_basketball_clocks_run_backwards():
    clocks = [element["matchClock"] for element in elements(play(offering(events=3), [100] * 600), 15)]
    backwards = [clock for clock in clocks if "minutesLeftInPeriod" in clock]
    assert len(backwards) > 5
    for clock in backwards:
        left_s = clock["minutesLeftInPeriod"] * 60 + clock["secondsLeftInMinute"]
        assert clock["minute"] * 60 + clock["second"] + left_s == 600
    assert {clock["running"] for clock in backwards} == {True, False}


def test_a_scorecast_has_combinations_instead_of_outcomes_and_its_odds_never_move():
    live = offering(events=8)
    scorecasts = {offer["id"]: offer for offer in offers_of(live) if offer["betOfferType"]["id"] == 16}
    assert scorecasts
    for offer in scorecasts.values():
        assert offer["outcomes"] == []
        assert offer["scorerType"]["type"] == 1
        parts = offer["combinableOutcomes"]
        single = {outcome["id"] for outcome in (*parts["playerOutcomes"], *parts["resultOutcomes"])}
        combined = {c[side]["id"] for c in parts["outcomeCombinations"] for side in ("playerOutcome", "resultOutcome")}
        assert single == combined
        assert all("odds" not in outcome for outcome in parts["playerOutcomes"])
        assert all(combination["odds"] > 1000 for combination in parts["outcomeCombinations"])
    moved = {o["betOfferId"] for element in elements(play(live, [100] * 300), 11) for o in element["outcomes"]}
    assert scorecasts.keys().isdisjoint(moved)


def test_time_may_be_sped_up_while_the_vendors_clock_is_not():
    slow, fast = offering(duration_s=30), offering(duration_s=30, speed=10)
    slowly, quickly = play(slow, [100] * 60), play(fast, [100] * 60)
    assert slow.now_ms == fast.now_ms == START_MS + 6_000
    assert len(quickly) > 4 * len(slowly)
    versions = [element["score"]["version"] for element in elements(quickly, 16)]
    assert max(versions) <= fast.now_ms + 50


def test_http_knows_what_is_not_there():
    live = offering()
    ids = all_ids(live)
    assert live.betoffer_event([1, 2]) is None
    assert live.livedata([1]) is None
    some = live.betoffer_event([1, ids[0]], range_size=2)
    assert some is not None
    assert [event["id"] for event in some["events"]] == [ids[0]]
    assert some["range"]["total"] > some["range"]["size"] == len(some["betOffers"]) == 2
    assert [body["eventId"] for body in live.livedata([1, ids[0]]) or ()] == [ids[0]]
    assert live.list_view(sport="curling") is None
    assert live.list_view(attribute="whatever") is None
    assert live.push_example("Whatever") is None


def test_the_list_view_shows_announced_events_with_pre_match_offers():
    live = offering(events=8)
    soon: list[dict[str, Any]] = []
    while not soon:
        play(live, [500])
        soon = [item for item in list_view(live, attribute="starting-soon") if "liveData" not in item]
    assert {item["event"]["state"] for item in soon} == {"NOT_STARTED"}
    for item in soon:
        assert item["betOffers"]
        assert all("OFFERED_PREMATCH" in bet_offer["tags"] for bet_offer in item["betOffers"])
        assert live.state()[str(item["event"]["id"])]["offers"] == {}
    start = soon[0]["event"]["start"]
    within = list_view(live, attribute="starting-within", starts_from=start, starts_to=start)
    assert {item["event"]["start"] for item in within} <= {start}
    football = list_view(live, "football")
    assert {item["event"]["sport"] for item in football} == {"FOOTBALL"}
    league = football[0]["event"]["path"][1]["termKey"]
    assert {item["event"]["group"] for item in list_view(live, "football", "all", league)} == {
        football[0]["event"]["group"]
    }


def test_there_is_an_example_of_every_message():
    live = offering()
    names = {
        "EventAdded": 4, "LiveEventOpened": 5, "BetOfferAdded": 6, "BetOfferRemoved": 7, "BetOfferStatusUpdated": 8,
        "BetOfferOddsUpdated": 11, "MatchClockRemoved": 12, "MatchClockUpdated": 15, "EventScoreUpdated": 16,
        "EventStatsUpdated": 17, "EventRemoved": 18, "TickerUpdated": 19, "EventDescriptionUpdated": 20,
        "BetOfferOddsAdded": 22, "BetOfferOddsRemoved": 23, "OutcomesSettled": 24, "MatchOccurrence": 25,
        "VisualizationOccurrence": 27, "LiveStatistics": 28, "OutcomesStatusUpdated": 32, "EventStateUpdated": 34,
    }  # fmt: skip
    assert set(names.values()) == set(ELEMENTS)
    for name, mt in names.items():
        example = live.push_example(name)
        assert example is not None
        assert parse(json.dumps(example).encode())[0] == mt
        assert example["t"] == str(live.now_ms)
    for stats_type, part in (("SET-BASED", "sets"), ("FOOTBALL", "football")):
        example = live.push_example("EventStatsUpdated", stats_type=stats_type)
        assert example is not None
        assert part in example["stats"]["statistics"]


def test_the_odds_ladder_grows():
    decimals = [rung["decimal"] for rung in offering().odds_ladder()["oddsLadder"]]
    assert decimals == sorted(set(decimals))


def test_odds_may_be_left_out_on_purpose():
    live = offering(missing_odds_every=3)
    without = [
        outcome
        for element in elements(play(live, [50] * 300), 11)
        for outcome in element["outcomes"]
        if "odds" not in outcome
    ]
    assert len(without) > 20
    assert all(set(outcome) == {"id", "betOfferId"} for outcome in without)


def test_event_ids_may_be_left_out_of_removals_and_settlements():
    live = offering(duration_s=10)
    write = writer(no_event_id_every=2).write
    messages = [write(change, live.now_ms) for _ in range(300) for change in live.advance(100)]
    for mt in (7, 24):
        with_id = [b"eventId" in message.envelope for message in messages if message.mt == mt]
        assert {True, False} == set(with_id)
    assert all(fact.event for message in messages for fact in message.facts)
