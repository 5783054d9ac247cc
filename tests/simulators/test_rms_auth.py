"""Authentication of the simulated vendor: the sheet's samples, the life of tokens, every error body, every failure."""

import base64
import json
from email.utils import parsedate_to_datetime

import aiohttp
import pytest

from simulators.rms.auth import EXCHANGE, REFRESH
from tests.simulators.rms_client import S, staged

WEEK_S = 604_800


async def test_an_exchange_answers_as_the_sheet_has_it(tmp_path):
    async with staged(tmp_path) as stage:
        status, body = await stage.exchange()
        assert status == 200
        assert list(body) == ["expires", "expiresIn", "accessToken", "refreshToken"]
        assert body["expiresIn"] == 1800
        assert body["expires"].endswith(" GMT")
        assert abs(parsedate_to_datetime(body["expires"]).timestamp() - (stage.now_ns / S + 1800)) <= 1
        head, claims, _ = body["accessToken"].split(".")
        assert json.loads(base64.urlsafe_b64decode(head + "==")) == {"alg": "HS256", "typ": "JWT"}
        claims = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
        assert {"sub", "tenantId", "type", "roles", "iat", "exp", "iss"} <= claims.keys()
        assert claims["exp"] - claims["iat"] == pytest.approx(1800)


@pytest.mark.parametrize(
    ("case", "names"),
    [
        ("camel", ["expires", "expiresIn", "accessToken", "refreshToken"]),
        ("snake", ["expires", "expires_in", "access_token", "refresh_token"]),
    ],
)
async def test_a_refresh_answers_in_the_case_that_is_set_the_exchange_in_camel_case(tmp_path, case, names):
    async with staged(tmp_path, refresh_case=case, expires="empty") as stage:
        _, first = await stage.exchange()
        status, second = await stage.refresh(first["refreshToken"])
        assert (status, list(second)) == (200, names)
        assert "accessToken" in first
        assert (first["expires"], second["expires"]) == ("", "")
        assert second[names[2]] != first["accessToken"]
        assert second[names[3]] != first["refreshToken"]


async def test_a_refresh_token_is_good_once_and_the_new_one_after_it(tmp_path):
    async with staged(tmp_path) as stage:
        token = (await stage.exchange())[1]["refreshToken"]
        status, body = await stage.refresh(token)
        assert status == 200
        assert await stage.refresh(token) == (401, {"errors": ["Unauthorized"]})
        assert (await stage.refresh(body["refreshToken"]))[0] == 200


@pytest.mark.parametrize(("after_s", "status"), [(WEEK_S - 0.001, 200), (WEEK_S, 401)])
async def test_a_refresh_token_lives_seven_days(tmp_path, after_s, status):
    async with staged(tmp_path) as stage:
        token = (await stage.exchange())[1]["refreshToken"]
        stage.turn(after_s)
        assert (await stage.refresh(token))[0] == status


async def test_the_101st_refresh_token_drops_the_oldest(tmp_path):
    other = {"client_id": "other", "secret": "o", "customer_id": "7"}
    async with staged(tmp_path, refresh_tokens_max=3, credentials=[{}, other]) as stage:
        apart = (await stage.exchange("other", "o"))[1]["refreshToken"]
        tokens = [(await stage.exchange())[1]["refreshToken"] for _ in range(4)]
        assert [(await stage.refresh(token))[0] for token in (*tokens, apart)] == [401, 200, 200, 200, 200]


@pytest.mark.parametrize(
    ("client_id", "secret"), [("simulated", "wrong"), ("unknown", "simulated"), ("simulated", "sïmulated")]
)
async def test_wrong_credentials(tmp_path, client_id, secret):
    async with staged(tmp_path) as stage:
        assert await stage.exchange(client_id, secret) == (401, {"errors": ["Invalid authentication"]})


@pytest.mark.parametrize("path", [EXCHANGE, REFRESH])
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"clientId":"simulated"}', b'{"refreshToken":7}'])
async def test_unreadable_requests(tmp_path, path, body):
    async with staged(tmp_path) as stage:
        answer = await stage.ask(path, data=body)
        assert answer == (400, {"errors": ["Invalid input json"], "errorCode": "ER-00006"})


