"""What the bet platform makes of answers, and what it writes: pure parts."""

from dataclasses import replace

import pytest
from pydantic import ValidationError

from processors.core.rms.bets.processor import RmsBets
from schemas.rms.pending import Answered, Placed, decode
from simulators.bets.config import BetPlatformSettings
from simulators.bets.slips import answered, key, placed
from simulators.bets.verdict import Again, Found, Reply, detailed, given_up, placing
from simulators.rms.config import RmsCredentialSettings, RmsPlatformSettings
from simulators.rms.platform import BetPlatform
from tests.core.driver import Driver, Record

TAKEN = {"bet_code": "k3v9", "shortCode": "7306", "result": True}
REFUSED = {"result": False, "message": "Bet slip was rejected"}
KNOWN = Found(disposition="unknown", code="k3v9", short_code="7306", result=True)


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (Reply(status=200, body=TAKEN), KNOWN),
        (Reply(status=200, body=TAKEN | {"shortCode": 7306}), KNOWN),
        (Reply(status=200, body={"result": True, "bet_code": None}), Found(disposition="unknown", result=True)),
        (Reply(status=200, body=TAKEN | {"result": False}), replace(KNOWN, disposition="rejected", result=False)),
        (Reply(status=200, body=None), Again(may_be_placed=True)),
        (Reply(status=200, body=[TAKEN]), Again(may_be_placed=True)),
        (Reply(status=200, body={"result": "true"}), Again(may_be_placed=True)),
        (Reply(status=409, body=REFUSED), Found(disposition="rejected", result=False)),
        (Reply(status=400), Found(disposition="rejected", result=False)),
        (Reply(status=404), Found(disposition="rejected", result=False)),
        (Reply(status=422), Found(disposition="rejected", result=False)),
        (Reply(status=401), Again(may_be_placed=False, token_is_bad=True)),
        (Reply(status=429), Again(may_be_placed=False)),
        (Reply(status=None), Again(may_be_placed=False)),
        (Reply(status=0), Again(may_be_placed=True)),
        (Reply(status=500), Again(may_be_placed=True)),
        (Reply(status=503), Again(may_be_placed=True)),
        (Reply(status=302), Again(may_be_placed=True)),
    ],
    ids=lambda value: f"{value.status}-{str(value.body)[:30]}" if isinstance(value, Reply) else "",
)  # fmt: skip
def test_an_answer_of_place_bet(reply: Reply, said: Found | Again):
    assert placing(reply, may_be_placed=False) == said


@pytest.mark.parametrize("status", [400, 403, 404, 409, 422])
def test_a_refusal_after_a_try_that_may_have_placed_the_bet_proves_nothing(status: int):
    assert placing(Reply(status=status, body=REFUSED), may_be_placed=True) == Found(disposition="unknown")


def test_a_bet_that_never_left_is_none_and_any_other_is_unknown():
    assert given_up(may_be_placed=False).disposition == "rejected"
    assert given_up(may_be_placed=True).disposition == "unknown"


@pytest.mark.parametrize(
    ("status", "disposition"),
    [
        ("accepted", "accepted"),
        ("Approved", "accepted"),
        ("rejected", "rejected"),
        ("DECLINED", "rejected"),
        ("cancelled", "rejected"),
        ("reserve", "referred"),
        ("pending", "referred"),
        ("anything else", "referred"),
        ("", "unknown"),
        (None, "unknown"),
        (1, "unknown"),
    ],
)
def test_the_status_of_a_bet(status: object, disposition: str):
    reply = Reply(status=200, body={"success": True, "data": {"code": "k3v9", "status": status}})
    assert detailed(KNOWN, reply) == Found(disposition=disposition, code="k3v9", short_code="7306", result=True)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=200, body={"data": {"code": "other", "status": "accepted"}}),
        Reply(status=200, body={"data": "accepted"}),
        Reply(status=200, body=None),
        Reply(status=404, body={"data": {"code": "k3v9", "status": "accepted"}}),
        Reply(status=429),
        Reply(status=0),
        Reply(status=None),
    ],
    ids=str,
)
def test_without_a_status_of_this_bet_it_stays_unknown(reply: Reply):
    assert detailed(KNOWN, reply) == KNOWN


def test_the_router_takes_every_record_as_it_is():
    story = BetPlatform(
        RmsPlatformSettings(bets_per_second=200), [RmsCredentialSettings(platform_ids=(1, 2))], seed=5, start_ns=0
    )
    at_ns = 1_790_000_000_123_456_789
    router = Driver(RmsBets())
    slips = list(story.advance(1_000_000_000))
    assert len(slips) == 200
    for customer, platform, slip in slips:
        for value in (placed(customer, platform, slip, at_ns), answered(customer, slip, KNOWN, at_ns)):
            router.feed_record(
                Record(
                    offset=router.offset,
                    value=value,
                    headers=(),
                    timestamp=at_ns // 1_000_000,
                    key=key(customer, slip),
                )
            )
    assert not router.dead_letters
    assert not router.counts
    messages = [decode(output.value) for output in router.outputs]
    bets = [message for message in messages if isinstance(message, Placed)]
    answers = [message for message in messages if isinstance(message, Answered)]
    assert {len(bets), len(answers), len(messages) // 3} == {200}
    for bet, (customer, platform, slip) in zip(bets, slips, strict=True):
        assert (bet.customer, bet.platform, bet.slip) == (customer, str(platform), slip["betSlipId"])
        assert bet.stake == f"{slip['stake']['totalAmount']:g}"
        assert bet.odds == tuple(f"{selection['bet']['odds']:g}" for selection in slip["selections"])
        assert bet.placed_ns == at_ns - 789


@pytest.mark.parametrize(
    "url",
    [
        "https://rms.lsports.eu/rms-bet/v1",
        "https://RMS.LSPORTS.EU",
        "https://rms-bet-api.lsports.eu.",
        "http://rms.lsports.cloud:8080",
        "https://app-c5oqfz43eaji.frontegg.com",
        "ftp://127.0.0.1",
        "127.0.0.1:8080",
        "",
    ],
)
def test_invented_bets_are_not_placed_at_the_vendor(url: str):
    with pytest.raises(ValidationError):
        BetPlatformSettings(bets_url=url)
    with pytest.raises(ValidationError):
        BetPlatformSettings(auth_url=url)
    assert BetPlatformSettings(bets_url="http://127.0.0.1:80/rms-bet/v1/").bets_url == "http://127.0.0.1:80/rms-bet/v1"
