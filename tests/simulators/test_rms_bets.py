"""The bet API of the simulated vendor: place-bet and bet/detail as in the sheet, refusals, failures."""

import json

import aiohttp
import pytest

from simulators.rms.betting import BET_DETAIL, PLACE_BET
from tests.simulators.rms_client import staged

SLIP = {
    "betSlipId": "7d5f3c1a-0b2e-4c6d-9a8f-1f2e3d4c5b6a",
    "betSlipContext": "prematch",
    "betType": "single",
    "stake": {"totalAmount": 250},
    "totalSelections": 1,
    "selections": [
        {
            "eventId": "5120033471",
            "eventType": "match",
            "eventContext": "prematch",
            "market": {"id": "1900455120", "line": "1.5"},
            "bet": {"id": "6017722934", "odds": 1.95},
        }
    ],
    "userInfo": {"id": "88017", "userName": "player-88017"},
}
"""The sheet's sample (§9)."""
REFERRED = {"referred_share": 1, "rejected_share": 0, "trader": {"decide_after_s": [5, 5]}}


async def test_a_bet_is_placed_and_told_as_the_sheet_has_it(tmp_path):
    async with staged(tmp_path, referred_share=0, rejected_share=0) as stage:
        headers = await stage.bearer()
        status, answer = await stage.ask(PLACE_BET, json=SLIP, headers=headers)
        assert (status, list(answer), answer["result"]) == (200, ["bet_code", "shortCode", "result"], True)
        assert answer["shortCode"].isdecimal()
        assert await stage.ask(BET_DETAIL, json={"code": answer["bet_code"]}, headers=headers) == (
            200,
            {
                "success": True,
                "data": {
                    "code": answer["bet_code"],
                    "platform_id": 4021,
                    "user_id": 88017,
                    "type": "single",
                    "bet_context": "prematch",
                    "status": "accepted",
                    "result": "pending",
                    "odds": [
                        {
                            "id_market": 1900455120,
                            "market_unique_id": "1900455120",
                            "market_name": "Total",
                            "id_outcome": 6017722934,
                            "unique_id": "5120033471;1900455120;6017722934",
                            "outcome_alias": "Over",
                        }
                    ],
                },
            },
        )
    (bet,) = stage.ledger("bet")
    assert (bet.bet, bet.slip, bet.disposition) == (answer["bet_code"], SLIP["betSlipId"], "accepted")


@pytest.mark.parametrize("waiting", ["reserve", "pending"])
@pytest.mark.parametrize(("outcome", "status"), [("accept", "accepted"), ("reject", "rejected"), ("ignore", None)])
async def test_a_referred_bet_waits_until_it_is_decided_and_stays_so(tmp_path, waiting, outcome, status):
    async with staged(tmp_path, waiting_status=waiting, **REFERRED) as stage:
        headers = await stage.bearer()
        _, answer = await stage.ask(PLACE_BET, json=SLIP, headers=headers)
        assert answer["result"] is True

        async def told():
            _, body = await stage.ask(BET_DETAIL, json={"code": answer["bet_code"]}, headers=headers)
            return body["data"]["status"]

        assert await told() == waiting
        await stage.decide({"answer": answer}, outcome)
        assert await told() == (status or waiting)
        if status is not None:
            await stage.decide({"answer": answer}, "reject" if outcome == "accept" else "accept")
            assert await told() == status


@pytest.mark.parametrize(("mode", "status"), [("409", 409), ("200", 200)])
async def test_a_bet_that_is_rejected_at_once(tmp_path, mode, status):
    async with staged(tmp_path, referred_share=0, rejected_share=1, rejected_answer=mode) as stage:
        headers = await stage.bearer()
        answered, body = await stage.ask(PLACE_BET, json=SLIP, headers=headers)
        assert (answered, body["result"]) == (status, False)
        code = stage.ledger("bet")[0].bet
        _, detail = await stage.ask(BET_DETAIL, json={"code": code}, headers=headers)
        assert detail["data"]["status"] == "rejected"
        assert not (await stage.ask("/simulator/decisions"))[1]["bets"]


def without(name):
    return {key: value for key, value in SLIP.items() if key != name}


