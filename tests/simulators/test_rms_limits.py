"""Both limits of the simulated vendor: sliding windows per address, exact at their edges."""

import json
from random import Random
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from simulators.rms.limits import SlidingWindow, Taken
from tests.simulators.rms_client import CUSTOMER, SOCKET, S, staged

DOCUMENTED = {"connects_max": 10, "http_max": 100}
POLLING = "/rms-socket/socket.io/?EIO=4&transport=polling"


def test_a_try_leaves_the_window_when_it_is_exactly_as_old():
    window = SlidingWindow(2, 60, refused_count=False)
    assert [window.take("a", now).allowed for now in (0, 10, 59, 60, 69, 70)] == [True, True, False, True, False, True]
    assert window.take("b", 70) == Taken(used=1, allowed=True)


def test_refused_tries_count_when_they_do():
    window, times = SlidingWindow(2, 60, refused_count=True), (0, 10, 59, 60, 119, 121)
    assert [window.take("a", now).allowed for now in times] == [True, True, False, False, True, True]


@pytest.mark.parametrize("refused_count", [True, False])
def test_when_there_is_room_again_is_told_exactly(refused_count):
    window, chance = SlidingWindow(3, 100, refused_count=refused_count), Random(5)
    now, refused = 0, 0
    for _ in range(300):
        now += chance.randrange(40)
        taken = window.take("a", now)
        if not taken.allowed:
            refused += 1
            twin = SlidingWindow(3, 100, refused_count=refused_count)
            twin._tries["a"] = window._tries["a"].copy()
            assert not twin.take("a", now + taken.retry_ns - 1).allowed
            twin._tries["a"] = window._tries["a"].copy()
            assert twin.take("a", now + taken.retry_ns).allowed
    assert refused > 50


@pytest.mark.parametrize("refused_count", [True, False])
def test_never_more_than_the_limit_is_let_through_in_any_window(refused_count):
    window, chance = SlidingWindow(10, 60, refused_count=refused_count), Random(7)
    now, through = 0, []
    for _ in range(5_000):
        now += chance.choice((0, 1, 1, 2, 30))
        if window.take("a", now).allowed:
            through.append(now)
    assert all(later - first >= 60 for first, later in zip(through, through[10:], strict=False))
    assert len(through) > 300


async def connect_error(stage, headers) -> Any:
    """Return what a handshake is refused with, or nothing when it is accepted."""
    async with stage.opened(headers) as socket:
        await socket.recv()
        await socket.send("40")
        packet = await socket.recv()
    return json.loads(packet[2:]) if packet.startswith("44") else None


REFUSED = {"message": "Too Many Requests", "data": {"statusCode": 429}}


async def test_the_eleventh_handshake_in_a_minute_is_refused_and_refused_ones_count(tmp_path):
    async with staged(tmp_path, **DOCUMENTED) as stage:
        headers = await stage.headers()
        assert [await connect_error(stage, headers) for _ in range(10)] == [None] * 10
        stage.turn(59.999)
        assert await connect_error(stage, headers) == REFUSED
        stage.turn(0.001)  # the ten have left the window, the refused one is in it
        assert [await connect_error(stage, headers) for _ in range(10)] == [None] * 9 + [REFUSED]
    assert [(line.kind, line.used) for line in stage.ledger("connect", "refused")] == [
        *(("connect", n) for n in range(1, 11)),
        ("refused", 11),
        *(("connect", n) for n in range(2, 11)),
        ("refused", 11),
    ]


async def test_refused_handshakes_do_not_count_when_that_is_set(tmp_path):
    async with staged(tmp_path, connects_max=2, refused_tries_count=False) as stage:
        headers = await stage.headers()
        assert [await connect_error(stage, headers) for _ in range(4)] == [None, None, REFUSED, REFUSED]
        stage.turn(60)
        assert [await connect_error(stage, headers) for _ in range(3)] == [None, None, REFUSED]


async def test_a_window_can_be_shortened(tmp_path):
    async with staged(tmp_path, connects_max=1, connects_window_s=2) as stage:
        headers = await stage.headers()
        assert await connect_error(stage, headers) is None
        stage.turn(2)
        assert await connect_error(stage, headers) is None
        assert await connect_error(stage, headers) == REFUSED


