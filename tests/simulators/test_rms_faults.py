"""What the simulated vendor does wrong on purpose, as its clients see it and as the ledger tells it."""

import asyncio
import json
from collections import Counter

import pytest
from websockets.exceptions import InvalidStatus

from simulators.rms.approvals import JUNK, UNKNOWN_EVENT
from simulators.rms.storm import Storm, StormSettings
from simulators.rms.trader import Move
from tests.simulators.rms_client import S, rest_of, staged, until, welcome


async def ended(socket) -> int | None:
    """Read until it has ended; return the close code."""
    await rest_of(socket)
    return socket.close_code


@pytest.mark.parametrize(
    ("faults", "code", "reason"),
    [
        ({"drop_every_s": 10}, 1006, "cut by fault switch"),
        ({"close_every_s": 10}, 1001, "1001 closed by fault switch"),
        ({"close_every_s": 10, "close_code": 4403}, 4403, "4403 closed by fault switch"),
    ],
)
async def test_connections_end_oldest_first_at_their_interval(tmp_path, faults, code, reason):
    async with staged(tmp_path, faults=faults) as stage:
        headers = await stage.headers()
        async with stage.joined(headers) as first, stage.joined(headers) as second:
            stage.turn(9.9)
            await stage.decide(await stage.place())
            assert (await first.recv())[:2] == (await second.recv())[:2] == "42"
            stage.turn(0.1)
            assert await ended(first) == code
            await until(lambda: len(stage.ledger("disconnect")) == 1)
            assert (await stage.decide(await stage.place()))["reached"] == 1
            assert (await second.recv())[:2] == "42"
            stage.turn(10)
            assert await ended(second) == code
    assert [line.reason for line in stage.ledger("disconnect")] == [reason, reason]
    names = [line.connection for line in stage.ledger("connect")]
    assert [line.connection for line in stage.ledger("disconnect")] == names


async def test_the_disconnect_packet_leaves_the_websocket_open_and_the_room_empty(tmp_path):
    async with staged(tmp_path, faults={"disconnect_every_s": 10}) as stage, stage.joined() as socket:
        stage.turn(10)
        assert await socket.recv() == "41"
        assert (await stage.decide(await stage.place()))["reached"] == 0
        await (await socket.ping())


async def test_a_half_open_connection_hears_nothing_and_its_packets_are_lost(tmp_path):
    async with staged(tmp_path, faults={"half_open_every_s": 10}) as stage, stage.joined() as socket:
        stage.turn(10)
        await until(lambda: next(iter(stage.simulator.connections.clients)).half_open_ns is not None)
        decision = await stage.decide(await stage.place())
        assert decision["reached"] == 0
        await socket.send('427["join"]')
        stage.turn(119)
        assert (await stage.state())["connections"][0]["half_open"] is True
        stage.turn(2)
        assert await ended(socket) == 1006
    lost = stage.ledger("lost")
    assert [line.fault for line in lost] == ["half-open", "no-socket"]
    assert lost[0].connection == stage.ledger("connect")[0].connection
    assert lost[0].packet == lost[1].packet
    assert len(stage.ledger("join")) == 1


async def test_a_stall_holds_back_what_is_said_in_rooms_while_pings_go_on(tmp_path):
    pings = {"ping_interval_s": 0.02}
    async with staged(tmp_path, faults={"stalled": True}, **pings) as stage, stage.joined() as socket:
        await stage.decide(await stage.place())
        await stage.decide(await stage.place())
        for _ in range(2):
            assert await socket.recv() == "2"
            await socket.send("3")
        assert (await stage.state())["waiting"] == 2
        assert (await stage.ask("/simulator/faults"))[1]["stalled"] is True
        await stage.control("faults")
        said: list[str] = []
        while len(said) < 2:
            packet = await socket.recv()
            if packet == "2":
                await socket.send("3")
            else:
                said.append(packet)
    assert [line.packet for line in stage.ledger("frame") if line.decision] == [packet[1:] for packet in said]


async def test_what_is_held_back_when_the_connection_ends_is_lost(tmp_path):
    async with staged(tmp_path, faults={"stalled": True}) as stage, stage.joined() as socket:
        await stage.decide(await stage.place())
        await until(lambda: bool(next(iter(stage.simulator.connections.clients)).waiting))
        await stage.control("close", how="cut")
        await ended(socket)
        await until(lambda: bool(stage.ledger("disconnect")))
        assert [line.fault for line in stage.ledger("lost")] == ["ended"]


