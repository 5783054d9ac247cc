"""The simulator over real sockets: protocol, limit, deflate, faults, and a ledger that equals what was received."""

import asyncio
import json
import os
import signal
import sys
from contextlib import asynccontextmanager
from itertools import pairwise

import aiohttp
import pytest
import socketio
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError, InvalidStatus

from schemas.errors import EnvironmentFault
from simulators.kambi.config import KambiSimulatorSettings
from simulators.kambi.ledger import Line, read_ledger
from simulators.kambi.server import KambiSimulator
from tests.simulators.consumer import LANGUAGE_SIDE, parse

GENERAL = ("v2018.kambi.ev.json", "v2018.kambi.en_GB.ev.json")


def lively(tmp_path, **overrides) -> KambiSimulatorSettings:
    return KambiSimulatorSettings(
        **{
            "events_live": 4,
            "changes_per_second": 200,
            "match_duration_s": 30,
            "bulk_window_ms": 20,
            "ledger": tmp_path / "ledger.jsonl",
        }
        | overrides
    )


class Client:
    """A python-socketio client that keeps every packet text as it came."""

    def __init__(self) -> None:
        self.packets: list[str] = []
        self.closed = asyncio.Event()
        self._more = asyncio.Condition()
        self.socket = socketio.AsyncClient(reconnection=False)
        library = self.socket._handle_eio_message

        async def keep(packet):
            self.packets.append(packet)
            async with self._more:
                self._more.notify_all()
            await library(packet)

        self.socket.eio.on("message", keep)
        self.socket.on("disconnect", lambda *_: self.closed.set())

    async def connect(self, simulator, *, deflate=False):
        self.socket.eio.websocket_extra_options = {"compress": 15} if deflate else {}
        await self.socket.connect(simulator.urls.push_url, transports=["websocket"])

    async def subscribe(self, *keys):
        for key in keys:
            await self.socket.emit("subscribe", {"topic": key})

    async def until(self, holds):
        async with asyncio.timeout(20), self._more:
            await self._more.wait_for(lambda: holds(self.packets))

    def children(self):
        for packet in self.packets:
            if packet.startswith('2["message"'):
                yield from json.loads(json.loads(packet[1:])[1])


@asynccontextmanager
async def clients(simulator, count=1, **options):
    started = [Client() for _ in range(count)]
    try:
        for client in started:
            await client.connect(simulator, **options)
        yield started
    finally:
        for client in started:
            await client.socket.disconnect()


async def live_event_ids(simulator, name="open") -> list[int]:
    url = f"{simulator.urls.offering_url}/offering/v2018/kambi/event/live/{name}"
    async with aiohttp.ClientSession() as session, session.get(url, params={"lang": "en_GB"}) as answer:
        assert answer.status == 200
        assert answer.content_type == "application/json"
        return [item["event"]["id"] for item in (await answer.json())["liveEvents"]]


def ledger_of(settings: KambiSimulatorSettings) -> list[Line]:
    assert settings.ledger is not None
    return list(read_ledger(settings.ledger))


def packets_of(settings, sid) -> list[str]:
    return [line.packet or "" for line in ledger_of(settings) if line.kind == "frame" and line.sid == sid]


async def test_the_ledger_is_what_the_clients_received_packet_for_packet(tmp_path):
    settings = lively(tmp_path)
    async with KambiSimulator(settings) as simulator:
        ids = await live_event_ids(simulator)
        assert ids == await live_event_ids(simulator, "open.json")
        async with clients(simulator, 2, deflate=True) as (general, events):
            await general.subscribe(*GENERAL)
            await events.subscribe(
                *(f"v2018.kambi.{side}.{event}.json" for event in ids for side in ("ev", "en_GB.ev"))
            )
            await general.until(lambda packets: len(packets) > 40)
            await events.until(lambda packets: len(packets) > 150)
            both = [(client.socket.get_sid(), client) for client in (general, events)]
            for key in GENERAL:  # nothing may be on its way when the two are compared
                await general.socket.emit("unsubscribe", {"topic": key})
            await events.socket.disconnect()
            await general.socket.disconnect()
    lines = ledger_of(settings)
    for sid, client in both:
        written = packets_of(settings, sid)
        assert written[0] == f'0{{"sid":"{sid}"}}'
        assert client.packets == written[: len(client.packets)]
        assert len(written) - len(client.packets) <= 3  # handed over while the client was leaving
        numbers = [line.n for line in lines if line.kind == "frame" and line.sid == sid]
        assert numbers == list(range(1, len(numbers) + 1))
        (end,) = [line for line in lines if line.kind == "disconnect" and line.sid == sid]
        assert end.n == len(numbers)
    assert lines[0].kind == "connect"


