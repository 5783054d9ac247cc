"""What goes wrong on purpose on FastPath sockets, with a client that is not ours, and how the ledger names it."""

import asyncio
import json

import pytest
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, InvalidStatus

from simulators.fastpath.config import FastpathFaultSettings
from simulators.fastpath.faults import JUNK
from tests.simulators.fastpath_stage import (
    ACK,
    ACTIONS,
    STATISTICS,
    admitted,
    numbers_of,
    opened,
    received,
    staged,
    until,
)


def reasons(stage):
    return [line.reason for line in stage.ledger() if line.kind == "disconnect"]


async def test_what_a_connection_got_is_in_the_ledger_frame_for_frame_whatever_strikes(tmp_path):
    faults = {
        "hole_every": 7,
        "swap_every": 6,
        "duplicate_every": 5,
        "conflict_every": 8,
        "binary_every": 4,
        "junk_every": 5,
        "odd_number_every": 9,
        "oversized_every": 20,
        "oversized_bytes": 200_000,
    }
    async with (
        staged(tmp_path, faults=faults) as stage,
        admitted(stage, max_size=None, max_queue=None) as socket,  # it takes what comes before it is asked for
    ):
        await stage.until_connected()
        stage.publish(count=200)
        await until(lambda: stage.tick(0.1) or stage.connections.waiting == 0)
        frames = [line for line in stage.ledger() if line.kind == "frame"]
        got = [await socket.recv(decode=False) for _ in frames[1:]]
        assert got == [line.payload for line in frames[1:]]
        lost = [line for line in stage.ledger() if line.kind == "lost"]
    assert {line.fault for line in lost} >= {"hole"}
    assert [line.n for line in frames] == list(range(1, len(frames) + 1))
    assert {line.n for line in lost} == {None}
    struck = {fault for line in frames for fault in (line.fault or "").split(",")}
    assert struck == {"", "swapped", "duplicate", "conflict", "binary", "junk", "odd-number", "oversized"}


async def test_binary_frames_are_binary_and_junk_is_not_mended(tmp_path):
    async with staged(tmp_path, faults={"binary_every": 1, "junk_every": 1}) as stage, admitted(stage) as socket:
        await stage.until_connected()
        stage.publish(count=len(JUNK))
        for junk in JUNK:
            assert isinstance(await socket.recv(), bytes)
            assert await socket.recv(decode=False) == junk


async def test_a_hole_comes_when_asked_for_again(tmp_path):
    async with staged(tmp_path, faults={"hole_numbers": (4, 5)}) as stage:
        stage.publish(count=6)
        async with admitted(stage) as socket:
            assert numbers_of(await received(socket, 4)) == [1, 2, 3, 6]
        async with admitted(stage, f"{ACTIONS}?startPosition=3") as socket:
            assert numbers_of(await received(socket, 3)) == [4, 5, 6]


async def test_faults_strike_the_feeds_they_name(tmp_path):
    faults = {"*/statistics": {"hole_every": 1}}
    async with staged(tmp_path, feed_faults=faults) as stage:
        stage.publish(ACTIONS, 2)
        stage.publish(STATISTICS, 2)
        async with admitted(stage) as actions, admitted(stage, STATISTICS) as statistics:
            assert numbers_of(await received(actions, 2)) == [1, 2]
            await until(lambda: sum(line.kind == "lost" for line in stage.ledger()) == 2)
            stage.tick(11)
            assert "Heartbeat" in json.loads(await statistics.recv())["message"]


async def test_a_cut_is_no_closing_handshake_and_takes_the_oldest_by_turns(tmp_path):
    async with (
        staged(tmp_path, faults={"cut_every_s": 5}) as stage,
        admitted(stage) as first,
        admitted(stage, STATISTICS) as second,
    ):
        await stage.until_connected(2)
        stage.tick()
        stage.tick(6)
        with pytest.raises(ConnectionClosedError) as cut:
            await first.recv()
        assert cut.value.rcvd is None
        await stage.until_connected()
        stage.tick(6)
        await until(lambda: len(reasons(stage)) == 2)
        with pytest.raises(ConnectionClosedError):
            await received(second, 2)
    assert reasons(stage) == ["cut by fault switch"] * 2


