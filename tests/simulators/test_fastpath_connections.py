"""How the simulated vendor lets clients in, what they get and when, with a client that is not ours."""

import asyncio
import json

import pytest
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, InvalidStatus

from tests.simulators.fastpath_stage import (
    ACTIONS,
    GOLF,
    MULTIPLEXER,
    STATISTICS,
    TENNIS,
    TENNIS_STATISTICS,
    admitted,
    numbers_of,
    opened,
    received,
    staged,
    until,
)


async def test_a_client_gets_what_was_and_then_what_comes_and_the_ledger_has_it_byte_for_byte(tmp_path):
    async with staged(tmp_path) as stage:
        stage.publish(count=3)
        async with admitted(stage) as socket:
            await stage.until_connected()
            stage.publish(count=2)
            got = await received(socket, 5)
            await socket.send("whatever the client sends later is ignored")
            await socket.send(b"\xff")
            stage.publish()
            got += await received(socket, 1)
        await stage.until_connected(0)
    assert numbers_of(got) == [1, 2, 3, 4, 5, 6]
    connect, *frames, end = stage.ledger()
    assert (connect.kind, connect.feed, connect.position) == ("connect", ACTIONS, None)
    assert [line.packet for line in frames][1:] == got
    assert [line.sort for line in frames] == ["answer"] + ["event"] * 6
    assert [line.n for line in frames] == list(range(1, 8))
    assert [(line.index, line.number) for line in frames][1:] == list(zip(range(6), range(1, 7), strict=True))
    assert (end.kind, end.n, end.reason) == ("disconnect", 7, "closed by the client with 1000")


@pytest.mark.parametrize(
    ("path", "reading", "position", "first"),
    [
        (ACTIONS, "skip", None, 1),
        (ACTIONS, "skip", 0, 1),
        (ACTIONS, "skip", 5, 6),
        (ACTIONS, "start_at", 5, 5),
        (ACTIONS, "start_at", 1, 1),
        (STATISTICS, "skip", 5, 6),
        (TENNIS, "start_at", 5, 5),
        (TENNIS, "skip", 5, 6),
        (TENNIS, "start_at", 0, 0),
        (TENNIS, "start_at", None, 0),
        (GOLF, "skip", 5, 1),
        (MULTIPLEXER, "skip", None, 1),
        (ACTIONS, "skip", 99, 11),
        (TENNIS, "start_at", 99, 10),
    ],
)
async def test_the_position_is_read_as_set(tmp_path, path, reading, position, first):
    readings = {"position_events": reading, "position_sequence": reading}
    async with staged(tmp_path, **readings) as stage:
        stage.publish(path, 10)
        query = "" if position is None else f"?startPosition={position}&speed=fast"
        async with admitted(stage, path + query) as socket:
            await stage.until_connected()
            stage.publish(path)
            last = 10 if path == TENNIS else 11
            assert numbers_of(await received(socket, last - first + 1)) == list(range(first, last + 1))
    assert stage.ledger()[0].position == position


@pytest.mark.parametrize("position", ["-1", "x", "1.5", "", "9" * 19, "%D9%A1"])
async def test_a_position_that_is_no_number_is_refused(tmp_path, position):
    async with staged(tmp_path) as stage:
        with pytest.raises(InvalidStatus) as refused:
            async with opened(stage, f"{ACTIONS}?startPosition={position}"):
                pass
    assert refused.value.response.status_code == 400


@pytest.mark.parametrize(
    ("path", "position", "expected"),
    [
        (ACTIONS, 0, [1, 2, 3, 4, 1, 2]),
        (ACTIONS, 3, [4, 1, 2]),
        (TENNIS, 3, [3, 0, 1]),
        (TENNIS, 1, [1]),
        (TENNIS, 9, [0, 1, 2, 3, 0, 1]),
    ],
)
async def test_where_numbers_began_anew_the_position_is_looked_for_in_the_newest(tmp_path, path, position, expected):
    async with staged(tmp_path) as stage:
        twin = stage.channels[path].twin(f"media/{path}")
        stage.publish(path, 4)
        stage.channels[path].restart()
        stage.publish(path, 2)
        stage.channels[twin.feed.path] = twin
        for asked in (path, twin.feed.path):
            async with admitted(stage, f"{asked}?startPosition={position}") as socket:
                assert numbers_of(await received(socket, len(expected))) == expected


