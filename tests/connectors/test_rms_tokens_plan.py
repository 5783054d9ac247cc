"""Tokens without a network: what answers mean, and when which one is asked for, over days in no time."""

import json
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.rms.grants import LIFE_S, Denied, Failed, Grant, Limited, read_answer
from connectors.rms.token_plan import ChainEnded, Exchange, PutOff, Refresh, Refused, Renewed, TokenPlan, Wait

DAY_S = 86_400
CAMEL = {"expires": "", "expiresIn": 1800, "accessToken": "a.b.c", "refreshToken": "r-1"}
SNAKE = {"expires": "", "expires_in": 1800, "access_token": "a.b.c", "refresh_token": "r-1"}


def read(body, status=200, retry_after_s=0.0) -> Any:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_answer(status, text, retry_after_s=retry_after_s)


# -- answers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [CAMEL, SNAKE, CAMEL | {"more": [1]}, {**SNAKE, "accessToken": None}])
def test_both_spellings_are_read_whatever_the_call(body):
    assert read(body) == Grant(access="a.b.c", refresh="r-1", life_s=1800, is_told=True)


@pytest.mark.parametrize("said", [None, 0, -1, True, "", "soon", "-5", [], {}, "1800s"])
def test_without_a_usable_expiry_a_token_counts_as_good_for_less_than_documented(said):
    assert read(CAMEL | {"expiresIn": said}) == Grant(access="a.b.c", refresh="r-1", life_s=LIFE_S, is_told=False)
    assert LIFE_S < 1800


@pytest.mark.parametrize(
    ("said", "life_s"), [("1800", 1800), (1800.0, 1800), (2, 2), (10**9, DAY_S), (10**40, DAY_S), (1e300, DAY_S)]
)
def test_an_expiry_may_be_text_or_a_fraction_and_is_bounded(said, life_s):
    assert read(CAMEL | {"expiresIn": said}).life_s == life_s


@pytest.mark.parametrize("said", [None, "", 7, ["r"], "r 1", "r\n1", "é", "x" * 20_000])
def test_without_a_usable_refresh_token_there_is_none(said):
    assert read(CAMEL | {"refreshToken": said}).refresh is None


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not-json"),
        (b"  <!DOCTYPE html><html>", "html"),
        (b'{"accessToken": "a.b', "not-json"),
        (b"\xff\xfe", "not-json"),
        (b"[" * 100_000, "not-json"),
        (b"[]", "not-an-object"),
        (b"null", "not-an-object"),
        (b"{}", "no-access-token"),
        (b'{"accessToken": 7}', "no-access-token"),
        (b'{"accessToken": "a\\r\\nX: y"}', "no-access-token"),
        (json.dumps({"accessToken": "x" * 20_000}).encode(), "no-access-token"),
    ],
)
def test_what_holds_no_token_failed_for_a_reason_that_shows_nothing(body, reason):
    assert read(body) == Failed(reason)


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (400, Denied(400)),
        (401, Denied(401)),
        (403, Denied(403)),
        (404, Denied(404)),
        (408, Failed("status-408")),
        (425, Failed("status-425")),
        (429, Limited(7.0)),
        (500, Failed("status-500")),
        (302, Failed("status-302")),
        (304, Failed("status-304")),
    ],
)
def test_statuses(status, meaning):
    assert read(b"<html>", status, retry_after_s=7.0) == meaning


@given(st.integers(100, 599), st.binary(max_size=300))
def test_no_answer_is_an_exception(status, body):
    read_answer(status, body, retry_after_s=0.0)


def test_nothing_of_a_token_is_in_a_repr():
    plan = Story()
    plan.go(grant("SECRET-ACCESS", "SECRET-REFRESH"))
    texts = [repr(grant("SECRET-A", "SECRET-B")), repr(plan.plan.bearer(0)), repr(Refresh("SECRET-C"))]
    texts.append(repr(plan.plan._held))
    assert not [text for text in texts if "SECRET" in text]


# -- the plan --------------------------------------------------------------------------------------------------------


def grant(access: str = "a", refresh: str | None = "r", life_s=1800.0, *, told=True):
    return Grant(access=access, refresh=refresh, life_s=life_s, is_told=told)


class Story:
    """A plan and a clock: :meth:`go` waits for what comes next and answers it."""

    def __init__(self, seed=1):
        self.plan = TokenPlan(Random(seed))
        self.now_s = 1_000.0
        self.steps = []

    def go(self, answer: Any) -> Any:
        """Wait for the next step, answer it, and return the step's name and what came of it."""
        while isinstance(step := self.plan.next(self.now_s), Wait):
            assert step.until_s > self.now_s
            self.now_s = step.until_s
        self.steps.append((type(step).__name__, self.now_s))
        answer = answer(step) if callable(answer) else answer
        return type(step).__name__, self.plan.answered(step, answer, asked_s=self.now_s, now_s=self.now_s)

    @property
    def bearer(self) -> Any:
        return self.plan.bearer(self.now_s)

    def refuse(self, *, rights=False, bearer=None):
        self.plan.refused(bearer or self.bearer, self.now_s, rights=rights)


