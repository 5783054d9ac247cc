"""The trader: what he says about referred bets, in which shapes, and that the truth is written down."""

import json
import re
from collections import Counter
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from simulators.rms.approvals import JUNK, approval
from simulators.rms.bets import Bet, Book
from simulators.rms.config import RmsPlatformSettings, RmsSimulatorSettings, RmsTraderSettings
from simulators.rms.platform import BetPlatform
from simulators.rms.trader import Move, Trader
from tests.simulators.rms_client import S, staged, until

NOW_NS = 1_772_445_851_532_123_400  # 2026-03-02T10:04:11.5321234Z
CODE = "k3v9q7a1z-m4n8p2x6c0"
BIG = "9007199254740995"


def bet_of(slip_id: str | None = "7d5f3c1a", number=1) -> Bet:
    return Bet(
        number=number,
        code=CODE,
        short_code="7306",
        customer="90210",
        platform=4021,
        slip={} if slip_id is None else {"betSlipId": slip_id},
        disposition="referred",
        placed_ns=NOW_NS,
    )


def said(bet=None, **move):
    packet = approval(bet or bet_of(), Move.model_validate({"outcome": "accept"} | move), NOW_NS, other_code="other")
    name, *arguments = json.loads(packet[1:], parse_float=Decimal)
    assert packet[0] == "2"
    return name, arguments


WHOLE = {
    "betSlipId": "7d5f3c1a",
    "bet_code": CODE,
    "shortCode": "7306",
    "customerId": "90210",
    "platform_id": 4021,
    "acceptedAt": "2026-03-02T10:04:11.532Z",
}


@pytest.mark.parametrize(
    ("shape", "arguments"),
    [
        ("object", [WHOLE]),
        ("list", [[WHOLE]]),
        ("two-arguments", [WHOLE, WHOLE]),
        ("two-elements", [[WHOLE, WHOLE]]),
    ],
)
def test_shapes(shape, arguments):
    assert said(shape=shape) == ("RESERVE_BET_ACCEPT", arguments)


def test_the_shape_of_a_json_string():
    name, (text,) = said(shape="string", outcome="reject", reason="Exposure too high")
    assert name == "RESERVE_BET_REJECT"
    rejected = {name: value for name, value in WHOLE.items() if name != "acceptedAt"}
    assert json.loads(text) == rejected | {"rejectedAt": WHOLE["acceptedAt"], "reason": "Exposure too high"}


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ("both", {"betSlipId": "7d5f3c1a", "bet_code": CODE, "shortCode": "7306"}),
        ("slip", {"betSlipId": "7d5f3c1a"}),
        ("code", {"bet_code": CODE}),
        ("short", {"shortCode": "7306"}),
        ("none", {}),
        ("disagree", {"betSlipId": "7d5f3c1a", "bet_code": "other"}),
    ],
)
def test_ids(ids, expected):
    _, (body,) = said(ids=ids, time="none")
    assert body == expected | {"customerId": "90210", "platform_id": 4021}


@pytest.mark.parametrize(
    ("spelling", "names"),
    [
        ("documented", ["betSlipId", "bet_code", "shortCode", "customerId", "platform_id"]),
        ("camel", ["betSlipId", "betCode", "shortCode", "customerId", "platformId"]),
        ("snake", ["bet_slip_id", "bet_code", "short_code", "customer_id", "platform_id"]),
        ("code", ["betSlipId", "code", "shortCode", "customerid", "platform_id"]),
    ],
)
def test_spellings(spelling, names):
    assert list(said(spelling=spelling, time="none")[1][0]) == names