async def test_tennis_statistics_bring_the_newest_only(tmp_path):
    async with staged(tmp_path) as stage:
        stage.publish(TENNIS_STATISTICS, 10)
        async with admitted(stage, f"{TENNIS_STATISTICS}?startPosition=2") as socket:
            await stage.until_connected()
            stage.publish(TENNIS_STATISTICS)
            assert numbers_of(await received(socket, 2)) == [10, 11]


@pytest.mark.parametrize(("scope", "second"), [("fixture", [4, 5, 6]), ("connection", [1, 2, 3])])
async def test_numbers_are_the_fixtures_or_the_connections(tmp_path, scope, second):
    async with staged(tmp_path, scope=scope) as stage:
        stage.publish(count=5)
        for query, expected in (("", [1, 2, 3]), ("?startPosition=3", second)):
            async with admitted(stage, ACTIONS + query) as socket:
                await stage.until_connected()
                if query:
                    stage.publish()
                got = await received(socket, 3)
                assert numbers_of(got) == expected
            await stage.until_connected(0)
    assert [json.loads(packet)["fixtureAction"]["actionId"] for packet in got] == ["a3", "a4", "a5"]


async def test_without_accept_the_handshake_is_refused_with_the_sheets_text(tmp_path):
    async with staged(tmp_path) as stage:
        with pytest.raises(InvalidStatus) as refused:
            async with opened(stage, headers={}):
                pass
    assert refused.value.response.status_code == 400
    assert refused.value.response.body == b"Request is missing required HTTP header 'Accept'"
    (line,) = stage.ledger()
    assert (line.kind, line.reason) == ("refused", "400 Request is missing required HTTP header 'Accept'")


async def test_accept_may_be_left_out_where_it_is_not_required(tmp_path):
    async with staged(tmp_path, require_accept=False, ack=False) as stage:
        stage.publish()
        async with admitted(stage, headers={}) as socket:
            assert numbers_of(await received(socket, 1)) == [1]  # and no ack before it


INVALID = "The supplied authentication is invalid"
MALFORMED = "Authentication message had incorrect format"


@pytest.mark.parametrize(
    ("style", "message"),
    [
        ("json", {"error": INVALID, "status": 401}),
        ("http", {"error": INVALID, "status": 401}),
        ("error", {"message": INVALID, "level": "ERROR"}),
        ("close", None),
    ],
)
async def test_a_wrong_token_is_refused_in_the_style_that_is_set(tmp_path, style, message):
    async with staged(tmp_path, refusal=style) as stage, opened(stage) as socket:
        stage.publish()
        await socket.send('{"authToken": "wrong"}')
        if message is not None:
            assert json.loads(await socket.recv()) == message
        with pytest.raises(ConnectionClosedError):
            await socket.recv()
        assert (socket.close_code, socket.close_reason) == (1008, INVALID)
    (line,) = stage.ledger()
    assert (line.kind, line.reason) == ("refused", INVALID)
    assert (None if line.packet is None else json.loads(line.packet)) == message


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        ('{"authToken": "simulated\\n"}', INVALID),
        ('{"authToken": "sïmulated"}', INVALID),
        ('{"authToken": ""}', INVALID),
        ('{"authToken": null}', MALFORMED),
        ('{"token": "simulated"}', MALFORMED),
        ('"simulated"', MALFORMED),
        ("simulated", MALFORMED),
        ("", MALFORMED),
        (b"\xff\xfe", MALFORMED),
    ],
)
async def test_an_auth_frame_that_is_none_is_refused(tmp_path, frame, why):
    async with staged(tmp_path, refusal="error") as stage, opened(stage) as socket:
        await socket.send(frame)
        assert json.loads(await socket.recv()) == {"message": why, "level": "ERROR"}
        with pytest.raises(ConnectionClosedError):
            await socket.recv()


