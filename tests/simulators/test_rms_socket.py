"""Handshake, frames, refusals and rooms of the simulated vendor, byte for byte, with clients that are not ours."""

import asyncio
import json

import pytest
import socketio
from socketio.exceptions import ConnectionError as SocketRefused
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.simulators.rms_client import CUSTOMER, SOCKET, rest_of, staged, until, welcome

TWO = [
    {"platform_ids": [4021, 4022]},
    {"client_id": "other", "secret": "simulated", "customer_id": "7", "platform_ids": [4021]},
    {"client_id": "second", "secret": "simulated", "customer_id": "90210", "platform_ids": [4022]},
    {"client_id": "gone", "secret": "simulated", "customer_id": "8", "active": False},
]


async def test_frames_are_those_of_the_sheet(tmp_path):
    async with staged(tmp_path) as stage, stage.opened(await stage.headers()) as socket:
        opened = await socket.recv()
        assert opened[0] == "0"
        handshake = json.loads(opened[1:])
        assert handshake.pop("sid")
        assert handshake == {"upgrades": [], "pingInterval": 25000, "pingTimeout": 20000, "maxPayload": 1000000}
        await socket.send("40")
        answer = await socket.recv()
        assert answer[:2] == "40"
        assert list(json.loads(answer[2:])) == ["sid"]
        await socket.send('420["join"]')
        assert await socket.recv() == '430[{"status":"ok"}]'
        bet = await stage.place()
        await stage.decide(bet, time="none")
        assert await socket.recv() == (
            f'42["RESERVE_BET_ACCEPT",{{"betSlipId":"{bet["request"]["betSlipId"]}",'
            f'"bet_code":"{bet["answer"]["bet_code"]}","shortCode":"{bet["answer"]["shortCode"]}",'
            '"customerId":"90210","platform_id":4021}]'
        )
        await stage.control("close", how="disconnect")
        assert await socket.recv() == "41"


async def test_a_library_client_connects_joins_and_hears(tmp_path):
    async with staged(tmp_path) as stage:
        heard = asyncio.Queue()
        client = socketio.AsyncClient(reconnection=False)
        client.on("RESERVE_BET_REJECT", heard.put)
        headers = await stage.headers()
        await client.connect(
            stage.simulator.urls.socket_url,
            headers=headers,
            transports=["websocket"],
            socketio_path="/rms-socket/socket.io",
            wait_timeout=10,
        )
        try:
            assert await client.call("join", timeout=10) == {"status": "ok"}
            bet = await stage.place()
            await stage.decide(bet, "reject", reason="Exposure too high")
            body = await heard.get()
            assert (body["betSlipId"], body["reason"]) == (bet["request"]["betSlipId"], "Exposure too high")
            assert client.get_sid() == stage.ledger("connect")[0].connection
        finally:
            await client.disconnect()


@pytest.mark.parametrize("path", ["/rms-socket/socket.io", "/rms-socket/socket.io/"])
async def test_both_forms_of_the_path(tmp_path, path):
    query = f"{path}?EIO=4&transport=websocket"
    async with staged(tmp_path) as stage, stage.opened(await stage.headers(), query) as socket:
        await welcome(socket)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("EIO=4&transport=polling", 0),
        ("EIO=4", 0),
        ("EIO=4&transport=websocket&sid=abc", 1),
        ("EIO=4&transport=websocket", 3),  # without an upgrade
    ],
)
async def test_other_transports_are_refused(tmp_path, query, code):
    async with staged(tmp_path) as stage:
        status, body = await stage.ask(f"/rms-socket/socket.io/?{query}", headers=await stage.headers())
        assert (status, body["code"]) == (400, code)


@pytest.mark.parametrize("query", ["EIO=3&transport=websocket", "transport=websocket"])
async def test_other_levels_are_refused(tmp_path, query):
    async with staged(tmp_path) as stage:
        with pytest.raises(InvalidStatus) as refused:
            async with stage.opened(await stage.headers(), f"/rms-socket/socket.io/?{query}"):
                pass
    assert refused.value.response.status_code == 400
    assert json.loads(refused.value.response.body or b"")["code"] == 5