@pytest.fixture
def story():
    story = Story()
    assert story.go(grant("first", "r-1")) == ("Exchange", Renewed(()))
    return story


@given(st.integers(0, 1000))
def test_a_refresh_comes_between_eight_and_nine_tenths_of_its_life(seed):
    story = Story(seed)
    story.go(grant(life_s=1800))
    story.go(lambda step: grant("second", "r-2") if step == Refresh("r") else None)
    assert 1440 <= story.now_s - 1000 <= 1620
    story.go(lambda step: grant() if step == Refresh("r-2") else None)  # the new one each time


def test_two_replicas_do_not_refresh_in_step():
    ends = set()
    for seed in range(20):
        story = Story(seed)
        story.go(grant())
        story.go(grant())
        ends.add(round(story.now_s))
    assert len(ends) > 10


def test_ages_are_measured_from_the_request_by_our_clock(story):
    assert (story.plan.token_age_s(1_060), story.plan.chain_age_s(1_060)) == (60, 60)
    story.go(grant())
    assert (story.plan.token_age_s(story.now_s), story.plan.chain_age_s(story.now_s)) == (0, story.now_s - 1000)


def test_without_a_refresh_token_the_next_one_is_exchanged_for(story):
    assert story.go(grant("b", None)) == ("Refresh", Renewed(("refreshToken",)))
    assert story.plan.chain_age_s(story.now_s) is None
    assert story.go(grant())[0] == "Exchange"


def test_a_token_of_unknown_life_is_used_until_it_is_refused(story):
    assert story.go(grant("b", "r", LIFE_S, told=False)) == ("Refresh", Renewed(("expiresIn",)))
    story.now_s += 10 * LIFE_S
    assert story.bearer.text == "b"


def test_a_token_that_ended_is_not_handed_out(story):
    story.now_s = 1000 + 1799.0
    assert story.bearer.text == "first"
    story.now_s += 1
    assert story.bearer is None


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_refused_refresh_is_followed_by_an_exchange_at_once_and_is_not_the_end(story, status):
    assert story.go(Denied(status)) == ("Refresh", ChainEnded(status))
    assert story.bearer.text == "first"  # it still holds
    at_s = story.now_s
    assert story.go(grant("second")) == ("Exchange", Renewed(()))
    assert story.now_s == at_s


@pytest.mark.parametrize("status", [400, 401])
def test_a_refused_exchange_is_the_end_when_there_is_nothing_else(status):
    assert Story().go(Denied(status)) == ("Exchange", Refused(status))


@pytest.mark.parametrize("answer", [Failed("timeout"), Failed("html"), Failed("status-500"), Denied(403), Limited(0)])
def test_everything_else_is_tried_again_later_and_later(answer):
    story = Story()
    delays = [story.go(answer)[1].delay_s for _ in range(40)]
    assert all(isinstance(delay, float) and 1 <= delay <= 960 for delay in delays)
    assert sum(delays[20:]) > sum(delays[:20])
    assert story.go(grant()) == ("Exchange", Renewed(()))


def test_too_many_requests_are_answered_with_a_minute_doubling_to_a_quarter_of_an_hour():
    story = Story()
    delays = [story.go(Limited(0))[1].delay_s for _ in range(7)]
    for delay, least in zip(delays, [60, 120, 240, 480, 900, 900, 900], strict=True):
        assert least <= delay <= least + 60
    story = Story()
    assert 300 <= story.go(Limited(300))[1].delay_s <= 301
    assert story.go(grant())[0] == "Exchange"
    assert 60 <= story.go(Limited(0))[1].delay_s <= 62  # it counts afresh


def test_refreshes_that_lead_nowhere_are_replaced_by_exchanges_by_turns(story):
    names = [story.go(Failed("html"))[0] for _ in range(9)]
    assert names == ["Refresh"] * 3 + ["Exchange"] * 3 + ["Refresh"] * 3
    name, outcome = story.go(Denied(401))
    assert name == "Exchange"
    assert isinstance(outcome, PutOff)  # the chain is not known to be over
    assert story.go(grant()) == ("Exchange", Renewed(()))


# -- refused access tokens -------------------------------------------------------------------------------------------


def test_a_refused_token_is_replaced_at_once_and_not_handed_out_meanwhile(story):
    story.refuse()
    assert story.bearer is None
    at_s = story.now_s
    assert story.go(grant("second"))[0] == "Refresh"
    assert story.now_s == at_s
    assert getattr(story.bearer, "text", None) == "second"


def test_who_comes_late_with_a_token_that_was_replaced_is_not_heard(story):
    old = story.bearer
    story.refuse()
    story.go(grant("second"))
    story.refuse(bearer=old)
    assert story.bearer.text == "second"
    assert isinstance(story.plan.next(story.now_s), Wait)


def test_three_refusals_in_a_row_lead_to_an_exchange(story):
    names = []
    for _ in range(6):
        story.refuse()
        names.append(story.go(grant())[0])
    assert names == ["Refresh", "Refresh", "Exchange"] * 2


