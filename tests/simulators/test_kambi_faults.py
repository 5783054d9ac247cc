"""What goes wrong on purpose on push connections, over real sockets, and how the ledger names it."""

import asyncio
import json
from itertools import pairwise

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError

from simulators.kambi.server import KambiSimulator
from tests.simulators.kambi_client import GENERAL, clients, ledger_of, live_event_ids, lively, packets_of


async def test_a_cut_connection_is_in_the_ledger_with_its_reason(tmp_path):
    settings = lively(tmp_path)
    async with KambiSimulator(settings) as simulator:
        assert not simulator.cut_oldest()
        async with clients(simulator) as (client,):
            await client.subscribe(*GENERAL)
            await client.until(lambda packets: len(packets) > 5)
            sid = client.sid
            assert simulator.cut_oldest()
            async with asyncio.timeout(20):
                await client.closed.wait()
    (end,) = [line for line in ledger_of(settings) if line.kind == "disconnect"]
    assert (end.sid, end.reason) == (sid, "cut on request")
    written = packets_of(settings, sid)
    assert end.n == len(written)
    assert client.packets == written[: len(client.packets)]


async def test_the_fault_switch_cuts_by_turns(tmp_path):
    settings = lively(tmp_path, faults={"drop_every_s": 0.2})
    async with KambiSimulator(settings) as simulator, clients(simulator, 2) as both:
        async with asyncio.timeout(20):
            for client in both:
                await client.closed.wait()
    ends = [line.reason for line in ledger_of(settings) if line.kind == "disconnect"]
    assert ends == ["cut by fault switch"] * 2


async def test_a_cut_is_no_closing_handshake(tmp_path):
    async with (
        KambiSimulator(lively(tmp_path)) as simulator,
        connect(f"{simulator.urls.push_url}/socket.io/?EIO=4&transport=websocket") as socket,
    ):
        await socket.recv(decode=True)
        await socket.send("40")
        await socket.recv(decode=True)
        simulator.cut_oldest()
        with pytest.raises(ConnectionClosedError):
            async with asyncio.timeout(20):
                await socket.recv(decode=True)


async def test_a_stall_keeps_the_socket_and_loses_what_was_published(tmp_path):
    faults = {"stall_every_s": 0.6, "stall_for_s": 0.5}
    settings = lively(tmp_path, faults=faults)
    async with KambiSimulator(settings) as simulator, clients(simulator) as (client,):
        await client.subscribe(*GENERAL)
        await client.until(lambda packets: len(packets) > 3)
        silences = []

        def two_silences(packets):
            silences.append(asyncio.get_running_loop().time())
            return sum(later - earlier > 0.4 for earlier, later in pairwise(silences)) >= 2

        await client.until(two_silences)
        assert client.socket.connected
        sid = client.sid
        await client.socket.disconnect()
    written = packets_of(settings, sid)
    assert client.packets == written[: len(client.packets)]  # what was lost in silence is not claimed as sent


async def test_junk_duplicates_and_strangers_are_named_in_the_ledger(tmp_path):
    faults = {"junk_every": 2, "duplicate_every": 3, "unknown_mt_every": 5, "bare_object_every": 7}
    settings = lively(tmp_path, faults=faults)
    async with KambiSimulator(settings) as simulator:
        url = f"{simulator.urls.push_url}/socket.io/?EIO=4&transport=websocket"
        received = []
        async with asyncio.timeout(20), connect(url) as socket:
            await socket.recv(decode=True)
            await socket.send("40")
            sid = json.loads((await socket.recv(decode=True))[2:])["sid"]
            await socket.send(f'42["subscribe",{{"topic":"{GENERAL[0]}"}}]')
            while len(received) < 60:
                received.append((await socket.recv(decode=True))[1:])
    written = packets_of(settings, sid)
    assert received == written[1:61]
    faults_seen = {fault for line in ledger_of(settings) for fault in (line.fault or "").split(",")}
    assert faults_seen == {"", "junk", "duplicate", "unknown-mt", "bare-object"}


def frames_of(settings, sid, kind="frame"):
    return [line for line in ledger_of(settings) if line.kind == kind and line.sid == sid and line.key]