@pytest.mark.parametrize("code", [1000, 1001, 1011, 4404])
async def test_close_codes(tmp_path, code):
    faults = {"close_every_s": 5, "close_code": code}
    async with staged(tmp_path, faults=faults) as stage, admitted(stage) as socket:
        await stage.until_connected()
        stage.tick()
        stage.tick(6)
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert socket.close_code == code
        await stage.until_connected(0)
    assert reasons(stage) == [f"{code} closed by fault switch"]


async def test_a_half_open_connection_neither_speaks_nor_answers_pings_while_tcp_stays(tmp_path):
    faults = {"half_open_every_s": 5}
    async with staged(tmp_path, faults=faults) as stage, admitted(stage, close_timeout=0.1) as socket:
        await stage.until_connected()
        stage.tick()
        stage.tick(6)
        assert stage.connections.clients() == []
        stage.publish(count=3)
        stage.tick(11)
        await until(lambda: sum(line.kind == "lost" for line in stage.ledger()) == 4)
        pong = await socket.ping()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(pong), 0.2)
        assert socket.state.name == "OPEN"
        stage.tick(121)  # a middlebox forgets it in the end
        with pytest.raises(ConnectionClosedError):
            await socket.recv()
    assert {line.fault for line in stage.ledger() if line.kind == "lost"} == {"half-open"}
    assert reasons(stage) == ["half-open long enough"]


async def test_a_silence_that_loses_keeps_the_socket_and_answers_pings(tmp_path):
    faults = {"stall_every_s": 100, "stall_for_s": 50}
    async with staged(tmp_path, faults=faults) as stage, admitted(stage) as socket:
        await stage.until_connected()
        stage.publish()
        assert numbers_of(await received(socket, 1)) == [1]
        stage.tick(51)
        await until(lambda: len(stage.ledger()) == 4)  # the heartbeat is lost, too
        stage.publish()
        await until(lambda: len(stage.ledger()) == 5)
        await (await socket.ping())
        stage.tick(50)
        stage.publish()
        got = await received(socket, 2)
    assert numbers_of(got) == [3]  # and a heartbeat
    lost = [(line.sort, line.number, line.fault) for line in stage.ledger() if line.kind == "lost"]
    assert lost == [("heartbeat", None, "stalled"), ("event", 2, "stalled")]


async def test_a_silence_that_keeps_is_followed_by_what_was_published(tmp_path):
    faults = {"stall_every_s": 100, "stall_for_s": 50, "stall_loses": False}
    async with staged(tmp_path, faults=faults, heartbeat_s=1_000) as stage, admitted(stage) as socket:
        await stage.until_connected()
        stage.tick(51)
        stage.publish(count=2)
        await (await socket.ping())
        assert stage.connections.waiting == 2
        stage.tick(50)
        assert numbers_of(await received(socket, 2)) == [1, 2]


@pytest.mark.parametrize(
    ("style", "said"),
    [
        ("json", {"error": "The supplied authentication is invalid", "status": 401}),
        ("error", {"message": "The supplied authentication is invalid", "level": "ERROR"}),
        ("close", None),
    ],
)
async def test_every_nth_connection_is_refused_whatever_its_token(tmp_path, style, said):
    faults = {"refuse_every": 2}
    async with staged(tmp_path, refusal=style, faults=faults) as stage, admitted(stage), opened(stage) as socket:
        await socket.send('{"authToken": "simulated"}')
        if said is not None:
            assert json.loads(await socket.recv()) == said
        with pytest.raises(ConnectionClosedError):
            await socket.recv()
        assert socket.close_code == 1008


