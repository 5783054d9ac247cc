"""Look-ups at the bet API: what is asked, what is recorded, what failures cost."""

import asyncio
import itertools
import logging
from contextlib import asynccontextmanager
from typing import Any

import pytest

from connectors.clock import SystemClock
from connectors.rms.asking import Asker
from connectors.rms.bet_detail import BetDetail
from connectors.rms.lookup_queue import Bet, LookUpQueue
from connectors.rms.ports import Bearer
from connectors.snapshots import SnapshotRecorder
from schemas.raw import RawHeaders
from simulators.rms.betting import BET_DETAIL
from tests.connectors.rms_api import Cut, FreeBudget, Said, Silence, api, http_session
from tests.connectors.rms_tokens import CUSTOMER, PENDING, TOKEN, Tokens
from tests.connectors.stepped_clock import SteppedClock
from tests.connectors.test_rms_lookups_queue import bet, wanted
from tests.simulators.rms_client import staged


class Bench:
    """An asker at work; ``kept`` is what it recorded."""

    def __init__(self, url, session):
        self.clock = SteppedClock()
        self.queue = LookUpQueue()
        self.tokens: Any = Tokens()
        self.served: Any = None
        sink: Any = self
        self.budget = FreeBudget()
        self.kept = []
        self.has_room = True
        self.news = asyncio.Event()
        self.asker = Asker(
            self.queue,
            bets=BetDetail(session, base_url=url, timeout_s=0.3, redacted=self.tokens.redacted, clock=self.clock),
            recorder=SnapshotRecorder(feed="rms", line=f"rms-{CUSTOMER}-lookups", sink=sink),
            tokens=self.tokens,
            budget=self.budget,
            clock=self.clock,
            news=self.news,
        )

    # What the recorder needs of a sink.

    waiting = unkept = 0

    @property
    def is_relieved(self):
        return self.has_room

    def put(self, record):
        self.kept.append((record.headers, record.value))

    # What tests do.

    @property
    def now_s(self):
        return self.clock.monotonic_s() - 1_000

    def ask(self, *slips, until_s=900.0):
        for slip in slips:
            now_ns = self.clock.now_ns()
            self.queue.ask(wanted(slip, asked_s=self.now_s, until_s=self.now_s + until_s), now_ns)
        self.news.set()

    @property
    def statuses(self):
        return [headers.status for headers, _ in self.kept]

    async def idle(self):
        """Let time pass until nothing waits."""
        async with asyncio.timeout(20):
            while len(self.queue):
                if self.clock.next_s is not None:
                    self.clock.advance(self.clock.next_s)
                await asyncio.sleep(0.001)


@asynccontextmanager
async def bench(reply):
    async with api(reply) as served, http_session() as session:
        bench = Bench(served.url, session)
        bench.served = served
        running = asyncio.create_task(bench.asker.run())
        try:
            yield bench
            assert not running.done()
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def test_an_answer_is_recorded_as_it_came_with_what_names_the_request():
    text = b'{ "success":true,"data":{"code":"c/1 \xc3\xa9","id":12345678901234567890}}'
    async with bench(lambda _: Said(200, text)) as at:
        at.queue.ask(wanted("s&1", code="c/1 é"), at.clock.now_ns())
        at.news.set()
        await at.idle()
        ((headers, value),) = at.kept
        assert value == text
        assert headers == RawHeaders(
            feed="rms",
            line="rms-90210-lookups",
            connection=headers.connection,
            frame=1,
            received_ns=at.clock.now_ns(),
            kind="snapshot",
            position="bet/detail?code=c%2F1%20%C3%A9&slip=s%261",
            requested_ns=at.clock.now_ns(),
            status=200,
        )
        (asked,) = at.served.asked
        assert (asked.path, asked.body) == ("/bet/detail", {"code": "c/1 é"})
        assert asked.authorization == f"Bearer {TOKEN}-1"
        assert at.tokens.accepted_serials == [1]
        assert at.budget.lookups == 1


async def test_they_are_asked_one_at_a_time_oldest_first():
    async with bench(lambda _: Said(200, PENDING)) as at:
        at.ask("s-3", "s-1", "s-2", "s-1")
        await at.idle()
        assert [asked.body["code"] for asked in at.served.asked] == ["c-3", "c-1", "c-2"]
        assert at.served.most_at_once == 1
        assert [headers.frame for headers, _ in at.kept] == [1, 2, 3]


@pytest.mark.parametrize("status", [400, 404, 409, 422])
async def test_what_the_api_says_of_the_bet_is_an_answer_whatever_its_status(status):
    async with bench(lambda _: Said(status, b"<html>")) as at:
        at.ask("s-1")
        await at.idle()
        assert at.statuses == [status]


@pytest.mark.parametrize("status", [500, 503, 403, 307, 408])
async def test_failures_are_recorded_and_tried_again_three_times(status, caplog):
    async with bench(lambda _: Said(status, b"oh", {"Location": "/elsewhere"})) as at:
        at.ask("s-1")
        await at.idle()
        assert {asked.path for asked in at.served.asked} == {"/bet/detail"}
        assert at.statuses == [status] * 4
        assert at.budget.lookups == 4
        assert at.now_s >= 155
        assert at.asker.counts.given_up == 1
    assert caplog.text.count("rms.lookup_failed") == 4