def test_several_who_are_refused_with_one_token_are_one_refusal(story):
    last = None
    for _ in range(3):
        bearer = story.bearer
        for _ in range(4):
            story.refuse(bearer=bearer)
        last = story.go(grant())[0]
    assert last == "Exchange"


@pytest.mark.parametrize(("held_s", "name"), [(59, "Exchange"), (60, "Refresh")])
def test_only_a_token_that_was_accepted_and_held_ends_the_row(story, held_s, name):
    for _ in range(2):
        story.refuse()
        story.go(grant())
    story.plan.accepted(story.bearer, story.now_s)
    story.now_s += held_s
    story.plan.accepted(story.bearer, story.now_s)
    story.refuse()
    assert story.go(grant())[0] == name


def test_lost_rights_lead_to_an_exchange_even_if_a_refresh_is_under_way(story):
    bearer = story.bearer
    story.refuse()
    step = story.plan.next(story.now_s)
    assert step == Refresh("r-1")
    story.refuse(bearer=bearer, rights=True)
    story.plan.answered(step, grant("second"), asked_s=story.now_s, now_s=story.now_s)
    assert story.go(grant("third"))[0] == "Exchange"
    assert isinstance(story.plan.next(story.now_s), Wait)


def test_an_exchange_that_lost_rights_demand_is_the_end_when_refused(story):
    story.refuse(rights=True)
    assert story.go(Denied(401)) == ("Exchange", Refused(401))


def test_a_refused_token_is_handed_out_again_when_replacing_it_led_nowhere(story):
    story.refuse()
    assert story.bearer is None
    story.go(Failed("timeout"))
    assert getattr(story.bearer, "text", None) == "first"
    story.refuse()
    assert story.bearer is None
    assert isinstance(story.plan.next(story.now_s), Wait)  # the delay holds


# -- seven days ------------------------------------------------------------------------------------------------------


def test_a_new_chain_is_begun_a_day_before_the_old_one_ends(story):
    while story.go(grant())[0] == "Refresh":
        pass
    assert 5.7 * DAY_S < story.now_s - 1000 < 6.1 * DAY_S
    assert story.plan.chain_age_s(story.now_s) == 0


@pytest.mark.parametrize("answer", [Denied(401), Denied(400), Failed("status-500"), Limited(0)])
def test_a_chain_that_cannot_be_renewed_is_an_alarm_in_time_and_goes_on_until_it_ends(story, answer):
    alarms = []

    def vendor(step):
        if isinstance(step, Exchange):
            return answer
        return grant() if story.now_s < 1000 + 7 * DAY_S else Denied(401)

    while True:
        _, outcome = story.go(vendor)
        if isinstance(outcome, PutOff) and outcome.chain_left_s is not None:
            alarms.append(outcome.chain_left_s)
        if isinstance(outcome, ChainEnded):
            break
        assert isinstance(outcome, PutOff | Renewed)
        assert story.bearer is not None
    assert max(alarms) > 0.9 * DAY_S
    assert 25 < len(alarms) < 75
    outcome = story.go(answer)[1]
    assert isinstance(outcome, Refused if isinstance(answer, Denied) else PutOff)


def test_another_secret_is_exchanged_for_at_once_and_the_old_chain_goes_on_if_it_is_wrong(story):
    story.now_s += 10
    story.plan.renew(story.now_s)
    at_s = story.now_s
    name, outcome = story.go(Denied(401))
    assert (name, story.now_s) == ("Exchange", at_s)
    assert outcome.chain_left_s == pytest.approx(7 * DAY_S - 10)
    assert story.bearer.text == "first"
    assert story.go(grant())[0] == "Refresh"


@given(
    st.integers(0, 9999),
    st.lists(
        st.one_of(
            st.sampled_from([Denied(400), Denied(401), Denied(403), Failed("x"), Limited(0), Limited(5)]),
            st.builds(grant, refresh=st.sampled_from(["r", None]), life_s=st.sampled_from([1, 60, 1800])),
            st.sampled_from(["refuse", "rights", "accept", "renew", "wait"]),
        ),
        max_size=60,
    ),
)
def test_in_any_history_there_is_always_a_next_step_and_only_a_refused_exchange_ends_it(seed, history):
    story = Story(seed)
    for event in history:
        bearer = story.bearer
        match event:
            case "refuse" | "rights" if bearer is not None:
                story.refuse(rights=event == "rights")
            case "accept" if bearer is not None:
                story.plan.accepted(bearer, story.now_s)
            case "renew":
                story.plan.renew(story.now_s)
            case "wait":
                story.now_s += 100
            case str():
                pass
            case answer:
                before_s = story.now_s
                name, outcome = story.go(answer)
                assert story.now_s - before_s <= 6 * DAY_S
                if isinstance(outcome, Refused):
                    assert name == "Exchange"
                    assert answer in {Denied(400), Denied(401)}
                if isinstance(answer, Grant):
                    assert isinstance(outcome, Renewed)
                    assert story.bearer is not None