async def test_facts_and_keys_of_the_ledger_agree_with_the_packets_and_copies_share_change_and_time(tmp_path):
    settings = lively(tmp_path)
    async with KambiSimulator(settings) as simulator:
        ids = await live_event_ids(simulator)
        async with clients(simulator) as (client,):
            await client.subscribe(*GENERAL, *(f"v2018.kambi.ev.{event}.json" for event in ids))
            await client.until(lambda packets: len(packets) > 150)
    copies: dict[int, set[tuple[int, str]]] = {}
    for line in ledger_of(settings):
        if line.kind != "frame" or line.key is None:
            continue
        children = json.loads(json.loads((line.packet or "")[1:])[1])
        assert {fact.child for fact in line.facts} == set(range(len(children)))
        for fact in line.facts:
            child = children[fact.child]
            _, element = parse(json.dumps(child).encode())
            assert (fact.mt, fact.t) == (child["mt"], int(child["t"]))
            if fact.mt == 11:
                odds = {(o["betOfferId"], o["id"]): o.get("odds") for o in element["outcomes"]}
                assert odds[fact.offer, fact.outcome] == fact.value
            copies.setdefault(fact.change, set()).add((fact.t, line.key))
    assert all(len({t for t, _ in places}) == 1 for places in copies.values())
    assert any(len(places) == 2 for places in copies.values())


async def test_frames_of_an_event_key_are_about_that_event_only(tmp_path):
    settings = lively(tmp_path)
    async with KambiSimulator(settings) as simulator:
        event = (await live_event_ids(simulator))[0]
        async with clients(simulator) as (client,):
            await client.subscribe(f"v2018.kambi.ev.{event}.json")
            await client.until(lambda packets: len(packets) > 20)
            elements = [parse(json.dumps(child).encode())[1] for child in client.children()]
    assert {element["eventId"] for element in elements} == {event}


async def test_the_41st_key_is_refused_and_delivers_nothing_and_unsubscribing_frees(tmp_path):
    settings = lively(tmp_path)
    async with KambiSimulator(settings) as simulator, clients(simulator) as (client,):
        await client.subscribe(*(f"v2018.kambi.ev.{n}.json" for n in range(39)), GENERAL[1])
        await client.subscribe("v2018.kambi.ev.7.json", GENERAL[0])
        await client.until(lambda packets: len(packets) > 15)  # time enough for the refused key to deliver, too
        assert {child["mt"] for child in client.children()} <= LANGUAGE_SIDE
        (refusal,) = (packet for packet in client.packets if packet.startswith('2["error"'))
        _, answer = json.loads(refusal[1:])
        assert answer == {
            "code": 429,
            "message": "Subscription denied, max subscriptions 40 reached. Please unsubscribe to some topics",
            "topic": GENERAL[0],
        }
        await client.socket.emit("unsubscribe", {"topic": "v2018.kambi.ev.7.json"})
        await client.subscribe(GENERAL[0])
        await client.until(lambda packets: any('\\"mt\\":11' in packet for packet in packets))
    lines = ledger_of(settings)
    refused = [line for line in lines if line.refused]
    assert [line.key for line in refused] == [GENERAL[0]]
    freed = next(line.sent_ns for line in lines if line.kind == "unsubscribe")
    assert min(line.sent_ns for line in lines if line.kind == "frame" and line.key == GENERAL[0]) > freed


@pytest.mark.parametrize(
    ("refusal", "start"),
    [
        ("message_string", '2["message","{\\"code\\":429'),
        ("error_packet", '4{"code":429'),
    ],
)
async def test_other_forms_of_the_refusal(tmp_path, refusal, start):
    settings = lively(tmp_path, refusal=refusal, max_keys=1)
    async with KambiSimulator(settings) as simulator, clients(simulator) as (client,):
        await client.subscribe("a", "b")
        await client.until(lambda packets: len(packets) == 2)
        assert client.packets[1].startswith(start)


async def test_refusal_as_acknowledgement(tmp_path):
    settings = lively(tmp_path, refusal="ack", max_keys=1)
    async with KambiSimulator(settings) as simulator, clients(simulator) as (client,):
        assert not await client.socket.call("subscribe", {"topic": "a"}, timeout=10)
        answer = await client.socket.call("subscribe", {"topic": "b"}, timeout=10)
        assert isinstance(answer, dict)
        assert answer["code"] == 429


@pytest.mark.parametrize("compression", ["deflate", None])
async def test_deflate_is_negotiated_when_it_is_offered(tmp_path, compression):
    async with KambiSimulator(lively(tmp_path)) as simulator:
        url = f"{simulator.urls.push_url}/socket.io/?EIO=4&transport=websocket"
        async with asyncio.timeout(20), connect(url, compression=compression) as socket:
            assert socket.response is not None
            offered = socket.response.headers.get("Sec-WebSocket-Extensions")
            assert (offered or "").startswith("permessage-deflate") is (compression is not None)
            opening = json.loads((await socket.recv(decode=True))[1:])
            assert (opening["upgrades"], opening["pingInterval"], opening["pingTimeout"]) == ([], 55_000, 20_000)
            await socket.send("40")
            assert (await socket.recv(decode=True)).startswith('40{"sid":"')
            await socket.send(f'42["subscribe",{{"topic":"{GENERAL[0]}"}}]')
            assert (await socket.recv(decode=True)).startswith('42["message","[{')