async def test_who_says_nothing_is_closed_at_the_deadline_and_hears_nothing_before(tmp_path):
    async with staged(tmp_path, auth_deadline_s=0.2, refusal="close") as stage, opened(stage) as socket:
        stage.publish()
        with pytest.raises(ConnectionClosedError):
            await socket.recv()
        assert (socket.close_code, socket.close_reason) == (1008, "no authentication in time")


async def test_who_leaves_before_the_auth_frame_is_written_down(tmp_path):
    async with staged(tmp_path) as stage:
        async with opened(stage):
            pass
        await until(stage.ledger)
    assert [line.reason for line in stage.ledger()] == ["left before authentication"]


@pytest.mark.parametrize(
    ("how", "code"), [("404", 404), ("4404", 4404), ("warn", None)], ids=["http", "close", "warning"]
)
async def test_a_fixture_that_does_not_exist(tmp_path, how, code):
    async with staged(tmp_path, unknown_fixture=how) as stage:
        path = "soccer/fixtures/99999999-0000-4000-8000-000000000000/actions"
        if how == "404":
            with pytest.raises(InvalidStatus) as refused:
                async with opened(stage, path):
                    pass
            assert refused.value.response.status_code == code
            return
        async with opened(stage, path) as socket:
            await socket.send('{"authToken": "simulated"}')
            if how == "4404":
                with pytest.raises(ConnectionClosed):
                    await socket.recv()
                assert socket.close_code == code
                return
            await socket.recv()
            warned = json.loads(await socket.recv())
            assert warned == {"message": f"Could not find fixture topic {path}", "level": "WARN"}
            stage.tick(11)
            assert "Heartbeat" in json.loads(await socket.recv())["message"]  # the socket stays


@pytest.mark.parametrize(("not_started", "path", "status"), [("204", TENNIS, 204), ("open", TENNIS, 101)])
async def test_a_match_that_has_not_begun(tmp_path, not_started, path, status):
    async with staged(tmp_path, not_started=not_started) as stage:
        stage.channels[path].started = False
        if status == 204:
            with pytest.raises(InvalidStatus) as refused:
                async with opened(stage, path):
                    pass
            assert refused.value.response.status_code == 204
        stage.channels[path].started = status == 204
        stage.publish(path)
        async with admitted(stage, path) as socket:
            assert numbers_of(await received(socket, 1)) == [0]


async def test_family_a_lets_clients_in_before_the_match(tmp_path):
    async with staged(tmp_path) as stage:
        stage.channels[ACTIONS].started = False
        async with admitted(stage) as socket:
            await stage.until_connected()
            stage.publish()
            assert numbers_of(await received(socket, 1)) == [1]


@pytest.mark.parametrize("told", [True, False])
async def test_who_comes_during_an_outage_is_told_so_after_what_was_and_history_has_no_states(tmp_path, told):
    async with staged(tmp_path, status_on_connect=told) as stage:
        stage.publish()
        stage.status("Disconnected")
        stage.status("Connected")
        stage.publish()
        async with admitted(stage) as socket:
            await stage.until_connected()
            stage.status("Disconnected")
            got = [json.loads(message) for message in await received(socket, 3)]
            assert [packet.get("state") for packet in got] == [None, None, "Disconnected"]
        async with admitted(stage) as socket:
            await stage.until_connected()
            stage.publish()
            got = [json.loads(message).get("state") for message in await received(socket, 3 + told)]
            assert got == [None, None, *(["Disconnected"] if told else []), None]