async def test_refusal_by_http_tells_when_there_is_room_if_that_is_set(tmp_path):
    async with staged(tmp_path, connects_max=1, limit_refusal="http", retry_after=True) as stage:
        headers = await stage.headers()
        assert await connect_error(stage, headers) is None
        stage.turn(15.5)
        with pytest.raises(InvalidStatus) as refused:
            await connect_error(stage, headers)
        answer = refused.value.response
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "60")  # this very try counts, too
    assert [line.status for line in stage.ledger("http")] == [200, 101, 429]


async def test_addresses_come_from_the_header_and_share_nothing(tmp_path):
    async with staged(tmp_path, connects_max=1, client_ip_header="X-Forwarded-For") as stage:
        one = await stage.headers(**{"X-Forwarded-For": "10.0.0.1, 172.16.0.9"})
        two = one | {"X-Forwarded-For": "10.0.0.2"}
        peer = {name: value for name, value in one.items() if name != "X-Forwarded-For"}
        got = [await connect_error(stage, headers) for headers in (one, two, peer, one, two, peer)]
        assert got == [None] * 3 + [REFUSED] * 3
        assert (await stage.state())["connects_used"] == {"10.0.0.1": 2, "10.0.0.2": 2, "127.0.0.1": 2}
    assert [line.ip for line in stage.ledger("connect")] == ["10.0.0.1", "10.0.0.2", "127.0.0.1"]


async def test_without_that_setting_the_header_is_passed_over(tmp_path):
    async with staged(tmp_path, connects_max=1) as stage:
        one = await stage.headers(**{"X-Forwarded-For": "10.0.0.1"})
        assert await connect_error(stage, one) is None
        assert await connect_error(stage, one | {"X-Forwarded-For": "10.0.0.2"}) == REFUSED


async def test_the_limit_of_requests_is_about_the_socket_only_polling_among_it(tmp_path):
    async with staged(tmp_path, http_max=3) as stage:
        headers = await stage.headers()  # authentication does not count
        for _ in range(4):
            assert (await stage.ask("/rms-bet/v1/bet/detail", json={"code": "x"}, headers=headers))[0] == 404
        assert [(await stage.ask(POLLING))[0] for _ in range(2)] == [400, 400]
        assert await connect_error(stage, headers) is None
        assert await connect_error(stage, headers) == REFUSED
        assert (await stage.ask(POLLING))[0] == 429
        stage.turn(900)
        assert (await stage.ask(POLLING))[0] == 400
    used = [line.used or 0 for line in stage.ledger("http")]
    assert used == [0] * 5 + [1, 2, 3, 4, 5, 1]


async def test_the_limit_of_requests_covers_what_is_set(tmp_path):
    async with staged(tmp_path, http_max=2, http_limit_covers=["auth", "bets"], retry_after=True) as stage:
        headers = await stage.headers()
        assert (await stage.ask("/rms-bet/v1/bet/detail", json={"code": "x"}, headers=headers))[0] == 404
        stage.turn(100)
        status, answered, body = await stage.answer("/rms-bet/v1/bet/detail", json={"code": "x"}, headers=headers)
        assert (status, json.loads(body)) == (429, {"result": False, "message": "Too Many Requests"})
        assert answered["Retry-After"] == "800"
        assert await stage.exchange() == (429, {"errors": ["Too Many Requests"]})
        assert await connect_error(stage, headers) is None
        for path in ("/simulator/state", "/simulator/bets"):
            assert (await stage.ask(path))[0] == 200


async def test_100_requests_in_15_minutes(tmp_path):
    async with staged(tmp_path, **DOCUMENTED) as stage:
        begun_ns, through = stage.now_ns, []
        for _ in range(130):
            stage.turn(7)
            if (await stage.ask(POLLING))[0] == 400:
                through.append((stage.now_ns - begun_ns) // S)
    assert through == [7 * n for n in range(1, 101)]  # one every 7 s is never below the limit again


async def test_what_is_refused_for_other_reasons_is_a_try_all_the_same(tmp_path):
    async with staged(tmp_path, connects_max=2) as stage:
        bearer = await stage.bearer()
        assert (await connect_error(stage, bearer))["data"] == {"statusCode": 401}
        with pytest.raises((InvalidStatus, ConnectionClosed)):
            async with stage.opened({"customerid": CUSTOMER}, SOCKET):
                pass
        assert await connect_error(stage, bearer | {"customerid": CUSTOMER}) == REFUSED
