"""The owner of the tokens against the simulated vendor, and against servers that answer anything."""

import asyncio
import logging
from contextlib import asynccontextmanager
from random import Random
from typing import Any, get_args

import pytest

from connectors.rms.auth import EXCHANGE, REFRESH
from connectors.rms.config import RmsSettings
from connectors.rms.tokens import TokenOwner
from schemas.errors import ConfigurationError
from simulators.rms.betting import BET_DETAIL
from simulators.rms.config import AuthFailure
from tests.connectors.rms_api import SECRET, Cut, FreeBudget, Said, Silence, api, http_session
from tests.connectors.stepped_clock import SteppedClock
from tests.simulators.rms_client import staged, until


class Owner:
    """An owner at work, and the time in the test's hands."""

    def __init__(self, tokens: TokenOwner, clock: SteppedClock, budget: FreeBudget) -> None:
        self.tokens: Any = tokens
        self.clock = clock
        self.budget = budget
        self.running: Any = None

    async def bearer(self):
        async with asyncio.timeout(20):
            return await self.tokens.bearer()

    async def later(self, than, *, turn=lambda _: None):
        """Let time pass until there is another token."""
        newer = asyncio.create_task(self.tokens.newer(than))
        try:
            async with asyncio.timeout(20):
                while not newer.done():
                    if self.clock.next_s is not None:
                        turn(await self.clock.advance_to_next())
                    await asyncio.sleep(0.001)
                return newer.result()
        finally:
            newer.cancel()


@asynccontextmanager
async def owning(url, *, start=True, **settings):
    configured = RmsSettings(
        **{
            "auth_url": url,
            "customer_id": "90210",
            "client_id": "simulated",
            "secret": SECRET,
            "http_timeout_s": 5,
            **settings,
        }
    )
    clock, budget = SteppedClock(), FreeBudget()
    async with http_session() as session:
        tokens = TokenOwner(configured, session=session, budget=budget, clock=clock, random=Random(7))
        owner = Owner(tokens, clock, budget)
        if start:
            owner.running = asyncio.create_task(tokens.run())
        try:
            yield owner
        finally:
            if owner.running is not None:
                owner.running.cancel()
                await asyncio.gather(owner.running, return_exceptions=True)


def pair(number, **more):
    return Said(body={"expiresIn": 1800, "accessToken": f"access-{number}", "refreshToken": f"refresh-{number}"} | more)


class Vendor:
    """Exchanges for one secret, refreshes each token once."""

    def __init__(self, secret=SECRET):
        self.secret = secret
        self.number = 0

    def __call__(self, asked):
        good = asked.body == (
            {"clientId": "simulated", "secret": self.secret}
            if asked.path == EXCHANGE
            else {"refreshToken": f"refresh-{self.number}"}
        )
        if not good:
            return Said(401, {"errors": ["Invalid authentication"], "sent": asked.body})
        self.number += 1
        return pair(self.number)


# -- the simulated vendor --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", ["camel", "snake"])
@pytest.mark.parametrize("expires", ["date", "empty"])
async def test_tokens_are_exchanged_for_and_refreshed_ahead_of_their_end(tmp_path, case, expires):
    async with (
        staged(tmp_path, refresh_case=case, expires=expires) as stage,
        owning(stage.simulator.urls.auth_url, secret="simulated") as owner,
    ):
        bearer = await owner.bearer()
        for _ in range(3):
            bearer = await owner.later(bearer, turn=stage.turn)
            status, _ = await stage.ask(
                BET_DETAIL, json={"code": "none"}, headers={"Authorization": f"Bearer {bearer.text}"}
            )
            assert status == 404
        assert (bearer.serial, owner.tokens.token_age_s) == (4, 0)
        assert 3 * 1440 <= owner.tokens.refresh_age_s <= 3 * 1620
        calls = [line.path for line in stage.ledger("http") if line.path != BET_DETAIL]
        assert calls == [EXCHANGE, REFRESH, REFRESH, REFRESH]
        assert owner.budget.requests == len(calls)


@pytest.mark.parametrize("failure", get_args(AuthFailure))
async def test_every_failure_of_the_authentication_passes(tmp_path, failure):
    faults = {"auth_fail_every": 2, "auth_failures": [failure], "slow_s": 0.4}
    async with (
        staged(tmp_path, faults=faults) as stage,
        owning(stage.simulator.urls.auth_url, secret="simulated", http_timeout_s=0.2) as owner,
    ):
        bearer = await owner.bearer()
        for _ in range(3):
            bearer = await owner.later(bearer, turn=stage.turn)
            authorization = {"Authorization": f"Bearer {bearer.text}"}
            assert (await stage.ask(BET_DETAIL, json={"code": "none"}, headers=authorization))[0] == 404


