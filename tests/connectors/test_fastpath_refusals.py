"""Refused in all three forms, refused for now, and closed for no reason: told, never in a hot loop, others go on."""

import asyncio
import logging
import re

import pytest
from websockets.utils import accept_key

from tests.connectors.fastpath_vendor import ACTIONS, HEARTBEAT, STATISTICS, TOKEN, action, vendor
from tests.connectors.vendor import eventually

pytestmark = pytest.mark.kafka

INVALID = "The supplied authentication is invalid"


def only_actions(behaviour):
    """Do it to connections of the actions feed; the statistics feed is served."""

    async def behave(peer):
        if peer.path == f"/{ACTIONS}":
            await behaviour(peer)
        else:
            await peer.send(HEARTBEAT)
            await peer.listen()

    return behave


async def says_so_and_closes(peer):
    await peer.send(f'{{"message": "{INVALID}", "level": "ERROR"}}')
    await peer.socket.close(code=1000)


async def says_so_and_stays(peer):
    await peer.send('{"errorMessage": "Supplied token could not be authenticated"}')
    await peer.listen()


async def closes_with_1008(peer):
    await peer.socket.close(code=1008, reason="who are you")


@pytest.mark.parametrize(
    ("status", "behaviour", "closed"),
    [
        (401, None, {"code": 401, "reason": "unauthorised", "frames": 0}),
        (403, None, {"code": 403, "reason": "unauthorised", "frames": 0}),
        (None, says_so_and_closes, {"code": 1000, "reason": "unauthorised", "frames": 1}),
        (None, says_so_and_stays, {"code": 1000, "reason": "unauthorised", "frames": 1}),
        (None, closes_with_1008, {"code": 1008, "reason": "unauthorised", "frames": 0}),
    ],
    ids=["401", "403", "JSON then close", "JSON alone", "1008"],
)
async def test_a_refused_token_stops_that_feed_with_an_alarm_and_no_other(fastpath, caplog, status, behaviour, closed):
    async with vendor(only_actions(behaviour)) as server:
        if status:
            server.answers = lambda _, request: (
                (status, {}, INVALID.encode()) if request.path.startswith(f"/{ACTIONS}") else None
            )
        async with fastpath.connector(server.url, feeds=(ACTIONS, STATISTICS)):
            await eventually(lambda: "fastpath.unauthorised" in caplog.text)
            asked = len(server.requests)
            # The other feed lives through several reconnects; the refused one is not tried again.
            for _ in range(3):
                while (peer := await server.connected()).path != f"/{STATISTICS}":
                    pass
                peer.drop()
            assert sum(r.path.startswith(f"/{ACTIONS}") for r in server.requests[asked:]) == 0
        records = await fastpath.records()
        others = await fastpath.records(path=STATISTICS)
    mine = [r for r in records if r.line == ACTIONS]
    assert [r.json for r in mine if r.kind == "closed"] == [closed]
    assert sum(r.kind == "opened" for r in mine) == (0 if status else 1)
    assert sum(r.kind == "opened" for r in others if r.line == STATISTICS) >= 3
    alarm = next(record for record in caplog.records if "fastpath.unauthorised" in record.getMessage())
    assert alarm.levelno == logging.ERROR
    assert "Operator action: this feed is not followed any more; check TRICAST_FASTPATH__TOKEN" in alarm.getMessage()


async def test_the_token_is_in_no_log_and_no_record_even_if_the_server_repeats_it(fastpath, caplog):
    caplog.set_level(logging.DEBUG)  # the library's debug log shows every frame, our first one among them

    async def repeats(peer):
        await peer.socket.close(code=4000, reason=f"bad {TOKEN}")

    async with vendor(repeats) as server:
        server.answers = lambda number, _: (
            (500, {}, f"no {TOKEN}".encode()) if number == 1 else (401, {}, TOKEN.encode()) if number > 3 else None
        )
        async with fastpath.connector(server.url):
            await eventually(lambda: "fastpath.unauthorised" in caplog.text)
    assert "bad ***" in caplog.text
    logged = [r.getMessage() for r in caplog.records if not r.name.startswith("websockets.server")]
    assert not [text for text in logged if TOKEN in text]
    for record in await fastpath.records():
        assert TOKEN.encode() not in record.value
        assert not [value for value in record.headers.values() if TOKEN in value]