async def test_a_flood_sends_every_approval_many_times(tmp_path):
    async with staged(tmp_path, faults={"flood_factor": 10}) as stage, stage.joined() as socket:
        await stage.decide(await stage.place())
        assert len({await socket.recv() for _ in range(10)}) == 1
        assert [line.fault for line in stage.ledger("frame")][-10:] == [None, *["duplicate"] * 9]


async def test_a_half_open_connection_is_not_cut_for_missing_pongs(tmp_path):
    pings = {"ping_interval_s": 0.02, "ping_timeout_s": 0.02}
    async with staged(tmp_path, faults={"mute_every": 1}, **pings) as stage:
        async with stage.opened(await stage.headers()) as socket:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(rest_of(socket), 0.1)
            assert (await stage.state())["connections"][0]["half_open"] is True
        assert not stage.ledger("frame", "disconnect")


async def test_every_nth_connection_is_mute_from_the_start(tmp_path):
    async with staged(tmp_path, faults={"mute_every": 2}) as stage:
        headers = await stage.headers()
        async with stage.joined(headers), stage.opened(headers) as mute, stage.joined(headers):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await mute.recv()


async def test_handshakes_are_refused_by_turns(tmp_path):
    faults = {"refuse_every": 2, "refusals": ["429", "500", "402"]}
    async with staged(tmp_path, faults=faults) as stage:
        headers, got = await stage.headers(), []
        for _ in range(8):
            async with stage.opened(headers) as socket:
                await socket.recv()
                await socket.send("40")
                packet = await socket.recv()
                got.append(json.loads(packet[2:]).get("data", {}).get("statusCode"))
    assert got == [None, 429, None, 500, None, 402, None, 429]


@pytest.mark.parametrize("status", ["429", "500", "401"])
async def test_or_by_http(tmp_path, status):
    faults = {"refuse_every": 1, "refusals": [status], "refuse_by": "http"}
    async with staged(tmp_path, faults=faults) as stage:
        with pytest.raises(InvalidStatus) as refused:
            async with stage.opened(await stage.headers()):
                pass
    assert refused.value.response.status_code == int(status)
    assert stage.ledger("http")[-1].status == int(status)


async def test_a_slow_handshake_is_counted_when_it_comes_even_if_its_client_leaves(tmp_path):
    async with staged(tmp_path, faults={"slow_every": 2, "slow_s": 0.3}, connects_max=3) as stage:
        headers = await stage.headers()
        async with stage.opened(headers) as socket:
            await welcome(socket)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05), stage.opened(headers):
                pass
        assert (await stage.state())["connects_used"] == {"127.0.0.1": 2}
        await until(lambda: len(stage.ledger("connect")) == len(stage.ledger("disconnect")) == 2)


@pytest.mark.parametrize("code", [4401, 4403])
async def test_every_nth_connection_is_closed_once_it_has_joined(tmp_path, code):
    async with staged(tmp_path, faults={"close_joined_every": 2, "close_code": code}) as stage:
        headers = await stage.headers()
        async with stage.joined(headers), stage.joined(headers) as closed, stage.joined(headers):
            assert await ended(closed) == code
            assert (await stage.decide(await stage.place()))["reached"] == 2


@pytest.mark.parametrize(
    ("fault", "acknowledged", "name"), [("unheard_join_every", False, "unheard"), ("hollow_join_every", True, "hollow")]
)
async def test_joins_that_do_nothing(tmp_path, fault, acknowledged, name):
    async with staged(tmp_path, faults={fault: 2}) as stage:
        headers = await stage.headers()
        async with stage.joined(headers), stage.opened(headers) as silent:
            await welcome(silent)
            await silent.send('420["join"]')
            await until(lambda: len(stage.ledger("join")) == 2)
            assert (await stage.decide(await stage.place()))["reached"] == 1
            await silent.send('421["join"]')  # the third: heard
            if acknowledged:
                assert await silent.recv() == '430[{"status":"ok"}]'
            assert await silent.recv() == '431[{"status":"ok"}]'
            assert (await stage.decide(await stage.place()))["reached"] == 2
    assert [line.fault for line in stage.ledger("join")] == [None, name, None]