@pytest.mark.parametrize(
    ("customer", "client_id", "status", "message"),
    [
        ("9021a", "simulated", 400, "Invalid customerid header: must be numeric"),
        ("-1", "simulated", 400, "Invalid customerid header: must be numeric"),
        ("", "simulated", 400, "Invalid customerid header: must be numeric"),
        (None, "simulated", 401, "Missing customerid header"),
        ("8", "gone", 402, "Account is inactive or subscription has expired"),
        ("999", "simulated", 403, "Customer not found"),
        ("7", "simulated", 403, "Customer not found"),
    ],
)
async def test_refusals_by_status(tmp_path, customer, client_id, status, message):
    async with staged(tmp_path, credentials=TWO) as stage:
        headers = await stage.bearer(client_id) | ({} if customer is None else {"customerid": customer})
        async with stage.opened(headers) as socket:
            assert (await socket.recv())[0] == "0"
            await socket.send("40")
            packet = await socket.recv()
            assert packet == "44" + json.dumps(
                {"message": message, "data": {"statusCode": status}}, separators=(",", ":")
            )
    (line,) = stage.ledger("refused")
    assert (line.reason, line.customer) == (f"{status} {message} (socket)", customer)
    assert not stage.ledger("connect")


@pytest.mark.parametrize(
    ("form", "packet"),
    [
        ("status", '44{"message":"Missing customerid header","data":{"statusCode":401}}'),
        ("bare", '44{"message":"Missing customerid header"}'),
        ("text", '44"Missing customerid header"'),
    ],
)
async def test_forms_of_the_refusal(tmp_path, form, packet):
    async with staged(tmp_path, connect_error=form) as stage, stage.opened(await stage.bearer()) as socket:
        await socket.recv()
        await socket.send("40")
        assert await socket.recv() == packet


async def test_a_library_client_reads_the_status_of_a_refusal(tmp_path):
    async with staged(tmp_path) as stage:
        said = []
        client = socketio.AsyncClient(reconnection=False)
        client.on("connect_error", said.append)
        with pytest.raises(SocketRefused):
            await client.connect(
                stage.simulator.urls.socket_url,
                headers=await stage.bearer(),
                transports=["websocket"],
                socketio_path="/rms-socket/socket.io",
                wait_timeout=10,
            )
        await client.disconnect()
    assert said == [{"message": "Missing customerid header", "data": {"statusCode": 401}}]


async def bad_tokens(stage) -> dict[str, dict[str, str]]:
    good = await stage.bearer()
    token = good["Authorization"]
    elsewhere = token.rpartition(".")[0] + "." + token.rpartition(".")[2][::-1]
    return {
        "none": {},
        "scheme": {"Authorization": token.replace("Bearer", "Basic")},
        "alone": {"Authorization": "Bearer"},
        "text": {"Authorization": "Bearer x.y.z"},
        "signature": {"Authorization": elsewhere},
    }


@pytest.mark.parametrize("kind", ["none", "scheme", "alone", "text", "signature"])
@pytest.mark.parametrize("mode", ["gateway_401", "socket_401", "close_4401"])
async def test_a_bad_token_is_refused_in_the_mode_that_is_set(tmp_path, mode, kind):
    async with staged(tmp_path, bad_token=mode) as stage:
        await refused_token(stage, mode, (await bad_tokens(stage))[kind] | {"customerid": CUSTOMER})


async def refused_token(stage, mode, headers):
    match mode:
        case "gateway_401":
            with pytest.raises(InvalidStatus) as refused:
                async with stage.opened(headers):
                    pass
            assert refused.value.response.status_code == 401
        case "socket_401":
            async with stage.opened(headers) as socket:
                await socket.recv()
                await socket.send("40")
                assert await socket.recv() == '44{"message":"Unauthorized","data":{"statusCode":401}}'
        case "close_4401":
            async with stage.opened(headers) as socket:
                with pytest.raises(ConnectionClosed):
                    await socket.recv()
                assert socket.close_code == 4401