@pytest.mark.parametrize(
    ("path", "shape", "keys", "interval_s"),
    [
        (ACTIONS, "auto", ["message", "level"], 10),
        (TENNIS, "auto", ["message", "level"], 10),
        (GOLF, "auto", ["eventElementType", "timestamp", "message"], 20),
        (MULTIPLEXER, "auto", ["sport", "eventId", "feedType", "dataType", "message"], 20),
        (ACTIONS, "event-lower", ["eventelementType", "timestamp", "message"], 10),
        (ACTIONS, "event", ["eventElementType", "timestamp", "message"], 10),
        (GOLF, "message", ["message", "level"], 20),
    ],
)
async def test_heartbeats_come_in_every_shape_at_their_interval(tmp_path, path, shape, keys, interval_s):
    async with staged(tmp_path, heartbeat=shape) as stage, admitted(stage, path) as socket:
        await stage.until_connected()
        stage.tick(interval_s + 1)
        assert list(json.loads(await socket.recv())) == keys
        stage.tick(interval_s - 1)  # not yet
        stage.publish(path)
        assert numbers_of(await received(socket, 1))
        stage.tick(1)
        assert list(json.loads(await socket.recv())) == keys


async def test_heartbeats_go_on_while_the_upstream_is_disconnected(tmp_path):
    async with staged(tmp_path, heartbeat_s=3) as stage, admitted(stage) as socket:
        await stage.until_connected()
        stage.status("Disconnected")
        await socket.recv()
        for _ in range(3):
            stage.tick(4)
            assert json.loads(await socket.recv())["message"].startswith("Heartbeat sent at 20")


@pytest.mark.parametrize("compression", ["deflate", None])
async def test_deflate_is_negotiated_when_it_is_offered(tmp_path, compression):
    async with staged(tmp_path) as stage:
        stage.publish(count=2)
        async with admitted(stage, compression=compression) as socket:
            assert socket.response is not None
            offered = socket.response.headers.get("Sec-WebSocket-Extensions")
            assert (offered or "").startswith("permessage-deflate") is (compression is not None)
            assert numbers_of(await received(socket, 2)) == [1, 2]


async def test_after_full_time_sockets_stay_or_are_closed_as_set(tmp_path):
    async with staged(tmp_path, close_finished_s=60) as stage, admitted(stage) as socket:
        await stage.until_connected()
        stage.publish()
        stage.channels[ACTIONS].finished_ns = stage.now_ns
        stage.tick(50)
        await received(socket, 2)  # the packet and heartbeats
        stage.tick(11)
        with pytest.raises(ConnectionClosed):
            await received(socket, 9)
        assert (socket.close_code, socket.close_reason) == (1000, "finished")


@pytest.mark.parametrize(("query", "at_once"), [("", False), ("?speed=normal", False), ("?speed=fast", True)])
async def test_a_finished_match_is_replayed_at_its_pace_or_fast(tmp_path, query, at_once):
    async with staged(tmp_path, pace_finished=True, heartbeat_s=1_000) as stage:
        for _ in range(3):
            stage.publish()
            stage.now_ns += 60_000_000_000
        stage.channels[ACTIONS].finished_ns = stage.now_ns
        async with admitted(stage, ACTIONS + query) as socket:
            await stage.until_connected()
            stage.tick()
            got = await received(socket, 3 if at_once else 1)
            if not at_once:
                stage.publish()  # a correction waits for its turn
                stage.tick(59)
                stage.tick(2)
                got += await received(socket, 1)
                assert stage.connections.waiting == 2
                stage.tick(60)
                got += await received(socket, 2)
    assert numbers_of(got) == [1, 2, 3] + ([] if at_once else [4])


async def test_the_server_says_that_it_goes_away(tmp_path):
    async with staged(tmp_path) as stage, admitted(stage) as socket, opened(stage, STATISTICS) as silent:
        await stage.until_connected()
        closing = asyncio.create_task(stage.connections.close())
        for client in (socket, silent):
            with pytest.raises(ConnectionClosed):
                await client.recv()
            assert client.close_code == 1001
        await closing
        with pytest.raises(InvalidStatus):
            async with opened(stage):
                pass
