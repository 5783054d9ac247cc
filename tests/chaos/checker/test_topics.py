"""Planted in normalized topics, final states and samples: each is named, and what is right is not."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.chaos.checker import fastpath, rms
from tests.chaos.checker.building import Raw, S, made
from tests.chaos.checker.cabinet import Cabinet
from tests.chaos.checker.group_offsets import Committed
from tests.chaos.checker.kambi_accounts import Accounts, side_by_side
from tests.chaos.checker.kambi_offering import Offering, judge_final
from tests.chaos.checker.kambi_oracle import Oracle
from tests.chaos.checker.order import judge_order
from tests.chaos.checker.record import Record
from tests.chaos.checker.samples import judge_samples
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


def wrong_state(world: Kambi) -> None:
    world.state["4"]["state"] = "STARTED"


def event_is_unknown(world: Kambi) -> None:
    world.state["6"] = {"state": "STARTED", "offers": {}}


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
    lacks_an_outcome: {"not-normalized", "final-state"},
    another_type: {"not-normalized"},
    wrong_price: {"final-state"},
    wrong_state: {"final-state"},
    event_is_unknown: {"final-state"},
    another_shards_event: {"not-normalized"},
    older_as_current: {"reordered"},
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


def test_what_a_repeat_made_is_named():
    world = Kambi()
    repeat = replace(world.raw[5], offset=6)
    world.raw.append(repeat)
    assert world.judged().held
    world.made.append(made("kambi", OFFERS, "odds.changed", "6/0", changed(T + 2, o1=1700), offset=4))
    assert set(world.judged().found) == {"duplicated"}


# FastPath.

FEED = "soccer/fixtures/f/actions"


def action(number: int) -> dict[str, Any]:
    return {"fixtureAction": {"fixtureSeqNum": number, "actionId": f"a{number}", "sendType": "Confirmed"}}


def out(number: int, **marks: Any) -> dict[str, Any]:
    said = {"feed": FEED, "sequence": number, "vendor_sequence": number, "action_id": f"a{number}"}
    return said | {"send_type": "Confirmed"} | marks


class Fastpath:
    """Numbers 1 to 6; 4 the vendor lost for good; 3 comes on a second connection, too."""

    def __init__(self) -> None:
        raw = Raw("fastpath", FEED.encode())
        for n, number in enumerate((1, 2, 3, 5, 6), 1):
            raw.add("frame", FEED, "c", n, 100 + n, action(number))
        raw.add("frame", FEED, "d", 1, 110, action(3))
        raw.add("frame", FEED, "d", 2, 110, {"message": "Heartbeat sent at", "level": "INFO"})
        self.raw = raw.records
        self.healed_ns = 110 * S
        self.ledger: list[dict[str, Any]] = []
        for index, number in enumerate((1, 2, 3, 4, 5, 6)):
            line = {"feed": FEED, "index": index, "number": number, "at_ns": (100 + number) * S}
            self.ledger.append(line | {"kind": "published"})
            sent = {"kind": "frame", "sort": "event", "packet": json.dumps(action(number))}
            self.ledger.append(line | sent)
        self.out = [out(1), out(2), out(3), out(5), out(6)]
        self.findings = [
            {"finding": "gap_suspected", "missing": [[4, 4]]},
            {"finding": "not_repairable", "missing": [[4, 4]]},
        ]

    def judged(self) -> Verdict:
        verdict = Verdict()
        records = [
            made("fastpath", "fastpath.actions", "action", f"{self._source(one)}/0", one, offset=offset)
            for offset, one in enumerate(self.out)
        ]
        accounts = fastpath.Accounts(verdict)
        in_order = sorted(records, key=lambda record: record.origin or ())
        for record, outputs in side_by_side(self.raw, in_order):
            accounts.take(record, outputs)
        accounts.finish()
        feed = fastpath.Feed()
        for record in records:
            fastpath.take_record(feed, FEED, record, json.loads(record.value or b""), verdict)
        for finding in self.findings:
            fastpath.take_finding(feed, finding, verdict)
        fastpath.judge_numbers(fastpath.published(self.ledger), {FEED: feed}, verdict, healed_ns=self.healed_ns)
        return verdict

    @staticmethod
    def _source(one: dict[str, Any]) -> int:
        return 5 if "of_copy" in one else {1: 0, 2: 1, 3: 2, 5: 3, 6: 4}[one["vendor_sequence"]]


def test_fastpath_as_it_should_be_holds():
    verdict = Fastpath().judged()
    assert dict(verdict.findings) == {}
    assert verdict.counts["fastpath: copies of records"] == 1


def fp_lost(world: Fastpath) -> None:
    del world.out[1]


def fp_not_named(world: Fastpath) -> None:
    world.findings.clear()


def fp_twice(world: Fastpath) -> None:
    world.out.append(out(6))


def fp_copy_came_out(world: Fastpath) -> None:
    world.out.insert(3, out(3, late=True, of_copy=True))


def fp_swapped(world: Fastpath) -> None:
    world.out[3], world.out[4] = world.out[4], world.out[3]


def fp_another_action(world: Fastpath) -> None:
    world.out[1] = out(2, action_id="zz")


def fp_named_and_there(world: Fastpath) -> None:
    world.findings.append({"finding": "not_repairable", "missing": [[5, 5]]})


def fp_never_published(world: Fastpath) -> None:
    world.ledger = [line for line in world.ledger if line["number"] != 6]


FASTPATH = {
    fp_lost: {"lost", "not-normalized"},
    fp_not_named: {"lost"},
    fp_twice: {"duplicated", "reordered"},
    fp_copy_came_out: {"duplicated"},
    fp_swapped: {"reordered"},
    fp_another_action: {"final-state", "not-normalized"},
    fp_named_and_there: {"not-normalized"},
    fp_never_published: {"duplicated"},
}


@pytest.mark.parametrize(("plant", "kinds"), FASTPATH.items(), ids=[plant.__name__ for plant in FASTPATH])
def test_what_is_planted_in_fastpath_is_named(plant, kinds):
    world = Fastpath()
    plant(world)
    assert set(world.judged().found) == kinds


def test_what_was_published_behind_the_last_that_came_is_lost_only_if_there_was_time_to_come_back():
    world = Fastpath()
    world.ledger.append({"kind": "published", "feed": FEED, "index": 6, "number": 7, "at_ns": 150 * S})
    assert world.judged().held
    world.healed_ns = 50 * S
    assert set(world.judged().found) == {"lost"}


def test_a_late_number_that_says_so_is_in_order():
    world = Fastpath()
    world.out[1], world.out[2] = world.out[2], out(2, late=True)
    assert world.judged().held


# RMS.

PLACE: rms.Place = ("90210", "s-1")


def judged_rms(
    said: list[tuple[str, int]],
    decisions: list[dict[str, Any]],
    gaps: list[tuple[int, int]],
    disposition: str = "referred",
) -> set[str]:
    verdict = Verdict()
    truth = {PLACE: rms.Bet(disposition, 100 * S, said)}
    bets = {PLACE: rms.Written(99 * S, disposition)}
    rms.judge_outcomes(truth, bets, {PLACE: decisions} if decisions else {}, gaps, verdict, ended_before_ns=500 * S)
    return set(verdict.found)


def decision(outcome: str) -> dict[str, Any]:
    return {"outcome": outcome, "evidence": "approval", "deadline_ns": 160 * S}


ACCEPT, REJECT_LATE = [("accept", 110 * S)], [("reject", 170 * S)]


@pytest.mark.parametrize(
    ("said", "decisions", "gaps", "kinds"),
    [
        (ACCEPT, [decision("accepted")], [], set()),
        ([], [decision("expired")], [], set()),
        (REJECT_LATE, [decision("expired")], [], set()),
        (ACCEPT, [decision("expired_unverified")], [(105 * S, 115 * S)], set()),
        (ACCEPT, [decision("rejected")], [], {"final-state"}),
        (ACCEPT, [decision("expired")], [], {"final-state"}),
        (ACCEPT, [decision("expired_unverified")], [(161 * S, 170 * S)], {"final-state"}),
        (ACCEPT, [], [], {"lost"}),
        (ACCEPT, [decision("accepted"), decision("accepted")], [], {"duplicated"}),
    ],
)
def test_outcomes(said, decisions, gaps, kinds):
    assert judged_rms(said, decisions, gaps) == kinds


def test_what_was_said_in_time_and_heard_too_late_expires_and_is_told_as_late():
    for late, kinds in (({PLACE: 165 * S}, set()), ({PLACE: 120 * S}, {"final-state"}), ({}, {"final-state"})):
        verdict = Verdict()
        rms.judge_outcomes(
            {PLACE: rms.Bet("referred", 100 * S, ACCEPT)},
            {PLACE: rms.Written(99 * S, "referred")},
            {PLACE: [decision("expired")]},
            [],
            verdict,
            ended_before_ns=500 * S,
            late=late,
        )
        assert set(verdict.found) == kinds


def test_an_answer_that_the_router_was_away_for_is_a_limit():
    for stops, kinds in (([(150 * S, 155 * S)], set()), ([(170 * S, 175 * S)], {"final-state"})):
        verdict = Verdict()
        rms.judge_outcomes(
            {PLACE: rms.Bet("referred", 100 * S, [])},
            {PLACE: rms.Written(99 * S, "referred")},
            {PLACE: [decision("expired_unverified") | {"why": "unanswered"}]},
            [],
            verdict,
            ended_before_ns=500 * S,
            stops=stops,
            unanswered_ns=60 * S,
        )
        assert set(verdict.found) == kinds


def test_an_outcome_of_a_bet_nobody_wrote_is_named():
    verdict = Verdict()
    rms.judge_outcomes({}, {}, {PLACE: [decision("accepted")]}, [], verdict, ended_before_ns=0)
    assert set(verdict.found) == {"duplicated"}


def test_what_was_before_the_first_coverage_and_what_is_open_at_the_end_are_gaps_too():
    def health(offset: int, state: str, **said: int) -> Record:
        value = {"line": "rms-1", "state": state} | said
        return made("rms", "rms.health", "line.health", f"{offset}/0", value, offset=offset)

    told = [
        health(1, "suspect", since_ns=3),
        health(2, "live", since_ns=5),
        health(4, "down", since_ns=20),
        health(6, "gapped", since_ns=19, until_ns=30),
        health(7, "live", since_ns=30),
        health(9, "down", since_ns=40),
    ]
    assert rms.uncovered(told) == [(0, 5), (19, 30), (40, 1 << 62)]


def announcements(*, without: int | None = None, wrong: bool = False) -> set[str]:
    raw = Raw("rms", b"90210")
    raw.add("frame", "rms-90210", "c", 1, 100, b'2["RESERVE_BET_ACCEPT",{"betSlipId":"s-1"}]')
    raw.add("frame", "rms-90210", "c", 2, 101, b'2["RESERVE_BET_ACCEPT","{\\"betSlipId\\":\\"s-1\\"}"]')
    raw.add("frame", "rms-90210", "c", 3, 102, b'2["RESERVE_BET_REJECT",[{"bet_code":"x-1"}]]')
    raw.add("frame", "rms-90210", "c", 4, 103, b'2["RESERVE_BET_REJECT",null]')
    out: list[Record] = [
        made("rms", "rms.approvals", "approval", "0/0", {"bet_slip_id": "s-1", "said": "accept"}),
        made("rms", "rms.approvals", "approval", "2/0", {"bet_code": "x-1", "said": "accept" if wrong else "reject"}),
        replace(made("rms", "rms.dead-letters", "x", "", {}), headers={"tc-source": b"p.rms.raw/0/3/0"}),
    ]
    if without is not None:
        del out[without]
    verdict = Verdict()
    accounts = rms.Accounts(verdict)
    for record, outputs in side_by_side(raw.records, out):
        accounts.take(record, outputs)
    return set(verdict.found)


def test_announcements_as_they_should_be_hold():
    assert announcements() == set()


@pytest.mark.parametrize("without", [0, 1, 2])
def test_an_announcement_that_is_nowhere_is_named(without):
    assert announcements(without=without) == {"not-normalized"}


def test_an_approval_of_something_else_is_named():
    assert announcements(wrong=True) == {"not-normalized"}


# Samples.


def sample(at_s: int, committed: int, stable: int, high: int) -> dict[str, Any]:
    return {
        "at_ns": at_s * S,
        "event": "sample",
        "committed": {"g": {"t/0": committed}},
        "stable": {"t/0": stable},
        "high": {"t/0": high},
    }


def test_samples_as_they_should_be_hold_and_tell_how_long_readers_waited():
    verdict = Verdict()
    judge_samples([sample(1, 5, 5, 5), sample(2, 5, 5, 9), sample(5, 6, 5, 9), sample(6, 9, 9, 12)], verdict)
    assert verdict.held
    assert verdict.figures["longest time that a reader was held back, s"] == 3.0


def test_a_committed_offset_that_went_back_is_named():
    verdict = Verdict()
    judge_samples([sample(1, 5, 5, 5), sample(2, 4, 5, 5)], verdict, kept={Committed("g", "t", 0, 4)})
    assert set(verdict.found) == {"offset-went-back"}


def test_a_coordinator_that_shows_less_than_it_has_for_a_while_lost_nothing():
    verdict = Verdict()
    judge_samples([sample(1, 5, 5, 5), sample(2, 4, 5, 5)], verdict, kept={Committed("g", "t", 0, 5)})
    assert verdict.held