async def test_approvals_are_doubled_and_followed_by_strange_ones(tmp_path):
    faults = {"duplicate_every": 2, "unknown_event_every": 3, "junk_every": 1}
    async with staged(tmp_path, faults=faults) as stage, stage.joined() as socket:
        for _ in range(len(JUNK) + 1):
            await stage.decide(await stage.place())
        frames = [line for line in stage.ledger("frame") if line.n is not None and line.n > 2]
        got = [await socket.recv() for _ in frames]
    frames = [line for line in stage.ledger("frame") if line.n is not None and line.n > 2]
    assert [f"4{line.packet}" for line in frames] == got
    assert Counter(line.fault for line in frames) == {None: 14, "duplicate": 7, "unknown-event": 4, "junk": 14}
    assert [line.packet for line in frames if line.fault == "junk"] == [*JUNK, JUNK[0]]
    assert [line.packet for line in frames if line.fault == "unknown-event"] == [UNKNOWN_EVENT] * 4
    plain = {line.decision: line.packet for line in frames if line.fault is None}
    assert all(plain[line.decision] == line.packet for line in frames if line.fault == "duplicate")


async def test_a_client_that_does_not_read_is_cut_and_what_waits_for_it_is_lost(tmp_path):
    async with staged(tmp_path, send_queue_max=2) as stage, stage.joined():
        client = next(iter(stage.simulator.connections.clients))
        bet = stage.simulator.desk.place("90210", 4021, {"betSlipId": "x"}, disposition="referred", moves=[])
        for _ in range(4):  # in one go: nothing leaves meanwhile
            stage.simulator.desk.decide(bet, Move(outcome="accept"))
        assert client.reason == "slow reader"
        await until(lambda: bool(stage.ledger("disconnect")))
    assert Counter(line.fault for line in stage.ledger("lost")) == {"ended": 3, "no-socket": 2}
    assert stage.ledger("disconnect")[0].reason == "slow reader"


def test_a_storm_has_phases_and_an_end():
    storm = Storm(StormSettings(for_s=900, phase_s=10), seed=3, now_ns=5 * S)
    kinds = [storm.kind(5 * S + n * S) for n in range(900)]
    assert storm.kind(5 * S - 1) is None
    assert storm.kind(905 * S) is None
    assert set(kinds) == {"429", "500", "401", "half-open", "slow"}
    assert all(len(set(kinds[n : n + 10])) == 1 for n in range(0, 900, 10))
    assert [storm.phase(5 * S + n * 10 * S) for n in range(3)] == [0, 1, 2]


@pytest.mark.parametrize("kind", ["429", "500", "401"])
async def test_a_storm_cuts_everybody_and_refuses_by_turns_of_its_phases(tmp_path, kind):
    async with staged(tmp_path) as stage:
        _, pair = await stage.exchange()
        headers = {"Authorization": f"Bearer {pair['accessToken']}", "customerid": "90210"}
        async with stage.joined(headers) as socket:
            await stage.control("storm", for_s=20, phase_s=10, kinds=[kind])
            assert await ended(socket) == 1006
        async with stage.opened(headers) as refused:
            await refused.recv()
            await refused.send("40")
            assert json.loads((await refused.recv())[2:])["data"] == {"statusCode": int(kind)}
        assert (await stage.refresh(pair["refreshToken"]))[0] == int(kind)
        assert (await stage.exchange())[0] == (200 if kind == "401" else int(kind))
        assert (await stage.state())["storm"] == kind
        stage.turn(10)
        with pytest.raises(InvalidStatus) as by_http:
            async with stage.opened(headers):
                pass
        assert by_http.value.response.status_code == int(kind)
        stage.turn(10)
        assert (await stage.refresh(pair["refreshToken"]))[0] == 200
        async with stage.joined(headers):
            assert (await stage.state())["storm"] is None
    assert stage.ledger("disconnect")[0].reason == "cut by storm"


async def test_a_storm_can_leave_authentication_alone_and_be_ended(tmp_path):
    async with staged(tmp_path) as stage:
        await stage.control("storm", kinds=["500"], auth=False)
        headers = await stage.headers()
        async with stage.opened(headers) as refused:
            await refused.recv()
            await refused.send("40")
            assert (await refused.recv())[:2] == "44"
        await stage.control("storm", for_s=0)
        async with stage.joined(headers):
            pass


async def test_a_storm_of_half_open_and_of_slow_handshakes(tmp_path):
    async with staged(tmp_path, faults={"slow_s": 0.1}) as stage:
        headers = await stage.headers()
        await stage.control("storm", kinds=["half-open"])
        async with stage.opened(headers) as mute:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await mute.recv()
            await stage.control("storm", kinds=["slow"], phase_s=1, for_s=1_000)
            begun = asyncio.get_running_loop().time()
            async with stage.joined(headers):
                assert asyncio.get_running_loop().time() - begun >= 0.1
                stage.turn(1)  # the next phase cuts both
                assert await ended(mute) == 1006