async def test_a_refusal_by_http_is_a_status_on_the_handshake(tmp_path):
    async with staged(tmp_path, refusal="http", faults={"refuse_every": 1}) as stage:
        with pytest.raises(InvalidStatus) as refused:
            async with opened(stage):
                pass
    assert refused.value.response.status_code == 401
    assert refused.value.response.body == b"The supplied authentication is invalid"


@pytest.mark.parametrize("status", [429, 503])
async def test_or_the_status_that_the_fault_names(tmp_path, status):
    async with staged(tmp_path, faults={"refuse_every": 1, "refuse_status": status}) as stage:
        with pytest.raises(InvalidStatus) as refused:
            async with opened(stage):
                pass
    assert refused.value.response.status_code == status
    assert [line.reason for line in stage.ledger()] == [f"{status} refused on purpose"]


async def test_a_slow_handshake_is_answered_late(tmp_path):
    async with staged(tmp_path, faults={"slow_every": 1, "slow_s": 0.2}) as stage:
        loop = asyncio.get_running_loop()
        began = loop.time()
        async with opened(stage):
            assert loop.time() - began >= 0.2


async def test_one_that_closes_right_after_auth_says_nothing(tmp_path):
    async with staged(tmp_path, faults={"close_after_auth_every": 1}) as stage, opened(stage) as socket:
        stage.publish()
        await socket.send('{"authToken": "simulated"}')
        with pytest.raises(ConnectionClosed):
            await socket.recv()
        assert socket.close_code == 1000


async def test_one_that_never_speaks_is_open_and_answers_pings(tmp_path):
    async with staged(tmp_path, faults={"mute_every": 2}) as stage, admitted(stage), opened(stage) as mute:
        await mute.send('{"authToken": "simulated"}')
        await stage.until_connected(2)
        stage.publish()
        stage.tick(11)
        await (await mute.ping())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(mute.recv(), 0.05)
    assert {line.sort for line in stage.ledger() if line.fault == "mute"} == {"answer", "event", "heartbeat"}


async def test_a_slow_reader_is_cut(tmp_path):
    async with staged(tmp_path, send_queue_max=20) as stage:
        async with opened(stage, max_queue=1, compression=None) as socket:
            await socket.send('{"authToken": "simulated"}')
            await stage.until_connected()
            client = stage.connections.clients()[0]
            large = b'{"seqNum":\x00,"padding":"' + b"x" * 500_000 + b'"}'
            while not client.quiet:  # nobody reads: what the kernel does not take waits
                stage.channels[ACTIONS].publish(large, stage.now_ns)
                await asyncio.sleep(0)
            with pytest.raises(ConnectionClosedError):
                await received(socket, 1 << 30)
        await until(lambda: reasons(stage))
    assert reasons(stage) == ["slow reader"]


async def test_a_replay_longer_than_the_bound_is_no_slow_reader(tmp_path):
    async with staged(tmp_path, send_queue_max=20) as stage:
        large = b'{"seqNum":\x00,"padding":"' + b"x" * 500_000 + b'"}'
        for _ in range(60):
            stage.channels[ACTIONS].publish(large, stage.now_ns)
        async with admitted(stage, max_queue=1, compression=None) as socket:
            await stage.until_connected()
            stage.publish()  # while the replay is still on its way
            assert stage.connections.waiting > 20
            assert numbers_of(await received(socket, 61)) == list(range(1, 62))


async def test_faults_are_replaced_while_connections_stay(tmp_path):
    async with staged(tmp_path, faults={"hole_every": 1}, ack=True) as stage, opened(stage) as socket:
        await socket.send('{"authToken": "simulated"}')
        assert json.loads(await socket.recv()) == ACK
        stage.publish()
        await until(lambda: any(line.kind == "lost" for line in stage.ledger()))
        stage.faults.replace(FastpathFaultSettings())
        stage.publish()
        assert numbers_of(await received(socket, 1)) == [2]
