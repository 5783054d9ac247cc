"""What packets, statuses and close codes mean, when to join again, how long to wait. No sockets."""

from random import Random

import pytest

from connectors.rms import protocol
from connectors.rms.backoff import JoinedBackoff
from connectors.rms.config import RmsSettings
from connectors.rms.joining import Joining
from connectors.rms.ports import Bearer
from connectors.rms.protocol import Refusal
from connectors.rms.refusals import Refusals
from connectors.runner import ConnectFailed
from schemas.errors import ConfigurationError
from tests.connectors.hand_clock import HandClock


@pytest.mark.parametrize(
    ("packet", "joined"),
    [
        (b'30[{"status":"ok"}]', True),
        (b"30[]", True),
        (b'2["RESERVE_BET_ACCEPT",{}]', True),
        (b'2["RESERVE_BET_REJECT",{}]', True),
        (b'217["RESERVE_BET_REJECT",{}]', True),
        (b'0{"sid":"s"}', False),
        (b'31[{"status":"ok"}]', False),
        (b'2["hello",{}]', False),
        (b'2["hello","RESERVE_BET_ACCEPT"]', False),
        (b'51-["RESERVE_BET_ACCEPT",{"_placeholder":true,"num":0}]', False),
        (b"1", False),
        (b"", False),
        (b"\xff\xfe", False),
    ],
)
def test_what_shows_that_we_joined(packet, joined):
    assert protocol.is_joined(packet) is joined


@pytest.mark.parametrize(
    ("packet", "refusal"),
    [
        (b'4{"message":"m","data":{"statusCode":400}}', Refusal("bad-customer", 400, "m")),
        (b'4{"message":"m","data":{"statusCode":401}}', Refusal("unauthorised", 401, "m")),
        (b'4{"message":"m","data":{"statusCode":402}}', Refusal("account-inactive", 402, "m")),
        (b'4{"message":"m","data":{"statusCode":403}}', Refusal("unknown-customer", 403, "m")),
        (b'4{"message":"m","data":{"statusCode":"429"}}', Refusal("too-many-requests", 429, "m")),
        (b'4{"message":"m","data":{"statusCode":500,"more":[]}}', Refusal("server-error", 500, "m")),
        (b'4{"message":"m","data":{"statusCode":404}}', Refusal("forbidden", 404, "m")),
        (b'4{"message":"m","data":{"statusCode":12}}', Refusal("refused", 0, "m")),
        (b'4{"message":"m","data":{"statusCode":4e2}}', Refusal("refused", 0, "m")),
        (b'4{"message":"m","data":{"statusCode":true}}', Refusal("refused", 0, "m")),
        (b'4{"message":"m","data":{}}', Refusal("refused", 0, "m")),
        (b'4{"message":"m"}', Refusal("refused", 0, "m")),
        (b'4{"message":"m","data":null}', Refusal("refused", 0, "m")),
        (b'4{"message":"m","data":"x"}', Refusal("refused", 0, "m")),
        (b'4{"data":{"statusCode":429}}', Refusal("too-many-requests", 429, "")),
        (b'4{"message":{"a":1},"data":{"statusCode":429}}', Refusal("too-many-requests", 429, "{'a': 1}")),
        (b'4"text"', Refusal("refused", 0, '"text"')),
        (b"4{broken", Refusal("refused", 0, "{broken")),
        (b"4\xff", Refusal("refused", 0, "�")),
        (b"4" + b"[" * 100_000, Refusal("refused", 0, "[" * 100_000)),
        (b"4", Refusal("refused", 0, "")),
        (b"1", Refusal("refused", 0, "")),
    ],
    ids=range(22),
)
def test_what_a_refused_connect_means(packet, refusal):
    assert protocol.refused_connect(packet) == refusal


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (400, "forbidden"),
        (401, "unauthorised"),
        (402, "account-inactive"),
        (403, "forbidden"),
        (404, "forbidden"),
        (429, "too-many-requests"),
        (500, "server-error"),
        (503, "server-error"),
        (200, "refused"),
        (302, "refused"),
    ],
)
def test_what_a_refused_upgrade_means(status, why):
    assert protocol.refused_upgrade(status, "t") == Refusal(why, status, "t")


@pytest.mark.parametrize(
    ("code", "refusal"),
    [
        (4401, Refusal("unauthorised", 401, "r")),
        (4403, Refusal("rights-withdrawn", 403, "r")),
        (1000, None),
        (1001, None),
        (1006, None),
        (4400, None),
    ],
)
def test_which_close_codes_are_refusals(code, refusal):
    assert protocol.refused_close(code, "r") == refusal


class Noted:
    """A recorder and an owner of tokens that only note."""

    line = "rms-1"

    def __init__(self):
        self.records = []
        self.tokens = []

    def refused(self, *said, **more):
        (self.tokens if isinstance(said[0], Bearer) else self.records).append((*said, more))

    def redacted(self, text):
        return text.replace("sesame", "***")


BEARER = Bearer("sesame", 3)


def refusals(noted):
    clock = HandClock()
    return Refusals(RmsSettings(customer_id="1"), recorder=noted, tokens=noted, clock=clock)