@pytest.mark.parametrize(
    ("failure", "status", "expected"),
    [
        ("429", 429, {"errors": ["Too Many Requests"]}),
        ("500", 500, {"errors": ["Internal Server Error"]}),
        ("401", 401, {"errors": ["Unauthorized"]}),
    ],
)
async def test_failures_with_a_status_strike_each_nth_answer(tmp_path, failure, status, expected):
    faults = {"auth_fail_every": 2, "auth_failures": [failure]}
    async with staged(tmp_path, faults=faults, retry_after=True) as stage:
        token = (await stage.exchange())[1]["refreshToken"]
        answered, headers, body = await stage.answer(REFRESH, json={"refreshToken": token})
        assert (answered, json.loads(body)) == (status, expected)
        assert headers.get("Retry-After") == ("2" if status == 429 else None)
        assert (await stage.refresh(token))[0] == 200  # the failure did not use it up


@pytest.mark.parametrize(
    ("failure", "names"),
    [("no-expiry", {"accessToken", "refreshToken"}), ("no-refresh-token", {"expires", "expiresIn", "accessToken"})],
)
async def test_answers_that_lack_something(tmp_path, failure, names):
    async with staged(tmp_path, faults={"auth_fail_every": 1, "auth_failures": [failure]}) as stage:
        status, body = await stage.exchange()
        assert (status, body.keys()) == (200, names)


async def test_html_in_place_of_json(tmp_path):
    async with staged(tmp_path, faults={"auth_fail_every": 1, "auth_failures": ["html"]}) as stage:
        status, headers, body = await stage.answer(EXCHANGE, json={"clientId": "simulated", "secret": "simulated"})
        assert (status, headers["Content-Type"].partition(";")[0], body[:9]) == (200, "text/html", b"<!DOCTYPE")


async def test_an_answer_that_is_cut_has_used_the_refresh_token_up(tmp_path):
    async with staged(tmp_path, faults={"auth_fail_every": 2, "auth_failures": ["cut"]}) as stage:
        token = (await stage.exchange())[1]["refreshToken"]
        with pytest.raises(aiohttp.ClientPayloadError):
            await stage.refresh(token)
        assert (await stage.refresh(token))[0] == 401


async def test_a_slow_answer_is_the_answer(tmp_path):
    faults = {"auth_fail_every": 1, "auth_failures": ["slow"], "slow_s": 0.05}
    async with staged(tmp_path, faults=faults) as stage:
        assert (await stage.exchange())[0] == 200


async def test_failures_come_by_turns(tmp_path):
    faults = {"auth_fail_every": 1, "auth_failures": ["429", "500", "html"]}
    async with staged(tmp_path, faults=faults) as stage:
        assert [(await stage.exchange())[0] for _ in range(4)] == [429, 500, 200, 429]


async def test_no_secret_and_no_token_is_in_the_ledger(tmp_path):
    credential = {"client_id": "planted-id", "secret": "planted-secret"}
    async with staged(tmp_path, credentials=[credential]) as stage:
        _, body = await stage.exchange("planted-id", "planted-secret")
        _, again = await stage.refresh(body["refreshToken"])
        headers = {"Authorization": f"Bearer {again['accessToken']}", "customerid": "90210"}
        async with stage.joined(headers):
            pass
        await stage.exchange("planted-id", "planted-wrong")
    text = (tmp_path / "ledger.jsonl").read_text()
    assert "planted" not in text
    tokens = [answer[name] for answer in (body, again) for name in ("accessToken", "refreshToken")]
    assert not [token for token in tokens if token in text]
    assert [(line.method, line.path, line.status) for line in stage.ledger("http")] == [
        ("POST", EXCHANGE, 200),
        ("POST", REFRESH, 200),
        ("GET", "/rms-socket/socket.io/", 101),
        ("POST", EXCHANGE, 401),
    ]