@pytest.mark.parametrize(
    ("slip", "status"),
    [
        (without("betSlipId"), 200),
        (without("userInfo"), 200),
        ([SLIP], 400),
        (None, 400),
        (without("betSlipContext"), 400),
        (without("betType"), 400),
        (without("stake"), 400),
        (without("selections"), 400),
        (without("totalSelections"), 400),
        (SLIP | {"betSlipId": ""}, 400),
        (SLIP | {"betSlipId": 7}, 400),
        (SLIP | {"stake": {"totalAmount": -5}}, 400),
        (SLIP | {"stake": {"totalAmount": 0}}, 400),
        (SLIP | {"stake": {"totalAmount": True}}, 400),
        (SLIP | {"stake": 5}, 400),
        (SLIP | {"totalSelections": 2}, 422),
        (SLIP | {"selections": [{}]}, 422),
        (SLIP | {"selections": [7]}, 422),
    ],
)
async def test_slips_that_are_refused(tmp_path, slip, status):
    async with staged(tmp_path, referred_share=0, rejected_share=0) as stage:
        answered, body = await stage.ask(PLACE_BET, json=slip, headers=await stage.bearer())
        assert answered == status
        assert body["result"] is (status == 200)
        assert len(stage.ledger("bet")) == (status == 200)


async def test_a_slip_id_is_good_once_for_each_customer(tmp_path):
    other = {"client_id": "other", "secret": "simulated", "customer_id": "7"}
    async with staged(tmp_path, credentials=[{}, other], rejected_share=0) as stage:
        ours, theirs = await stage.bearer(), await stage.bearer("other")
        _, answer = await stage.ask(PLACE_BET, json=SLIP, headers=ours)
        changed = SLIP | {"stake": {"totalAmount": 1}}
        assert [(await stage.ask(PLACE_BET, json=slip, headers=ours))[0] for slip in (SLIP, changed)] == [409, 409]
        assert (await stage.ask(PLACE_BET, json=SLIP, headers=theirs))[0] == 200
        code = {"code": answer["bet_code"]}
        assert (await stage.ask(BET_DETAIL, json=code, headers=ours))[0] == 200
        status, body = await stage.ask(BET_DETAIL, json=code, headers=theirs)
        assert (status, body) == (404, {"result": False, "message": "Bet not found"})


@pytest.mark.parametrize(
    ("body", "status"), [(b"{", 400), (b"[]", 400), (b"{}", 400), (b'{"code":7}', 400), (b'{"code":"x"}', 404)]
)
async def test_details_that_are_refused(tmp_path, body, status):
    async with staged(tmp_path) as stage:
        answered, said = await stage.ask(BET_DETAIL, data=body, headers=await stage.bearer())
        assert (answered, said["result"]) == (status, False)


@pytest.mark.parametrize("path", [PLACE_BET, BET_DETAIL])
async def test_a_token_is_needed_that_holds(tmp_path, path):
    async with staged(tmp_path) as stage:
        headers = await stage.bearer()
        assert (await stage.ask(path, json={}))[0] == 401
        assert (await stage.ask(path, json={}, headers=headers))[0] == 400
        stage.turn(1_800)
        assert (await stage.ask(path, json={}, headers=headers))[0] == 401


@pytest.mark.parametrize("failure", ["404", "429", "500", "503"])
async def test_failures_with_a_status_strike_each_nth_answer(tmp_path, failure):
    async with staged(tmp_path, faults={"bets_fail_every": 2, "bets_failures": [failure]}) as stage:
        headers, bet = await stage.bearer(), await stage.place()
        code = {"code": bet["answer"]["bet_code"]}
        got = [(await stage.ask(BET_DETAIL, json=code, headers=headers))[0] for _ in range(4)]
        assert got == [200, int(failure), 200, int(failure)]


async def test_other_failures(tmp_path):
    faults = {"bets_fail_every": 1, "bets_failures": ["html", "half", "cut", "slow"], "slow_s": 0.01}
    async with staged(tmp_path, faults=faults) as stage:
        headers, bet = await stage.bearer(), await stage.place()
        code = {"code": bet["answer"]["bet_code"]}
        assert (await stage.answer(BET_DETAIL, json=code, headers=headers))[2].startswith(b"<!DOCTYPE")
        _, _, half = await stage.answer(BET_DETAIL, json=code, headers=headers)
        with pytest.raises(json.JSONDecodeError):
            json.loads(half)
        with pytest.raises(aiohttp.ClientPayloadError):
            await stage.ask(BET_DETAIL, json=code, headers=headers)
        assert (await stage.ask(BET_DETAIL, json=code, headers=headers))[0] == 200


async def test_slips_from_outside_may_be_as_bad_as_they_like_and_are_still_told(tmp_path):
    async with staged(tmp_path) as stage:
        headers = await stage.bearer()
        odd = {"betSlipId": 9007199254740995, "stake": {"totalAmount": -5}, "selections": [7], "userInfo": None}
        bet = await stage.place(slip=odd)
        assert bet["request"]["betSlipId"] == 9007199254740995
        assert "userInfo" not in bet["request"]
        status, body = await stage.ask(BET_DETAIL, json={"code": bet["answer"]["bet_code"]}, headers=headers)
        assert (status, body["data"]["user_id"]) == (200, None)
        assert (await stage.decide(bet))["number"] == 1