@pytest.mark.parametrize("mode", ["gateway_401", "socket_401", "close_4401"])
async def test_a_token_holds_exactly_its_time(tmp_path, mode):
    async with staged(tmp_path, bad_token=mode, access_token_s=60) as stage:
        stage.now_ns -= stage.now_ns % 1_000_000
        headers = await stage.headers()
        stage.turn(59.999)
        async with stage.opened(headers) as socket:
            await welcome(socket)
        stage.turn(0.001)
        await refused_token(stage, mode, headers)


async def test_a_live_socket_outlives_its_token(tmp_path):
    async with staged(tmp_path) as stage, stage.joined() as socket:
        stage.turn(4_000)
        await stage.decide(await stage.place())
        assert (await socket.recv()).startswith('42["RESERVE_BET_ACCEPT"')


async def test_or_it_is_closed_with_4401_after_what_was_on_its_way(tmp_path):
    async with staged(tmp_path, close_expired=True) as stage, stage.joined() as socket:
        stage.turn(1_799)
        await stage.decide(await stage.place(), time="none")
        stage.turn(1)
        got = await rest_of(socket)
        assert socket.close_code == 4401
        assert [packet[:22] for packet in got] == ['42["RESERVE_BET_ACCEPT']
    (line,) = stage.ledger("disconnect")
    assert (line.reason, line.n) == ("4401 token expired", 3)


async def test_nothing_comes_before_join_and_to_everybody_after_it(tmp_path):
    async with staged(tmp_path) as stage:
        headers = await stage.headers()
        async with stage.opened(headers) as silent, stage.joined(headers) as one, stage.joined(headers) as two:
            await welcome(silent)
            decision = await stage.decide(await stage.place())
            assert decision["reached"] == 2
            assert await one.recv() == await two.recv()
            await silent.send('421["join"]')
            assert await silent.recv() == '431[{"status":"ok"}]'
            assert (await stage.decide(await stage.place()))["reached"] == 3


async def test_rooms_are_of_a_customer_and_a_platform(tmp_path):
    async with (
        staged(tmp_path, credentials=TWO) as stage,
        stage.joined(await stage.headers()) as both,
        stage.joined(await stage.headers("7", "other")) as other,
        stage.joined(await stage.headers(client_id="second")) as second,
    ):
        slip = {"betSlipId": "the-same"}
        first = await stage.place(slip=slip)
        theirs = await stage.place(slip=slip, customer="7")
        elsewhere = await stage.place(slip=slip, platform=4022)
        assert [bet["platform"] for bet in (first, theirs, elsewhere)] == [4021, 4021, 4022]
        assert [(await stage.decide(bet))["reached"] for bet in (first, theirs, elsewhere)] == [1, 1, 2]
        codes = {"first": first, "theirs": theirs, "elsewhere": elsewhere}
        codes = {name: bet["answer"]["bet_code"] for name, bet in codes.items()}
        assert codes["first"] in await both.recv()
        assert codes["elsewhere"] in await both.recv()
        assert codes["theirs"] in await other.recv()
        assert codes["elsewhere"] in await second.recv()
        rooms = [connection["rooms"] for connection in (await stage.state())["connections"]]
        assert rooms == [["90210:4021", "90210:4022"], ["7:4021"], ["90210:4022"]]


async def test_join_is_not_acknowledged_where_it_was_not_asked_for_or_is_switched_off(tmp_path):
    async with staged(tmp_path, join_ack=False) as stage, stage.opened(await stage.headers()) as socket:
        await welcome(socket)
        await socket.send('420["join"]')
        await until(lambda: bool(stage.ledger("join")))
        await stage.decide(await stage.place())
        assert (await socket.recv()).startswith('42["RESERVE_BET_ACCEPT"')
    async with staged(tmp_path) as stage, stage.opened(await stage.headers()) as socket:
        await welcome(socket)
        await socket.send('42["join"]')
        await until(lambda: len(stage.ledger("join")) == 2)
        await stage.decide(await stage.place())
        assert (await socket.recv()).startswith('42["RESERVE_BET_ACCEPT"')