async def test_every_nth_connection_delivers_the_same_later_and_in_order(tmp_path):
    settings = lively(tmp_path, faults={"delay_ms": 500, "delay_every_line": 2})
    async with KambiSimulator(settings) as simulator, clients(simulator, 2) as (prompt, late):
        await prompt.subscribe(GENERAL[0])
        await late.subscribe(GENERAL[0])
        await late.until(lambda packets: len(packets) > 20)
        first, second = (client.sid for client in (prompt, late))
    assert late.packets == packets_of(settings, second)[: len(late.packets)]
    sent = {line.packet: line.sent_ns for line in frames_of(settings, first)}
    delayed = [line for line in frames_of(settings, second) if line.packet in sent]
    assert len(delayed) > 10
    assert {line.fault for line in delayed} == {"delayed"}
    assert all(line.sent_ns - sent[line.packet] > 400_000_000 for line in delayed)
    assert [line.packet for line in delayed] == [packet for packet in sent if packet in {d.packet for d in delayed}]
    left = frames_of(settings, second, "lost")  # what was on its way when the connection ended
    assert left
    assert {line.fault for line in left} == {"delayed"}


async def test_a_line_that_never_delivers_is_acknowledged_and_keeps_its_socket(tmp_path):
    settings = lively(tmp_path, faults={"never_deliver_every": 2})
    async with KambiSimulator(settings) as simulator, clients(simulator, 2) as (heard, unheard):
        await unheard.subscribe(GENERAL[0])
        await heard.subscribe(GENERAL[0])
        await heard.until(lambda packets: len(packets) > 20)
        assert unheard.socket.connected
        assert len(unheard.packets) == 1
        sid = unheard.sid
    lost = frames_of(settings, sid, "lost")
    assert {line.fault for line in lost} == {"never-delivers"}
    assert {line.n for line in lost} == {None}
    assert [line.packet for line in lost][-10:-5]  # what it should have got is written down


async def test_a_dropped_bulk_is_missing_on_one_connection_only(tmp_path):
    settings = lively(tmp_path, faults={"drop_message_every": 7})
    async with KambiSimulator(settings) as simulator, clients(simulator, 2) as both:
        for client in both:
            await client.subscribe(GENERAL[0])
        for client in both:
            await client.until(lambda packets: len(packets) > 60)
        sids = [client.sid for client in both]
    gone = [{line.packet for line in frames_of(settings, sid, "lost")} for sid in sids]
    handed = [[line.packet for line in frames_of(settings, sid)] for sid in sids]
    assert gone[0]
    assert gone[1]
    assert gone[0].isdisjoint(gone[1])
    assert gone[0] & set(handed[1])
    for sid, client in zip(sids, both, strict=True):
        numbers = [line.n for line in frames_of(settings, sid)]
        assert numbers == list(
            range(2, len(numbers) + 2)
        )  # what was dropped has no number; the first one is connecting
        assert client.packets == packets_of(settings, sid)[: len(client.packets)]


async def test_a_language_that_is_not_configured_is_accepted_and_silent(tmp_path):
    settings = lively(tmp_path)
    async with KambiSimulator(settings) as simulator, clients(simulator, 2) as (heard, unheard):
        await unheard.subscribe("v2018.kambi.sv_SE.ev.json")
        await heard.subscribe(GENERAL[1])
        await heard.until(lambda packets: len(packets) > 5)
        assert len(unheard.packets) == 1
    assert not any(line.refused for line in ledger_of(settings))


async def test_copies_differ_as_the_faults_say_and_the_ledger_agrees(tmp_path):
    faults = {"copy_skew_ms": 5_000, "filtered_copies": True, "contradict_every": 2}
    settings = lively(tmp_path, faults=faults)
    async with KambiSimulator(settings) as simulator:
        ids = await live_event_ids(simulator)
        async with clients(simulator) as (client,):
            await client.subscribe(GENERAL[0], *(f"v2018.kambi.ev.{event}.json" for event in ids))
            await client.until(lambda packets: len(packets) > 120)
    said: dict[tuple, dict[bool, tuple]] = {}
    contradicted = 0
    for line in frames_of(settings, client.sid):
        contradicted += line.fault == "contradiction"
        for fact in line.facts:
            general = line.key == GENERAL[0]
            said.setdefault((fact.change, fact.offer, fact.outcome), {})[general] = (fact.t, fact.value)
    pairs = [(both[True], both[False]) for both in said.values() if len(both) == 2]
    skews = {event_t - general_t for (general_t, _), (event_t, _) in pairs}
    assert skews == {0, 5_000}
    differing = [pair for pair in pairs if pair[0][1] != pair[1][1]]
    assert differing
    assert all(general[0] == event[0] for general, event in differing)
    assert contradicted