@pytest.mark.parametrize(
    ("time", "written"),
    [
        ("iso", "2026-03-02T10:04:11.532Z"),
        ("iso7", "2026-03-02T10:04:11.5321234Z"),
        ("epoch-ms", NOW_NS // 1_000_000),
        ("future", "2026-03-02T11:04:11.532Z"),
    ],
)
def test_times(time, written):
    assert said(time=time)[1][0]["acceptedAt"] == written


@pytest.mark.parametrize(
    ("slip_id", "numbers", "written"),
    [
        ("4459816548", True, 4459816548),
        (BIG, True, int(BIG)),
        ("9" * 25, True, int("9" * 25)),
        (BIG, False, BIG),
        ("007", True, "007"),
        ("7d5f", True, "7d5f"),
        ("²", True, "²"),
    ],
)
def test_ids_of_digits_can_be_numbers_of_any_size(slip_id, numbers, written):
    _, (body,) = said(bet_of(slip_id), numbers=numbers)
    assert body["betSlipId"] == written
    assert body["customerId"] == (90210 if numbers else "90210")


def test_a_bet_without_slip_id_is_named_by_its_code_only():
    assert "betSlipId" not in said(bet_of(None))[1][0]


def test_amended_stake_and_odds_are_exact():
    _, (body,) = said(stake="250.10", odds="1.950")
    assert (str(body["approvedStake"]), str(body["odds"])) == ("250.10", "1.950")


def plans(count=2_000, seed=1, **settings):
    trader = Trader(RmsTraderSettings(**settings), seed=seed, referred_share=0.5, rejected_share=0.1)
    return [trader.plan(bet_of(number=number)) for number in range(count)]


def test_the_same_seed_gives_the_same_plans_whatever_else_happens():
    settings: dict[str, Any] = {"repeat_share": 0.3, "contradict_share": 0.3, "amend_share": 0.3}
    assert plans(**settings) == plans(**settings)
    assert plans(**settings) != plans(seed=2, **settings)
    assert plans(5, **settings) == plans(**settings)[:5]


def test_shares_of_decisions():
    told = plans(repeat_share=0.2, contradict_share=0.1, amend_share=0.25, decide_after_s=(1, 3), number_share=0.5)
    first = Counter(moves[0].outcome for moves in told)
    assert first["accept"] / 2_000 == pytest.approx(0.6, abs=0.05)
    assert first["reject"] / 2_000 == pytest.approx(0.3, abs=0.05)
    decided = [moves for moves in told if moves[0].outcome != "ignore"]
    assert all(len(moves) == 1 for moves in told if moves[0].outcome == "ignore")
    repeats = sum(any(move.outcome == moves[0].outcome for move in moves[1:]) for moves in decided)
    contradictions = sum(any(move.outcome != moves[0].outcome for move in moves) for moves in decided)
    assert repeats / len(decided) == pytest.approx(0.2, abs=0.05)
    assert contradictions / len(decided) == pytest.approx(0.1, abs=0.05)
    moves = [move for plan in decided for move in plan]
    amended = sum((move.stake is None) != (move.odds is None) for move in moves)
    assert amended / len(moves) == pytest.approx(0.25, abs=0.05)
    assert sum(move.numbers for move in moves) / len(moves) == pytest.approx(0.5, abs=0.05)
    assert all(1 <= plan[0].after_s <= 3 for plan in told)
    assert all(1 <= later.after_s - move.after_s <= 3 for plan in told for move, later in pairwise(plan))


def test_manners_are_drawn_from_those_that_are_set():
    drawn = plans(
        shapes=("object", "string", "list"), ids=("slip", "code"), spellings=("camel",), times=("none", "iso")
    )
    moves = [move for plan in drawn for move in plan if move.outcome != "ignore"]
    assert {move.shape for move in moves} == {"object", "string", "list"}
    assert {move.ids for move in moves} == {"slip", "code"}
    assert {move.spelling for move in moves} == {"camel"}
    assert {move.time for move in moves} == {"none", "iso"}


def test_shares_of_dispositions():
    trader = Trader(RmsTraderSettings(), seed=1, referred_share=0.5, rejected_share=0.1)
    drawn = Counter(trader.disposition(number) for number in range(2_000))
    assert drawn["referred"] / 2_000 == pytest.approx(0.5, abs=0.05)
    assert drawn["rejected"] / 2_000 == pytest.approx(0.1, abs=0.05)


@pytest.mark.parametrize(("kind", "form"), [("uuid", r"[0-9a-f-]{36}"), ("digits", r"\d{16}"), ("big", r"\d{17}")])
def test_the_platform_fills_in_slips_of_the_sheet(kind, form):
    credentials = RmsSimulatorSettings().credentials
    settings = RmsPlatformSettings(slip_ids=kind, bets_per_second=50)
    platform = BetPlatform(settings, credentials, seed=3, start_ns=NOW_NS)
    placed = [placed for _ in range(10) for placed in platform.advance(S)]
    assert len(placed) == 500
    assert {(customer, where) for customer, where, _ in placed} == {("90210", 4021)}
    slips = [slip for _, _, slip in placed]
    assert len({slip["betSlipId"] for slip in slips}) == 500
    for slip in slips:
        assert re.fullmatch(form, slip["betSlipId"])
        assert (kind == "big") is (slip["betSlipId"].isdecimal() and int(slip["betSlipId"]) > 1 << 53)
        assert slip["totalSelections"] == len(slip["selections"])
        assert slip["betSlipContext"] in ("prematch", "live", "inplay")
        assert all(int(selection["bet"]["id"]) > 1 << 53 for selection in slip["selections"])
    again = BetPlatform(settings, credentials, seed=3, start_ns=NOW_NS + S)
    other = [slip for _, _, slip in again.advance(10 * S)]
    without_id = [[{**slip, "betSlipId": ""} for slip in run] for run in (slips, other)]
    assert without_id[0] == without_id[1]
    assert not {slip["betSlipId"] for slip in slips} & {slip["betSlipId"] for slip in other}


def test_customers_can_have_the_same_slip_ids():
    settings = RmsSimulatorSettings.model_validate(
        {"credentials": [{}, {"client_id": "other", "customer_id": "7"}], "platform": {"same_slip_ids": True}}
    )
    platform = BetPlatform(settings.platform, settings.credentials, seed=1, start_ns=NOW_NS)
    placed = [(customer, slip["betSlipId"]) for customer, _, slip in platform.advance(100 * S)]
    assert len(set(placed)) == len(placed) == 200
    assert set(Counter(slip_id for _, slip_id in placed).values()) == {2}


def test_codes_are_unique_also_over_restarts_and_the_oldest_bets_are_forgotten():
    codes = set()
    for start_ns in (NOW_NS, NOW_NS + S):
        book = Book(seed=1, start_ns=start_ns, kept=3)
        bets = [
            book.add(customer="7", platform=1, slip={"betSlipId": str(n % 7)}, disposition="referred", now_ns=0)
            for n in range(500)
        ]
        codes |= {bet.code for bet in bets}
        assert (len(book), book.by_code(bets[0].code), book.by_code(bets[-1].code)) == (3, None, bets[-1])
        assert book.by_slip("7", bets[-1].slip_id or "") is bets[-1]
        assert book.by_slip("8", bets[-1].slip_id or "") is None
        assert [bet.number for bet in book.after(498)] == [499, 500]
    assert len(codes) == 1_000
    assert all(re.fullmatch("[0-9a-z]{9}-[0-9a-z]{10}", code) for code in codes)


def test_no_junk_names_a_bet():
    assert all('"betSlipId":"' not in packet for packet in JUNK)


async def test_moves_are_made_when_they_are_due_and_the_first_stands(tmp_path):
    moves = [
        {"outcome": "ignore", "after_s": 1},
        {"outcome": "reject", "after_s": 2},
        {"outcome": "reject", "after_s": 3, "shape": "string"},
        {"outcome": "accept", "after_s": 4},
    ]
    async with staged(tmp_path) as stage, stage.joined() as socket:
        bet = await stage.place(moves=moves)
        stands: list[str] = []
        truth: dict[str, Any] = {}
        for turn in range(1, 5):
            stage.turn(0.999)
            assert (await stage.control("pause"))["waiting"] == 5 - turn
            stage.turn(0.001)
            await until(lambda turn=turn: len(stage.ledger("decision")) == turn)
            (truth,) = (await stage.ask("/simulator/decisions"))[1]["bets"]
            stands.append(truth["stands"])
        names = [json.loads((await socket.recv())[2:])[0] for _ in range(3)]
    assert names == ["RESERVE_BET_REJECT", "RESERVE_BET_REJECT", "RESERVE_BET_ACCEPT"]
    assert stands == ["ignore", "reject", "reject", "reject"]
    assert [line.stands for line in stage.ledger("decision")] == stands
    assert [line.turn for line in stage.ledger("decision")] == [1, 2, 3, 4]
    assert truth["code"] == bet["answer"]["bet_code"]
    assert [decision["reached"] for decision in truth["decisions"]] == [0, 1, 1, 1]


async def test_what_is_decided_while_nobody_is_there_is_lost_and_never_sent_again(tmp_path):
    async with staged(tmp_path) as stage:
        lost = await stage.place()
        assert (await stage.decide(lost))["reached"] == 0
        async with stage.joined() as socket:
            heard = await stage.place()
            assert (await stage.decide(heard))["reached"] == 1
            assert heard["answer"]["bet_code"] in await socket.recv()
    (line,) = stage.ledger("lost")
    assert (line.decision, line.fault, line.connection) == (1, "no-socket", None)
    assert lost["answer"]["bet_code"] in (line.packet or "")
    assert [line.decision for line in stage.ledger("frame") if line.decision] == [2]


async def test_the_trader_decides_the_bets_of_the_platform(tmp_path):
    settings = {
        "platform": {"bets_per_second": 10},
        "trader": {"decide_after_s": [1, 2], "repeat_share": 0.2, "contradict_share": 0.2},
    }
    async with staged(tmp_path, **settings) as stage, stage.joined() as socket:
        stage.turn(30)
        await until(lambda: len(stage.ledger("bet")) == 300)
        await stage.control("pause")
        while (await stage.control("pause"))["waiting"]:
            stage.turn(1)
        events = sum(line.outcome != "ignore" for line in stage.ledger("decision"))
        packets = [await socket.recv() for _ in range(events)]
        truth = (await stage.ask("/simulator/decisions"))[1]["bets"]
        bets = (await stage.ask("/simulator/bets?after=250"))[1]["bets"]
    referred = [line for line in stage.ledger("bet") if line.disposition == "referred"]
    assert [bet["code"] for bet in truth] == [line.bet for line in referred]
    assert all(bet["decisions"] for bet in truth)
    assert len(bets) == 50
    frames = [line for line in stage.ledger("frame") if line.decision]
    assert [f"4{line.packet}" for line in frames] == packets
    decided = {line.decision: line for line in stage.ledger("decision")}
    for line in frames:
        name, body = json.loads((line.packet or "")[1:])
        decision = decided.pop(line.decision)
        assert (body["bet_code"], body["betSlipId"]) == (decision.bet, decision.slip)
        assert name == {"accept": "RESERVE_BET_ACCEPT", "reject": "RESERVE_BET_REJECT"}[decision.outcome or ""]
    assert {line.outcome for line in decided.values()} == {"ignore"}


def test_settings_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="more than everything"):
        RmsTraderSettings(accept_share=0.7, reject_share=0.4)
    with pytest.raises(ValueError, match="shortest, longest"):
        RmsTraderSettings(decide_after_s=(2, 1))
    with pytest.raises(ValueError, match="more than everything"):
        RmsSimulatorSettings(referred_share=0.7, rejected_share=0.4)
    with pytest.raises(ValueError, match="same client_id"):
        RmsSimulatorSettings.model_validate({"credentials": [{}, {}]})