@pytest.mark.parametrize(
    "reply",
    [Said(200, b"<html>"), Said(200, b'{"success": tr'), Said(200, b""), Said(500, b"")],
    ids=["html", "half", "empty", "500"],
)
async def test_an_answer_that_is_none_is_recorded_and_the_next_one_counts(reply):
    replies = [reply]
    async with bench(lambda _: replies.pop() if replies else Said(200, PENDING)) as at:
        at.ask("s-1")
        await at.idle()
        assert at.statuses == [reply.status, 200]


@pytest.mark.parametrize("reply", [Cut(b'{"success": true}'), Silence(), Said(200, b" " * 2_000_000)])
async def test_what_is_no_whole_answer_is_not_recorded_and_asked_for_again(reply):
    replies = [reply]
    async with bench(lambda _: replies.pop() if replies else Said(200, PENDING)) as at:
        at.ask("s-1")
        await at.idle()
        assert at.statuses == [200]
        assert at.asker.counts.requests == 2


async def test_a_refused_token_is_given_back_and_the_next_one_used():
    def reply(asked):
        return Said(200, PENDING) if asked.authorization.endswith("-2") else Said(401, {"result": False})

    async with bench(reply) as at:
        at.ask("s-1")
        await at.idle()
        assert at.statuses == [401, 200]
        assert (at.tokens.serial, at.tokens.accepted_serials) == (2, [2])


async def test_without_a_token_nothing_is_asked_nor_taken_from_the_budget():
    async with bench(lambda _: Said(200, PENDING)) as at:
        at.tokens.there.clear()
        at.ask("s-1")
        for _ in range(50):
            await asyncio.sleep(0)
        assert (at.served.asked, at.budget.lookups) == ([], 0)
        at.tokens.there.set()
        await at.idle()
        assert at.statuses == [200]


async def test_too_many_requests_pause_everything_ever_longer_and_cost_no_try():
    replies = [Said(429, b"", {"Retry-After": "100"}), Said(429), Said(429), Said(429), Said(429), Said(429)]
    times = []

    def reply(_):
        times.append(at.now_s)
        return replies.pop(0) if replies else Said(200, PENDING)

    async with bench(reply) as at:
        at.ask("s-1", "s-2", until_s=90_000)
        await at.idle()
        pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
        assert pauses == pytest.approx([100, 120, 240, 480, 900, 900, 0])
        assert at.statuses == [429] * 6 + [200, 200]
        assert at.asker.counts.given_up == 0


async def test_an_api_that_is_away_does_not_use_up_what_may_be_asked():
    async with bench(lambda _: Said(503)) as at:
        at.ask(*(f"s-{number}" for number in range(100)))
        async with asyncio.timeout(20):
            while at.now_s < 300:
                if at.clock.next_s is not None:
                    at.clock.advance(at.clock.next_s)
                await asyncio.sleep(0.001)
        assert 5 <= len(at.served.asked) <= 10


async def test_what_nobody_waits_for_any_more_is_not_asked_and_told(caplog):
    async with bench(lambda _: Said(200, PENDING)) as at:
        at.tokens.there.clear()
        at.ask("s-1", until_s=10)
        at.ask("s-2", until_s=100)
        await asyncio.sleep(0)
        at.clock.advance(50)
        at.tokens.there.set()
        await at.idle()
        assert [asked.body["code"] for asked in at.served.asked] == ["c-2"]
        assert at.queue.too_late == 1
    assert "rms.lookups_too_late count=1" in caplog.text


async def test_while_frames_need_the_room_nothing_is_asked():
    async with bench(lambda _: Said(200, PENDING)) as at:
        at.has_room = False
        at.ask("s-1")
        for _ in range(3):
            await at.clock.advance_to_next()
        assert at.served.asked == []
        at.has_room = True
        await at.idle()
        assert at.statuses == [200]


async def test_the_token_is_shown_nowhere(caplog):
    caplog.set_level(logging.DEBUG)

    def repeat(asked):
        return Said(500, asked.authorization.encode(), {"X-Said": asked.authorization})

    async with bench(repeat) as at:
        at.ask("s-1")
        await at.idle()
        assert TOKEN not in repr(at.kept)
    async with http_session() as session:
        nobody = BetDetail(
            session, base_url="http://127.0.0.1:9", timeout_s=1, redacted=Tokens().redacted, clock=SystemClock()
        )
        assert TOKEN not in repr(await nobody.ask(bet(), Bearer(f"{TOKEN}-1", 1)))
        assert TOKEN not in repr(await nobody.ask(bet(), Bearer(f"{TOKEN}\r\nX: y", 1)))
    assert TOKEN not in caplog.text


async def test_the_simulated_vendor_is_asked_as_it_wants(tmp_path):
    async with staged(tmp_path) as stage, http_session() as session:
        placed = await stage.place()
        code = placed["answer"]["bet_code"]
        bearer = Bearer((await stage.bearer())["Authorization"].removeprefix("Bearer "), 1)
        bets = BetDetail(
            session, base_url=stage.simulator.urls.bets_url, timeout_s=5, redacted=str, clock=SystemClock()
        )
        there: Any = await bets.ask(Bet("any", code), bearer)
        gone: Any = await bets.ask(Bet("any", "other"), bearer)
        assert [there.status, gone.status] == [200, 404]
        assert stage.ledger("http")[-1].path == BET_DETAIL