@pytest.mark.parametrize(
    ("status", "reason"),
    [(204, "not-started"), (404, "unknown-fixture"), (400, "bad-request"), (429, "too-many-requests")],
)
async def test_what_is_not_there_yet_is_asked_for_again_and_recorded_once(fastpath, status, reason):
    async with vendor() as server:
        server.answers = lambda number, _: (status, {}, b"") if number <= 5 else None
        async with fastpath.connector(server.url):
            await server.connected()
            assert len(server.requests) == 6
            await fastpath.records(lambda seen: any(r.kind == "opened" for r in seen))
    records = await fastpath.records()
    assert [r.json for r in records if r.kind == "closed"][:-1] == [{"code": status, "reason": reason, "frames": 0}]
    refusal, opened = records[0], next(r for r in records if r.kind == "opened")
    assert refusal.headers["tc-position"] == "0"
    assert refusal.frame == 0
    assert refusal.connection != opened.connection
    assert opened.json["previous_connection"] is None, "a refusal is no connection"


async def test_a_changed_reason_is_recorded_again(fastpath):
    statuses = [204, 204, 404, 404, 204, 503]
    async with vendor() as server:
        server.answers = lambda number, _: (statuses[number - 1], {}, b"") if number <= len(statuses) else None
        async with fastpath.connector(server.url):
            await server.connected()
    closed = [r.json["code"] for r in await fastpath.records() if r.kind == "closed"]
    assert closed == [204, 404, 204, 503, 1000]


async def test_a_position_that_is_refused_does_not_lock_us_out(fastpath):
    async with vendor() as server:
        server.answers = lambda _, request: (400, {}, b"") if not request.path.endswith("startPosition=0") else None
        async with fastpath.connector(server.url):
            first = await server.connected()
            for number in range(1, 6):
                await first.send(action(number))
            await fastpath.records(lambda seen: sum(r.kind == "frame" for r in seen) == 5)
            first.drop()
            assert (await server.connected()).position == 0
    assert [request.path[-1] for request in server.requests] == ["0", "3", "0"]


async def test_a_redirect_is_not_followed_with_the_token(fastpath, caplog):
    async with vendor() as other, vendor() as server:
        server.answers = lambda *_: (302, {"Location": f"{other.url}/{ACTIONS}"}, b"")
        async with fastpath.connector(server.url):
            await eventually(lambda: len(server.requests) >= 3)
        assert other.requests == []
    assert "HTTP 302 in place of the upgrade" in caplog.text


async def test_an_unknown_fixture_that_is_told_on_an_open_socket_is_left_and_asked_for_again(fastpath):
    async def unknown(peer):
        if peer.number < 3:
            await peer.send('{"message": "Could not find fixture topic x", "level": "WARN"}')
        await peer.listen()

    async with vendor(unknown) as server, fastpath.connector(server.url):
        for _ in range(3):
            await server.connected()
        await fastpath.records(lambda seen: sum(r.kind == "opened" for r in seen) == 3)
    reasons = [r.json["reason"] for r in await fastpath.records() if r.kind == "closed"]
    assert reasons == ["unknown-fixture", "unknown-fixture", "shutdown"]


@pytest.mark.parametrize("code", [1000, 1001, 1011, 1013, 4000])
async def test_a_close_right_after_the_token_is_no_hot_loop(fastpath, code):
    async def closes(peer):
        await peer.socket.close(code=code)

    waits = [0.0]
    async with vendor(closes) as server, fastpath.connector(server.url, backoff_s=(0.01, 0.02, 3600)):
        while len(server.requests) < 3:
            await server.connected()
        # After the third failure in a row the delay is up to an hour: no attempt follows within many ticks.
        await fastpath.records(lambda seen: sum(r.kind == "tick" and not r.json["open"] for r in seen) > 5)
        waits.append(len(server.requests))
    assert waits[-1] == 3


async def test_1008_after_data_is_a_close_like_others(fastpath, caplog):
    async def serves_then_closes(peer):
        await peer.send(HEARTBEAT)
        if peer.number == 1:
            await peer.socket.close(code=1008, reason="slow consumer")
        await peer.listen()

    async with vendor(serves_then_closes) as server, fastpath.connector(server.url):
        for _ in range(2):
            await server.connected()
        await fastpath.records(lambda seen: sum(r.kind == "opened" for r in seen) == 2)
    assert "fastpath.unauthorised" not in caplog.text