@pytest.mark.parametrize(
    ("why", "retry_after", "after_s", "told"),
    [
        ("unauthorised", "", 0, [(BEARER, {})]),
        ("rights-withdrawn", "", 0, [(BEARER, {"rights": True})]),
        ("account-inactive", "", 900, []),
        ("account-inactive", "20", 900, []),
        ("too-many-requests", "", 60, []),
        ("too-many-requests", "17", 60, []),
        ("too-many-requests", "300", 300, []),
        ("too-many-requests", "Thu, 01 Jan 1970 00:02:00 GMT", 120, []),
        ("too-many-requests", "soon", 60, []),
        ("server-error", "", 0, []),
        ("server-error", "30", 30, []),
        ("forbidden", "", 0, []),
        ("refused", "", 0, []),
    ],
)
def test_what_follows_from_a_refusal(why, retry_after, after_s, told):
    noted = Noted()
    error = refusals(noted).error(Refusal(why, 499, "t"), "m", bearer=BEARER, retry_after=retry_after)
    assert isinstance(error, ConnectFailed)
    assert error.retry_after_s == after_s
    assert noted.tokens == told
    assert noted.records == [(499, why, {"facts": {"heard_ns": None}})]


@pytest.mark.parametrize("why", ["bad-customer", "unknown-customer"])
def test_a_customer_that_is_not_known_is_an_error_of_the_settings(why):
    error = refusals(Noted()).error(Refusal(why, 403, "no sesame"), "m", bearer=BEARER)
    assert isinstance(error, ConfigurationError)
    assert "customer 1: 403 no ***" in error.message
    assert "TRICAST_RMS__CUSTOMER_ID" in error.action


def test_rights_that_are_withdrawn_again_end_it_unless_a_connection_held_between():
    known = refusals(Noted())
    withdrawn = Refusal("rights-withdrawn", 403, "t")
    assert isinstance(known.error(withdrawn, "m", bearer=BEARER), ConnectFailed)
    known.accepted()
    known.healthy()
    assert isinstance(known.error(withdrawn, "m", bearer=BEARER), ConnectFailed)
    known.accepted()
    error = known.error(withdrawn, "m", bearer=Bearer("sesame", 4), on_record=True)
    assert isinstance(error, ConfigurationError)
    assert "ARENA360" in error.action


def test_rights_are_not_gone_for_good_before_the_exchange_was_answered():
    noted = Noted()
    known = refusals(noted)
    withdrawn = Refusal("rights-withdrawn", 403, "t")
    for _ in range(3):  # the authentication is away, so that the same token is handed out again
        assert isinstance(known.error(withdrawn, "m", bearer=BEARER), ConnectFailed)
    assert noted.tokens == [(BEARER, {"rights": True})] * 3


def test_only_a_change_of_reason_goes_on_record():
    noted = Noted()
    known = refusals(noted)
    for why in ("server-error", "server-error", "too-many-requests", "server-error"):
        known.error(Refusal(why, 500, ""), "", bearer=BEARER)
    known.accepted()
    known.error(Refusal("server-error", 500, ""), "", bearer=BEARER)
    known.accepted()
    known.error(Refusal("unauthorised", 401, ""), "", bearer=BEARER, on_record=True)
    assert [why for _, why, _ in noted.records] == ["server-error", "too-many-requests", "server-error", "server-error"]


@pytest.mark.parametrize("why", ["account-inactive", "forbidden"])
def test_what_only_people_can_mend_is_an_alarm_once(caplog, why):
    known = refusals(Noted())
    for _ in range(3):
        known.error(Refusal(why, 402, "with sesame"), "", bearer=BEARER)
    (alarm,) = caplog.records
    assert alarm.levelname == "ERROR"
    assert "Operator action" in alarm.message
    assert "with ***" in alarm.message


def test_join_is_sent_again_less_and_less_often_until_it_shows():
    joining = Joining(10, healthy_s=60, sent_s=0)
    steps = {now: step for now in range(200) if (step := joining.step(now_s=now))}
    assert steps == {10: "alarm", 30: "again", 70: "again", 130: "again", 190: "again"}
    assert joining.is_overdue
    joining.joined(now_s=200)
    assert not joining.is_overdue
    later = {now: step for now in range(200, 400) if (step := joining.step(now_s=now))}
    assert later == {260: "healthy"}


def test_a_patience_beyond_the_longest_wait_is_kept():
    joining = Joining(100, healthy_s=60, sent_s=0)
    assert [now for now in range(400) if joining.step(now_s=now)] == [100, 200, 300]


def test_delays_grow_jittered_above_the_floor_and_start_again_once_joined_for_long():
    class Longest(Random):
        def uniform(self, a, b):
            return b

    class Shortest(Random):
        def uniform(self, a, b):
            return a

    backoff = JoinedBackoff((1, 2, 4, 8, 16, 32, 60), floor_s=1)
    assert [backoff.delay_s(1, Longest()) for _ in range(8)] == [2, 3, 5, 9, 17, 33, 61, 61]
    backoff.healthy()
    assert [backoff.delay_s(9, Longest()) for _ in range(2)] == [2, 3]
    assert backoff.delay_s(9, Shortest()) == 1
