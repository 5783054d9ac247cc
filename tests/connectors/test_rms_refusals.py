"""Refused before and after the upgrade, with a token that is no good, by a server at fault: told, and mended."""

import pytest

from schemas.errors import ConfigurationError
from simulators.rms.auth import EXCHANGE, REFRESH
from tests.connectors import contract
from tests.connectors.stepped_clock import SteppedClock
from tests.connectors.test_rms_against_simulator import after_joined, check_ledger, has, has_frame, has_joined, refusals
from tests.simulators.rms_client import staged, until

pytestmark = pytest.mark.kafka

WHY = {"429": "too-many-requests", "500": "server-error", "401": "unauthorised", "402": "account-inactive"}


@pytest.mark.parametrize("by", ["socket", "http"])
@pytest.mark.parametrize("status", WHY)
async def test_refused_for_now_is_told_once_and_tried_again(rms, tmp_path, status, by):
    faults = {"refuse_every": 1, "refusals": [status], "refuse_by": by}
    async with staged(tmp_path, faults=faults) as stage:
        async with rms.connector(stage.simulator.urls):
            await until(lambda: len(stage.ledger("refused")) >= 3)
            await stage.control("faults")
            await rms.records(has_joined(1))
        exchanges = [line for line in stage.ledger("http") if line.path == EXCHANGE]
        refreshes = [line for line in stage.ledger("http") if line.path == REFRESH]
    refused, records = refusals(await rms.records())
    contract.check(records, feed="rms")
    assert [r.json for r in refused] == [{"code": int(status), "reason": WHY[status], "frames": 0, "heard_ns": None}]
    assert (len(refreshes) >= 1) is (status == "401")
    assert (len(exchanges) >= 2) is (status == "401"), "three in a row: a new exchange"


@pytest.mark.parametrize("form", ["bare", "text"])
async def test_a_refusal_without_a_status_is_a_fault_of_the_network(rms, tmp_path, form):
    faults = {"refuse_every": 1, "refusals": ["403"]}
    async with staged(tmp_path, connect_error=form, faults=faults) as stage, rms.connector(stage.simulator.urls):
        await until(lambda: len(stage.ledger("refused")) >= 3)
        await stage.control("faults")
        await rms.records(has_joined(1))
    refused, _ = refusals(await rms.records())
    assert [(r.json["code"], r.json["reason"]) for r in refused] == [(0, "refused")]


@pytest.mark.parametrize("status", ["400", "403"])
async def test_a_customer_that_is_refused_ends_it_with_a_word_for_the_operator(rms, tmp_path, status):
    async with staged(tmp_path, faults={"refuse_every": 1, "refusals": [status]}) as stage:
        _, task = rms.start(stage.simulator.urls)
        with pytest.raises(ConfigurationError, match=f"refuses customer 90210: {status}"):
            await task
        assert len(stage.ledger("refused")) == 1
    refused, _ = refusals(await rms.records())
    assert [r.json["code"] for r in refused] == [int(status)]


async def test_a_gateway_that_forbids_is_told_and_tried_again(rms, tmp_path, caplog):
    faults = {"refuse_every": 1, "refusals": ["403"], "refuse_by": "http"}
    async with staged(tmp_path, faults=faults) as stage, rms.connector(stage.simulator.urls):
        await until(lambda: len(stage.ledger("refused")) >= 3)
        await stage.control("faults")
        await rms.records(has_joined(1))
    assert sum("why=forbidden" in record.message for record in caplog.records) == 1


async def test_no_attempt_before_retry_after_is_over(rms, tmp_path, caplog):
    faults = {"refuse_every": 1, "refusals": ["429"]}
    clock = SteppedClock()
    async with (
        staged(tmp_path, faults=faults) as stage,
        rms.connector(stage.simulator.urls, clock=clock, limited_s=3600.0, tick_interval_s=300.0),
    ):
        await until(lambda: "line.connect_failed" in caplog.text)
        await stage.control("faults", **faults)  # after which it waits
        over_s = clock.monotonic_s() + 3600
        while clock.monotonic_s() < over_s:
            assert len(stage.ledger("refused")) == 1
            await clock.advance_to_next()
            for _ in range(3):  # whoever woke has spoken to the vendor before us
                await stage.control("faults", **faults)
        clock.advance(0.05)  # what the backoff adds at most
        await until(lambda: len(stage.ledger("refused")) == 2)