async def test_what_is_held_back_in_a_refused_feed_has_time_that_goes_on(fastpath, caplog):
    async with vendor() as server:
        server.answers = lambda number, _: (401, {}, b"") if number > 1 else None
        async with fastpath.connector(server.url):
            peer = await server.connected()
            await peer.send(action(1))
            peer.drop()
            await eventually(lambda: "fastpath.unauthorised" in caplog.text)
            before = len(await fastpath.records())
            await fastpath.records(lambda seen: sum(r.kind == "tick" for r in seen[before:]) >= 2)


async def test_stopping_while_a_server_does_not_answer_does_not_wait_for_it(fastpath):
    listening = asyncio.Event()

    async def deaf(reader, writer):
        listening.set()
        await reader.read()

    server = await asyncio.start_server(deaf, "127.0.0.1", 0)
    url = "ws://{}:{}".format(*server.sockets[0].getsockname())
    # Leaving the connector raises when the grace period was not enough.
    async with fastpath.connector(url, handshake_timeout_s=60.0, grace_s=5.0):
        await listening.wait()
    server.close()
    assert await fastpath.records() == []


async def test_who_is_served_is_not_refused_by_a_message_about_something_else(fastpath, caplog):
    async def warns(peer):
        await peer.send(action(1))
        await peer.send('{"message": "Could not parse line-up: unexpected token at 17", "level": "ERROR"}')
        await peer.send('{"message": "Player 123 not found", "level": "WARN"}')
        await peer.send(action(2))
        await peer.listen()

    async with vendor(warns) as server, fastpath.connector(server.url):
        await server.connected()
        await fastpath.records(lambda seen: sum(r.kind == "frame" for r in seen) == 4)
    assert len(server.requests) == 1
    assert "refused" not in caplog.text
    assert "unauthorised" not in caplog.text


@pytest.mark.parametrize("reason", ["repair", "shutdown", "finished"])
async def test_the_reason_of_a_close_may_be_a_word_of_ours(fastpath, reason):
    async def closes(peer):
        await peer.socket.close(code=1000, reason=reason)

    async with vendor(closes) as server, fastpath.connector(server.url, backoff_s=(0.01, 0.02, 3600)):
        await server.connected()
        await server.connected()
        await fastpath.records(lambda seen: sum(r.kind == "tick" and not r.json["open"] for r in seen) > 5)
    assert 2 <= len(server.requests) <= 3


async def test_1008_before_the_token_is_a_refusal(fastpath, caplog):
    async def refuses(reader, writer):
        request = await reader.readuntil(b"\r\n\r\n")
        found = re.search(rb"(?i)sec-websocket-key: *(\S+)", request)
        assert found
        key = found[1].decode()
        answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        answer += f"Sec-WebSocket-Accept: {accept_key(key)}\r\n\r\n"
        asked.append(key)
        writer.write(answer.encode() + b"\x88\x02" + (1008).to_bytes(2, "big"))
        await reader.read()
        writer.close()

    asked = []
    server = await asyncio.start_server(refuses, "127.0.0.1", 0)
    async with fastpath.connector("ws://{}:{}".format(*server.sockets[0].getsockname())):
        await eventually(lambda: "fastpath.unauthorised" in caplog.text)
    server.close()
    assert len(asked) == 1


async def test_what_a_server_says_is_told_in_one_short_line_and_without_a_part_of_the_token(fastpath, caplog):
    async with vendor() as server:
        body = f"<h1>\n\x1b[31m{'x' * 160}{TOKEN}{'y' * 100_000}".encode()
        server.answers = lambda *_: (401, {}, body)
        async with fastpath.connector(server.url):
            await eventually(lambda: "fastpath.unauthorised" in caplog.text)
    alarm = next(record.getMessage() for record in caplog.records if "fastpath.unauthorised" in record.getMessage())
    assert len(alarm) < 600
    assert alarm.isprintable()
    assert "***" in alarm
    assert TOKEN[:5] not in alarm


async def test_an_answer_that_is_none_of_http_says_what_is_wrong_and_where(fastpath, caplog):
    async def answers(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.0 401 Unauthorized\r\n\r\nno")
        writer.close()

    server = await asyncio.start_server(answers, "127.0.0.1", 0)
    address = "{}:{}".format(*server.sockets[0].getsockname())
    async with fastpath.connector(f"ws://{address}"):
        await eventually(lambda: "line.connect_failed" in caplog.text)
    server.close()
    assert (
        f"reason={address}: InvalidMessage: did not receive a valid HTTP response: unsupported protocol" in caplog.text
    )