@pytest.mark.parametrize(
    "frame",
    ["42{}", "4abc", '42abc["join"]', "42[]", "42[7]", '42["connect"]', "40[]", "2", "x", "", "47", '42["join"', b"4"],
)
async def test_what_cannot_be_read_closes_the_connection(tmp_path, frame):
    async with staged(tmp_path) as stage, stage.joined() as socket:
        await socket.send(frame)
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert socket.close_code == 1000
        await until(lambda: bool(stage.ledger("disconnect")))
    assert stage.ledger("disconnect")[0].reason == "1000 parse error"


@pytest.mark.parametrize("frame", ['420["join"]', "41", "430[]"])
async def test_an_event_before_connect_closes_the_connection_too(tmp_path, frame):
    async with staged(tmp_path) as stage, stage.opened(await stage.headers()) as socket:
        await socket.recv()
        await socket.send(frame)
        with pytest.raises(ConnectionClosed):
            await socket.recv()
    assert not stage.ledger("join")


@pytest.mark.parametrize("accepted", [True, False])
async def test_no_connect_in_time_closes_the_connection(tmp_path, accepted):
    async with staged(tmp_path, connect_timeout_s=0.1) as stage:
        headers = await (stage.headers() if accepted else stage.bearer())
        async with stage.opened(headers) as socket:
            assert (await socket.recv())[0] == "0"
            with pytest.raises(ConnectionClosed):
                await socket.recv()
            assert socket.close_code == 1000


async def test_a_client_that_has_connected_stays(tmp_path):
    async with staged(tmp_path, connect_timeout_s=0.1) as stage, stage.joined() as socket:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(rest_of(socket), 0.3)
        assert (await stage.decide(await stage.place()))["reached"] == 1


async def test_other_namespaces_and_events_change_nothing(tmp_path):
    async with staged(tmp_path) as stage, stage.joined() as socket:
        await socket.send("40/admin,")
        assert await socket.recv() == '44/admin,{"message":"Invalid namespace"}'
        await socket.send('421["leave",{}]')
        await socket.send("432[]")
        await socket.send('423["join",{"whatever":1}]')
        assert await socket.recv() == '433[{"status":"ok"}]'


async def test_after_41_a_client_may_stay_and_hears_nothing(tmp_path):
    async with staged(tmp_path) as stage, stage.joined() as socket:
        await socket.send("41")
        await until(lambda: not next(iter(stage.simulator.connections.clients)).connected)
        assert (await stage.decide(await stage.place()))["reached"] == 0
        await welcome_again(socket)
        assert (await stage.decide(await stage.place()))["reached"] == 1


async def welcome_again(socket):
    await socket.send("40")
    assert (await socket.recv())[:2] == "40"
    await socket.send('425["join"]')
    assert (await socket.recv())[:3] == "435"


async def test_the_client_may_end_it_in_three_ways(tmp_path):
    async with staged(tmp_path) as stage:
        headers = await stage.headers()
        async with stage.joined(headers) as socket:
            await socket.send("1")
            with pytest.raises(ConnectionClosed):
                await socket.recv()
        async with stage.joined(headers) as socket:
            await socket.close(4000)
        async with stage.joined(headers) as socket:
            socket.transport.abort()
        await until(lambda: len(stage.ledger("disconnect")) == 3)
    reasons = [line.reason for line in stage.ledger("disconnect")]
    assert reasons[1] == "closed by the client with 4000"
    assert (reasons[0] or "").startswith("closed by the client")
    assert (reasons[2] or "").startswith("closed by the client")


async def test_pings_are_answered_or_the_connection_is_cut(tmp_path):
    async with staged(tmp_path, ping_interval_s=0.05, ping_timeout_s=0.1) as stage:
        async with stage.opened(await stage.headers(), SOCKET) as socket:
            await welcome(socket)
            for _ in range(3):
                assert await socket.recv() == "2"
                await socket.send("3")
            assert await socket.recv() == "2"
            with pytest.raises(ConnectionClosed):
                await socket.recv()
        await until(lambda: bool(stage.ledger("disconnect")))
    (line,) = stage.ledger("disconnect")
    assert (line.reason, line.n) == ("ping timeout", 1)  # pings are no frames
