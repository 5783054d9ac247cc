"""Planted in Kambi's topics and final state: each is named, and what is right is not."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.chaos.checker.building import Raw, made
from tests.chaos.checker.cabinet import Cabinet
from tests.chaos.checker.kambi_accounts import Accounts, side_by_side
from tests.chaos.checker.kambi_offering import Event, Offering, judge_final
from tests.chaos.checker.kambi_oracle import Oracle
from tests.chaos.checker.order import judge_order
from tests.chaos.checker.verdict import Verdict


def bulk(*children: dict[str, Any]) -> bytes:
    return ("2" + json.dumps(["message", json.dumps(children)])).encode()


def odds(t: int, **prices: int) -> dict[str, Any]:
    listed = [{"id": int(name[1:]), "betOfferId": 7, "odds": price} for name, price in prices.items()]
    return {"t": str(t), "mt": 11, "boou": {"eventId": 4, "outcomes": listed}}


def changed(t: int, **prices: int) -> dict[str, Any]:
    listed = [{"id": int(name[1:]), "odds_thousandths": price} for name, price in prices.items()]
    return {"event_id": 4, "offer_id": 7, "vendor_time_ms": t, "source": "push", "outcomes": listed}


OFFERS = "kambi.offers"
T = 1_790_000_000_000


class Kambi:
    """An offer of two outcomes whose odds change twice; the first change comes over both lines."""

    def __init__(self) -> None:
        raw = Raw("kambi")
        raw.add("opened", "kambi-0-general", "g", 0, 99, {"shard": 0, "shards": 2})
        offer = {"id": 7, "eventId": 4, "outcomes": [{"id": 1, "odds": 1500}, {"id": 2, "odds": 2500}]}
        event = {"t": str(T), "mt": 4, "ea": {"event": {"id": 4, "state": "NOT_STARTED"}}}
        other = {"t": str(T), "mt": 18, "er": {"eventId": 5}}
        raw.add("frame", "kambi-0-general", "g", 1, 100, bulk(event, other))
        raw.add("frame", "kambi-0-general", "g", 2, 100, bulk({"t": str(T), "mt": 6, "boa": {"betOffer": offer}}))
        raw.add("frame", "kambi-0-events-0", "e", 1, 101, bulk(odds(T + 1, o1=1600, o2=2400)))
        raw.add("frame", "kambi-0-general", "g", 3, 101, bulk(odds(T + 1, o1=1600)))
        raw.add("frame", "kambi-0-events-0", "e", 2, 102, bulk(odds(T + 2, o1=1700), {"t": "1", "mt": 99}))
        self.raw = raw.records
        added = {"event_id": 4, "offer_id": 7, "suspended": False, "vendor_time_ms": T, "outcomes": []}
        added["outcomes"] = [{"id": 1, "odds_thousandths": 1500}, {"id": 2, "odds_thousandths": 2500}]
        self.made = [
            made("kambi", "kambi.events", "event.added", "1/0", {"event_id": 4, "state": "NOT_STARTED"}),
            made("kambi", OFFERS, "offer.added", "2/0", added),
            made("kambi", OFFERS, "odds.changed", "3/0", changed(T + 1, o1=1600, o2=2400), offset=1),
            made("kambi", OFFERS, "odds.changed", "5/0", changed(T + 2, o1=1700), offset=2),
            replace(
                made("kambi", "kambi.dead-letters", "x", "", {}),
                headers={"tc-source": b"p.kambi.raw/0/5/1", "tc-code": b"kambi.unknown-message-type"},
            ),
        ]
        outcomes = {"1": {"odds": 1700, "status": None}, "2": {"odds": 2400, "status": None}}
        self.state: dict[str, Any] = {
            "4": {"state": "NOT_STARTED", "offers": {"7": {"suspended": False, "visible": True, "outcomes": outcomes}}}
        }

    def judged(self) -> Verdict:
        verdict = Verdict()
        cabinet = Cabinet(None)
        cabinet.put([*self.raw, *self.made])
        for topic, identity, times in cabinet.twice():
            verdict.find("duplicated", f"{topic} {identity} {times}")
        judge_order(cabinet.read(OFFERS), verdict)
        accounts, offering = Accounts(0, verdict), Offering(verdict)
        for record, outputs in side_by_side(cabinet.read("kambi.raw", 0), cabinet.made_of("p.kambi.raw", 0)):
            accounts.take(record, outputs)
            for output in outputs:
                if output.topic != "kambi.dead-letters":
                    offering.take(output, json.loads(output.value or b""))
        oracle = Oracle(0)
        for record in self.raw:
            oracle.take(record)
        judge_final(offering.events, self.state, oracle.events(), accounts.mentioned, verdict)
        return verdict

    def edit(self, index: int, **changes: Any) -> None:
        value = json.loads(self.made[index].value or b"") | changes
        self.made[index] = replace(self.made[index], value=json.dumps(value).encode())


def test_kambi_as_it_should_be_holds():
    verdict = Kambi().judged()
    assert dict(verdict.findings) == {}
    assert verdict.counts["kambi: copies of earlier facts"] == 1
    assert verdict.counts["kambi: events that raw alone does not add up to"] == 0
    assert verdict.counts["kambi: candidates of other shards"] == 1


def lost(world: Kambi) -> None:
    del world.made[3]


def lost_dead_letter(world: Kambi) -> None:
    del world.made[4]


def twice(world: Kambi) -> None:
    world.made.append(replace(world.made[2], offset=9))


def copy_came_out(world: Kambi) -> None:
    world.made.append(made("kambi", OFFERS, "odds.changed", "4/0", changed(T + 1, o1=1600), offset=3))


def copy_of_a_whole_record_came_out(world: Kambi) -> None:
    event = {"t": str(T), "mt": 4, "ea": {"event": {"id": 4, "state": "NOT_STARTED"}}}
    world.raw.append(
        replace(world.raw[5], offset=6, value=bulk(event), headers=world.raw[5].headers | {"tc-frame": b"3"})
    )
    again = {"event_id": 4, "state": "NOT_STARTED"}
    world.made.append(made("kambi", "kambi.events", "event.added", "6/0", again, offset=1))


def end_of_nothing(world: Kambi) -> None:
    world.made.append(made("kambi", OFFERS, "offers.removed", "5/0/0", {"event_id": 4}, offset=3))


def an_end(world: Kambi, *told: str) -> None:
    """Event 6 ends; ``told``: where else it is said."""
    end = bulk({"t": str(T + 9), "mt": 18, "er": {"eventId": 6}})
    world.raw.append(replace(world.raw[5], offset=6, value=end, headers=world.raw[5].headers | {"tc-frame": b"3"}))
    value = {"event_id": 6, "vendor_time_ms": T + 9}
    world.made.append(made("kambi", "kambi.events", "event.removed", "6/0", value, key="6", offset=1))
    for number, name in enumerate(told):
        world.made.append(made("kambi", f"kambi.{name}", f"{name}.removed", f"6/0/{number}", value, key="6", offset=9))


def end_that_scores_do_not_say(world: Kambi) -> None:
    an_end(world, "offers")


def test_an_end_is_told_to_who_reads_one_topic_alone():
    world = Kambi()
    an_end(world, "offers", "scores")
    assert dict(world.judged().findings) == {}


def swapped(world: Kambi) -> None:
    world.made[2], world.made[3] = replace(world.made[2], offset=2), replace(world.made[3], offset=1)


def lacks_an_outcome(world: Kambi) -> None:
    world.edit(2, outcomes=[{"id": 1, "odds_thousandths": 1600}])


def another_type(world: Kambi) -> None:
    world.made[1] = replace(
        world.made[1], headers=world.made[1].headers | {"ce_type": b"tricast.kambi.offer.removed.v1"}
    )


def wrong_price(world: Kambi) -> None:
    world.edit(3, outcomes=[{"id": 1, "odds_thousandths": 1701}])


def wrong_price_that_is_corrected_later(world: Kambi) -> None:
    world.edit(2, outcomes=[{"id": 1, "odds_thousandths": 1601}, {"id": 2, "odds_thousandths": 2400}])


def wrong_price_of_an_offer(world: Kambi) -> None:
    world.edit(1, outcomes=[{"id": 1, "odds_thousandths": 1500}, {"id": 2, "odds_thousandths": 2501}])


def another_offer(world: Kambi) -> None:
    world.edit(2, offer_id=8)


def another_time(world: Kambi) -> None:
    world.edit(1, vendor_time_ms=T - 1)


def wrong_state_of_an_event(world: Kambi) -> None:
    world.edit(0, state="STARTED")


def wrong_state(world: Kambi) -> None:
    world.state["4"]["state"] = "STARTED"


def event_is_unknown(world: Kambi) -> None:
    world.state["6"] = {"state": "STARTED", "offers": {}}


def test_an_event_to_come_that_only_another_shards_line_announced_fell_into_a_gap_of_its_own():
    world = Kambi()
    world.state["5"] = {"state": "NOT_STARTED", "offers": {}}
    verdict = world.judged()
    assert verdict.counts["kambi: events to come whose announcement fell into a gap"] == 1
    assert not verdict.findings


def another_shards_event(world: Kambi) -> None:
    world.made.append(made("kambi", "kambi.events", "event.removed", "1/1", {"event_id": 5}, key="5"))


def older_as_current(world: Kambi) -> None:
    world.edit(3, vendor_time_ms=T)


KAMBI = {
    lost: {"not-normalized", "final-state"},
    lost_dead_letter: {"not-normalized"},
    twice: {"duplicated", "reordered"},
    copy_came_out: {"duplicated", "reordered"},
    copy_of_a_whole_record_came_out: {"duplicated"},
    swapped: {"reordered"},
    end_of_nothing: {"not-normalized"},
    end_that_scores_do_not_say: {"not-normalized"},
    lacks_an_outcome: {"not-normalized", "final-state"},
    another_type: {"not-normalized"},
    wrong_price: {"final-state", "not-normalized"},
    wrong_price_that_is_corrected_later: {"not-normalized"},
    wrong_price_of_an_offer: {"not-normalized"},
    another_offer: {"final-state", "not-normalized"},
    another_time: {"not-normalized"},
    wrong_state_of_an_event: {"final-state", "not-normalized"},
    wrong_state: {"final-state"},
    event_is_unknown: {"final-state"},
    another_shards_event: {"not-normalized"},
    older_as_current: {"reordered", "not-normalized"},
}


@pytest.mark.parametrize(("plant", "kinds"), KAMBI.items(), ids=[plant.__name__ for plant in KAMBI])
def test_what_is_planted_in_kambi_is_named(plant, kinds):
    world = Kambi()
    plant(world)
    assert set(world.judged().found) == kinds


def test_an_event_that_ended_before_it_opened_is_a_limit_only_of_a_connector_that_began_anew():
    event = {"t": str(T), "mt": 4, "ea": {"event": {"id": 8, "state": "NOT_STARTED"}}}
    for was_restarted, kinds in ((True, set()), (False, {"final-state"})):
        raw, verdict, offering, oracle = Raw("kambi"), Verdict(), Offering(Verdict()), Oracle(0)
        raw.add("frame", "kambi-0-general", "g", 1, 100, bulk(event))
        oracle.take(raw.records[0])
        announced = {"event_id": 8, "state": "NOT_STARTED"}
        offering.take(made("kambi", "kambi.events", "event.added", "0/0", announced), announced)
        judge_final(offering.events, {}, oracle.events(), {8}, verdict, was_restarted=was_restarted)
        assert set(verdict.found) == kinds


def test_what_came_of_an_event_between_the_gaps_that_it_opened_and_ended_in_is_of_the_same_limit():
    change = {"event_id": 8, "offer_id": 9, "suspended": True, "visible": True}
    for state, kinds in ((None, set()), ("STARTED", {"final-state"})):
        verdict, offering = Verdict(), Offering(Verdict())
        offering.take(made("kambi", OFFERS, "offer.status-changed", "0/0", change), change)
        offering.events[8].state = state
        judge_final(offering.events, {}, {}, {8}, verdict, was_restarted=True)
        assert set(verdict.found) == kinds


def test_offers_of_an_event_that_never_was_live_are_not_judged():
    change = {"event_id": 8, "offer_id": 9, "suspended": True, "visible": True}
    for state, kinds in (("NOT_STARTED", set()), ("STARTED", {"final-state"})):
        verdict, offering = Verdict(), Offering(Verdict())
        offering.take(made("kambi", OFFERS, "offer.status-changed", "0/0", change), change)
        offering.events[8].state = state
        judge_final(offering.events, {"8": {"state": state, "offers": {}}}, {}, {8}, verdict)
        assert set(verdict.found) == kinds


@pytest.mark.parametrize(
    ("is_told", "is_kept", "kinds"),
    [(False, False, set()), (True, True, set()), (True, False, {"final-state"})],
    ids=["hidden in a gap", "hidden on record", "hidden on record and removed"],
)
def test_an_offer_that_is_hidden_is_gone_only_for_whoever_was_not_told(is_told, is_kept, kinds):
    raw, verdict, oracle = Raw("kambi"), Verdict(), Oracle(0)
    event = {"id": 8, "state": "STARTED"}
    said = [
        {"t": str(T), "mt": 4, "ea": {"event": event}},
        {"t": str(T), "mt": 6, "boa": {"betOffer": {"id": 9, "eventId": 8, "outcomes": []}}},
        {"t": str(T + 1), "mt": 8, "bosu": {"eventId": 8, "betOfferId": 9, "visible": False}},
    ]
    raw.add("frame", "kambi-0-general", "g", 1, 100, bulk(*said[: 2 + is_told]))
    raw.add("snapshot", "kambi-0-snapshots", "s", 1, 200, {"events": [event], "betOffers": []})
    asked = {"tc-position": "betoffer/event/8.json", "tc-status": "200", "tc-requested-ns": f"{T + 9_000}000000"}
    raw.records[1].headers.update((name, text.encode()) for name, text in asked.items())
    for record in raw.records:
        oracle.take(record)
    hidden: dict[str, Any] = {"suspended": False, "visible": False, "outcomes": {}}
    known = {8: Event("STARTED", offers={9: hidden} if is_kept else {})}
    vendor = {"8": {"state": "STARTED", "offers": {"9": hidden}}}
    judge_final(known, vendor, oracle.events(), {8}, verdict)
    assert set(verdict.found) == kinds
    assert verdict.counts["kambi: events that raw alone does not add up to"] == 0


def test_what_a_repeat_made_is_named():
    world = Kambi()
    repeat = replace(world.raw[5], offset=6)
    world.raw.append(repeat)
    assert world.judged().held
    world.made.append(made("kambi", OFFERS, "odds.changed", "6/0", changed(T + 2, o1=1700), offset=4))
    assert set(world.judged().found) == {"duplicated"}