@pytest.mark.parametrize("query", ["EIO=3&transport=websocket", "EIO=4&transport=polling"])
async def test_engine_io_3_and_polling_are_refused(tmp_path, query):
    async with KambiSimulator(lively(tmp_path)) as simulator:
        with pytest.raises(InvalidStatus) as refused:
            async with connect(f"{simulator.urls.push_url}/socket.io/?{query}"):
                pass
    assert refused.value.response.status_code == 400


async def test_requests_that_mean_nothing_are_passed_over(tmp_path):
    async with KambiSimulator(lively(tmp_path)) as simulator, clients(simulator) as (client,):
        for request in ("v2018.kambi.ev.json", {"key": "x"}, {"topic": 7}, None):
            await client.socket.emit("subscribe", request)
        await client.subscribe("not a key", "v2018.other.ev.json", GENERAL[0])
        await client.until(lambda packets: len(packets) > 3)
        assert all(packet.startswith('2["message",') for packet in client.packets[1:])


async def test_a_cut_connection_is_in_the_ledger_with_its_reason(tmp_path):
    settings = lively(tmp_path)
    async with KambiSimulator(settings) as simulator:
        assert not simulator.cut_oldest()
        async with clients(simulator) as (client,):
            await client.subscribe(*GENERAL)
            await client.until(lambda packets: len(packets) > 5)
            sid = client.socket.get_sid()
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
        sid = client.socket.get_sid()
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


async def test_load_frames_are_of_sheet_size_and_go_round_the_events(tmp_path):
    settings = lively(tmp_path, changes_per_second=0, load_frames_per_s=1_000, match_duration_s=3_600)
    async with KambiSimulator(settings) as simulator:
        ids = await live_event_ids(simulator)
        async with clients(simulator) as (client,):
            await client.subscribe(*(f"v2018.kambi.ev.{event}.json" for event in ids))
            await client.until(lambda packets: len(packets) > 1_000)
            frames = [packet for packet in client.packets if packet.count('\\"boou\\"') == 4]
    assert len(frames) > 900
    assert 1_150 < sum(map(len, frames)) / len(frames) < 1_650
    events = [json.loads(json.loads(packet[1:])[1])[0]["boou"]["eventId"] for packet in frames]
    assert set(events) == set(ids)


async def test_a_port_in_use_says_what_to_do(tmp_path):
    async with KambiSimulator(lively(tmp_path)) as simulator:
        port = int(simulator.urls.push_url.rpartition(":")[2])
        with pytest.raises(EnvironmentFault, match="Operator action"):
            async with KambiSimulator(lively(tmp_path, port=port)):
                pass


async def test_an_unknown_offering_has_no_live_events(tmp_path):
    async with KambiSimulator(lively(tmp_path)) as simulator:
        url = f"{simulator.urls.offering_url}/offering/v2018/other/event/live/open.json"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            assert answer.status == 404
            assert (await answer.json())["error"]["status"] == 404


RUN = """
import asyncio, sys
from pathlib import Path
from simulators.kambi.config import KambiSimulatorSettings
from simulators.kambi.server import run
settings = KambiSimulatorSettings(ledger=Path(sys.argv[1]), changes_per_second=200, bulk_window_ms=20)
asyncio.run(run(settings, on_ready=lambda urls: print(urls.push_url, flush=True)))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
async def test_signals_close_cleanly_and_flush_the_ledger(tmp_path, number):
    ledger = tmp_path / "ledger.jsonl"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", RUN, str(ledger), stdout=asyncio.subprocess.PIPE, env=os.environ | {"PYTHONPATH": "."}
    )
    try:
        async with asyncio.timeout(60):
            assert process.stdout is not None
            url = (await process.stdout.readline()).decode().strip()
            received = []
            async with connect(f"{url}/socket.io/?EIO=4&transport=websocket") as socket:
                await socket.recv(decode=True)
                await socket.send("40")
                received.append((await socket.recv(decode=True))[1:])
                await socket.send(f'42["subscribe",{{"topic":"{GENERAL[0]}"}}]')
                received.append((await socket.recv(decode=True))[1:])
                process.send_signal(number)
                async for packet in socket:
                    received.append(packet[1:])
                assert socket.close_code == 1000
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert received.pop() == ""  # Engine.IO close
    lines = list(read_ledger(ledger))
    assert [line.packet for line in lines if line.kind == "frame"] == received
    assert lines[-1].kind == "disconnect"