async def test_wrong_credentials_are_the_end_and_shown_nowhere(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    async with staged(tmp_path) as stage, owning(stage.simulator.urls.auth_url) as owner:
        with pytest.raises(ConfigurationError, match="401") as error:
            await owner.running
    assert SECRET not in str(error.value) + caplog.text


# -- single flight ---------------------------------------------------------------------------------------------------


async def test_many_who_want_a_token_cause_one_call_at_a_time():
    async with api(Vendor()) as vendor, owning(vendor.url) as owner:
        bearers = await asyncio.gather(*(owner.bearer() for _ in range(20)))
        assert {bearer.serial for bearer in bearers} == {1}
        for bearer in bearers:
            owner.tokens.refused(bearer)
        bearers = await asyncio.gather(*(owner.bearer() for _ in range(20)))
        assert {bearer.text for bearer in bearers} == {"access-2"}
        assert [asked.path for asked in vendor.asked] == [EXCHANGE, REFRESH]
        assert vendor.most_at_once == 1


async def test_refusals_lead_to_refreshes_and_the_third_and_lost_rights_to_an_exchange():
    async with api(Vendor()) as vendor, owning(vendor.url) as owner:
        for _ in range(3):
            owner.tokens.refused(await owner.bearer())
        owner.tokens.refused(await owner.bearer(), rights=True)
        await owner.bearer()
        assert [asked.path for asked in vendor.asked] == [EXCHANGE, REFRESH, REFRESH, EXCHANGE, EXCHANGE]


async def test_a_failing_authentication_does_not_keep_the_token_that_was_refused_from_being_tried_again():
    replies = [pair(1), Said(500), Said(500)]
    async with api(lambda _: replies.pop(0) if replies else pair(2)) as vendor, owning(vendor.url) as owner:
        bearer = await owner.bearer()
        owner.tokens.refused(bearer)
        assert await owner.bearer() == bearer
        assert (await owner.later(bearer)).text == "access-2"


# -- servers that answer anything ------------------------------------------------------------------------------------

ODD = {
    "html": Said(200, b"<!DOCTYPE html><html>Service unavailable</html>"),
    "empty": Said(200, b""),
    "null": Said(200, b"null"),
    "array": Said(200, b"[]"),
    "deep": Said(200, b"[" * 100_000),
    "no-token": Said(200, {"expiresIn": 5}),
    "too-large": Said(200, b" " * 1_000_000),
    "cut": Cut(b'{"accessToken": "abcdefghijklmnopqrstuvwxyz"}'),
    "500": Said(500, b"<html>"),
    "redirect": Said(302, b"", {"Location": "http://127.0.0.1:9/elsewhere"}),
    "429": Said(429, b"", {"Retry-After": "3"}),
    "429-date": Said(429, b"", {"Retry-After": "Mon, 02 Mar 2099 10:30:00 GMT"}),
    "429-rubbish": Said(429, b"\xff", {"Retry-After": "soon"}),
    "403": Said(403, b"<html>"),
    "404": Said(404, b""),
    "silence": Silence(),
}


@pytest.mark.parametrize("reply", ODD.values(), ids=ODD.keys())
async def test_whatever_comes_in_place_of_the_first_token_it_is_asked_for_again_later(reply, caplog):
    replies = [reply, reply, pair(1)]
    async with (
        api(lambda _: replies.pop(0)) as vendor,
        owning(vendor.url, http_timeout_s=0.1 if isinstance(reply, Silence) else 5) as owner,
    ):
        bearer = asyncio.create_task(owner.bearer())
        waits = []
        async with asyncio.timeout(20):
            while not bearer.done():
                if owner.clock.next_s is not None:
                    waits.append(await owner.clock.advance_to_next())
                await asyncio.sleep(0.001)
        assert bearer.result().text == "access-1"
        assert len(waits) == 2
        assert all(1 <= wait <= 962 for wait in waits)
        assert caplog.text.count("rms.no_token") == 2
        assert SECRET not in caplog.text


async def test_what_is_sent_follows_no_redirect():
    replies = [Said(307, b"", {"Location": "/elsewhere"}), Said(308, b"", {"Location": "/elsewhere"})]
    async with api(lambda _: replies.pop() if replies else pair(1)) as vendor, owning(vendor.url) as owner:
        await owner.clock.advance_to_next()
        await owner.clock.advance_to_next()
        await owner.bearer()
        assert [asked.path for asked in vendor.asked] == [EXCHANGE] * 3


async def test_where_nobody_listens_it_is_asked_again_later(caplog):
    async with owning("http://127.0.0.1:9") as owner:
        for _ in range(3):
            await owner.clock.advance_to_next()
        assert not owner.running.done()
    assert "rms.no_token" in caplog.text


async def test_nothing_secret_is_shown_whatever_the_server_repeats(caplog):
    caplog.set_level(logging.DEBUG)

    def repeat(asked):
        said = f"{asked.body} {asked.authorization} access-1 refresh-1"
        if asked.path == EXCHANGE and not vendor.asked[1:]:
            return pair(1, more=said)
        return Said(401, {"errors": [said]}, {"X-Said": said.replace("\n", "")})

    async with api(repeat) as vendor, owning(vendor.url) as owner:
        bearer = await owner.bearer()
        owner.tokens.refused(bearer)
        with pytest.raises(ConfigurationError) as error:
            await owner.running
        shown = owner.tokens.redacted(f'a {SECRET}\n"access-1" refresh-1 b' + "x" * 9000)
        texts = [str(error.value), caplog.text, shown, repr(bearer), repr(owner.tokens.__dict__)]
    assert shown.startswith('a *** "***" *** b')
    assert len(shown) <= 200
    for text in texts[:4]:
        for secret in (SECRET, "access-1", "refresh-1"):
            assert secret not in text


# -- the secret's file -----------------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "secret"
    path.write_text(f"{SECRET}\n")
    return path


async def test_the_secret_may_come_from_a_file_with_a_line_end(file):
    async with api(Vendor()) as vendor, owning(vendor.url, secret="", secret_file=file) as owner:
        assert (await owner.bearer()).text == "access-1"


async def test_before_giving_up_the_file_is_read_again(file, caplog):
    vendor = Vendor("another")

    def refuse_once(asked):
        file.write_text("another")
        return vendor(asked)

    async with api(refuse_once) as served, owning(served.url, secret="", secret_file=file) as owner:
        assert (await owner.bearer()).text == "access-1"
        assert [asked.body["secret"] for asked in served.asked] == [SECRET, "another"]
    assert "rms.secret_changed" in caplog.text


@pytest.mark.parametrize("by", ["signal", "itself"])
async def test_another_secret_in_the_file_is_taken_without_a_restart(file, by):
    vendor = Vendor()
    async with api(vendor) as served, owning(served.url, secret="", secret_file=file) as owner:
        first = await owner.bearer()
        await until(lambda: owner.clock.next_s is not None)
        file.write_text("another")
        vendor.secret = "another"
        if by == "signal":
            owner.tokens.reload()
            second = await asyncio.wait_for(owner.tokens.newer(first), 20)
        else:
            second = await owner.later(first)
            assert owner.clock.monotonic_s() <= 1_010
        assert [asked.path for asked in served.asked] == [EXCHANGE, EXCHANGE]
        assert (second.text, owner.tokens.refresh_age_s) == ("access-2", 0)


@pytest.mark.parametrize("text", [b"", b"\xff\xfe", b"two\nlines", None], ids=["empty", "no-text", "two-lines", "gone"])
async def test_a_file_that_holds_no_secret_for_a_while_changes_nothing_and_is_told_once(file, text, caplog):
    async with api(Vendor()) as vendor, owning(vendor.url, secret="", secret_file=file) as owner:
        bearer = await owner.bearer()
        if text is None:
            file.unlink()
        else:
            file.write_bytes(text)
        for _ in range(5):
            owner.tokens.reload()
        owner.tokens.refused(bearer, rights=True)
        assert (await owner.bearer()).text == "access-2"
    assert caplog.text.count("rms.secret_unreadable") == 1
    assert "lines" not in caplog.text.replace("one line of text", "")


async def test_a_wrong_secret_in_the_file_is_an_alarm_and_the_chain_goes_on(file, caplog):
    async with api(Vendor()) as vendor, owning(vendor.url, secret="", secret_file=file) as owner:
        first = await owner.bearer()
        file.write_text("WRONG-SECRET")
        owner.tokens.reload()
        await vendor.has_been_asked(2)
        second = await owner.later(first)
        assert second.text == "access-2"
        paths = [asked.path for asked in vendor.asked]
        assert (paths[:2], paths[-1]) == ([EXCHANGE, EXCHANGE], REFRESH)
    assert "rms.chain_not_renewed reason=status-401" in caplog.text
    assert "WRONG-SECRET" not in caplog.text


@pytest.mark.parametrize("settings", [{"client_id": ""}, {"secret": ""}, {"secret": "", "secret_file": "/nowhere/x"}])
async def test_without_id_or_secret_nothing_is_asked(settings):
    async with api(Vendor()) as vendor, owning(vendor.url, **settings) as owner:
        with pytest.raises(ConfigurationError, match="Client ID"):
            await owner.running
        assert vendor.asked == []