@pytest.mark.parametrize("mode", ["gateway_401", "socket_401", "close_4401"])
async def test_a_token_that_expired_while_the_socket_was_open_is_replaced(rms, tmp_path, mode):
    async with staged(tmp_path, bad_token=mode) as stage:
        async with rms.connector(stage.simulator.urls):
            await rms.records(has_joined(1))
            stage.turn(1_801)  # for the vendor alone: by our clock it is good
            await stage.decide(await stage.place())
            await rms.records(has_frame("RESERVE_BET_ACCEPT"))
            await stage.control("close", how=1001)
            await rms.records(has_joined(2))
            await stage.decide(await stage.place(), "reject")
            await rms.records(has_frame("RESERVE_BET_REJECT"))
        paths = [line.path for line in stage.ledger("http")]
        assert (paths.count(EXCHANGE), paths.count(REFRESH)) == (1, 1)
        refused, records = refusals(await rms.records())
        check_ledger(records, tmp_path / "ledger.jsonl")
    contract.check(records, feed="rms")
    assert [(r.json["code"], r.json["reason"]) for r in refused] == [(401, "unauthorised")]


async def test_4401_on_an_open_socket_takes_a_fresh_token_and_loses_nothing_that_was_on_its_way(rms, tmp_path):
    async with staged(tmp_path, close_expired=True) as stage:
        async with rms.connector(stage.simulator.urls):
            for turn in range(1, 4):
                await rms.records(has_joined(turn))
                for _ in range(20):
                    await stage.decide(await stage.place())
                stage.turn(1_800)
            await rms.records(has_joined(4))
        records = await rms.records()
        received = check_ledger(records, tmp_path / "ledger.jsonl")
    contract.check(records, feed="rms")
    assert received == 4 * 2 + 3 * 20
    codes = [(r.json["code"], r.json["reason"]) for r in records if r.kind == "closed"]
    assert codes == [(4401, "unauthorised")] * 3 + [(1000, "shutdown")]


async def test_4401_right_after_each_join_is_no_hot_loop_and_ends_by_itself(rms, tmp_path):
    faults = {"close_joined_every": 1, "close_code": 4401}
    async with staged(tmp_path, faults=faults) as stage:
        async with rms.connector(stage.simulator.urls):
            await until(lambda: len(stage.ledger("join")) >= 5)
            await stage.control("faults")
            await rms.records(has("tick", joined=True, open=True))
        paths = [line.path for line in stage.ledger("http")]
    assert paths.count(EXCHANGE) >= 2, "refreshing alone did not help"


async def test_withdrawn_rights_are_asked_for_anew_once_and_end_it_when_they_are_gone(rms, tmp_path):
    faults = {"close_joined_every": 1, "close_code": 4403}
    async with staged(tmp_path, faults=faults) as stage:
        _, task = rms.start(stage.simulator.urls)
        with pytest.raises(ConfigurationError, match="withdrew the rights"):
            await task
        assert len(stage.ledger("join")) == 2
        assert [line.path for line in stage.ledger("http")].count(EXCHANGE) == 2
    records = await rms.records()
    contract.check(records, feed="rms")
    assert [r.json["code"] for r in records if r.kind == "closed"] == [4403, 4403]


async def test_withdrawn_rights_that_come_back_with_the_new_exchange_are_no_matter(rms, tmp_path):
    async with staged(tmp_path) as stage, rms.connector(stage.simulator.urls):
        await rms.records(has_joined(1))
        await stage.control("close", how=4403)
        await rms.records(has_joined(2))
        assert [line.path for line in stage.ledger("http")].count(EXCHANGE) == 2


async def test_time_goes_on_between_connections_and_says_why_there_is_none(rms, tmp_path):
    async with staged(tmp_path) as stage:
        async with rms.connector(stage.simulator.urls):
            for turn in (1, 2):
                await rms.records(has_joined(turn))
                await stage.control("faults", refuse_every=1, refusals=["500"])
                await stage.control("close", how=1001)
                told = {"open": False, "joined": False, "heard_ns": None, "reason": "server-error"}
                await rms.records(lambda seen, turn=turn, told=told: has("tick", 3, **told)(after_joined(seen, turn)))
                await stage.control("faults")
            await rms.records(has_joined(3))
        refused, records = refusals(await rms.records())
    contract.check(records, feed="rms")
    assert [r.json["code"] for r in refused] == [500, 500], "each time anew"


async def test_a_customer_without_settings_is_an_error_before_anything_starts(rms, tmp_path):
    async with staged(tmp_path) as stage:
        for missing in ("customer_id", "client_id", "secret"):
            with pytest.raises(ConfigurationError, match="RMS needs") as error:
                await rms.start(stage.simulator.urls, **{missing: ""})[1]
            assert f"TRICAST_RMS__{missing.upper()}" in error.value.action
        assert not stage.ledger()
