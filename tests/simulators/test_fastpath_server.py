"""The whole FastPath simulator: its matches over real sockets, the rule of upstream silence, its life."""

import asyncio
import json
import os
import signal
import sys
from contextlib import suppress

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from schemas.errors import EnvironmentFault
from simulators.fastpath.ledger import read_ledger
from simulators.fastpath.server import FastpathSimulator
from tests.simulators.fastpath_client import admitted, ask, channel_at, collected, ledger_of, lively, started
from tests.simulators.fastpath_stage import ACCEPT, number_of, numbers_of


@pytest.mark.parametrize(
    ("sport", "kind", "first"),
    [
        ("soccer", "actions", 1),
        ("soccer", "statistics", 1),
        ("tennis", "actions", 0),
        ("golf", "actions", 1),
        ("mma", "actions", 1),
        ("mma", "statistics", 1),
    ],
)
async def test_a_feed_comes_whole_in_order_and_as_the_ledger_says(tmp_path, sport, kind, first):
    settings = lively(tmp_path)
    async with FastpathSimulator(settings) as simulator:
        path = started(simulator, sport, kind)
        async with admitted(simulator, path, max_queue=None) as socket:
            got = await collected(socket, lambda got: len(numbers_of(got)) >= 6)
        _, numbers = await ask(simulator, f"/simulator/numbers?feed={path}")
    mine = [line for line in ledger_of(settings) if line.feed == path]
    frames = [line.packet for line in mine if line.kind == "frame" and line.sort != "answer"]
    assert got == frames[: len(got)]
    assert numbers_of(got) == list(range(first, first + len(numbers_of(got))))
    published = [line.number for line in mine if line.kind == "published"]
    assert published[: len(numbers)] == [row["number"] for row in numbers]


async def test_a_second_connection_goes_on_where_the_first_was(tmp_path):
    settings = lively(tmp_path)
    async with FastpathSimulator(settings) as simulator:
        path = started(simulator, "soccer")
        async with admitted(simulator, path) as socket:
            first = await collected(socket, lambda got: len(numbers_of(got)) == 10)
        async with admitted(simulator, f"{path}?startPosition=8") as socket:
            second = await collected(socket, lambda got: len(numbers_of(got)) == 10)
    whole = {number_of(message): message for message in first + second}
    assert numbers_of(second)[:2] == [9, 10]
    assert sorted(number for number in whole if number is not None) == list(range(1, 19))
    assert [message for message in second if number_of(message) in (9, 10)] == [
        message for message in first if number_of(message) in (9, 10)
    ]


async def test_media_paths_have_the_same_packets(tmp_path):
    async with FastpathSimulator(lively(tmp_path)) as simulator:
        path = started(simulator, "soccer")
        async with admitted(simulator, path) as betting, admitted(simulator, f"media/{path}") as media:
            both = [await collected(socket, lambda got: len(numbers_of(got)) == 5) for socket in (betting, media)]
    assert both[0] == both[1]


async def test_the_multiplexer_has_live_packets_and_catches_up_when_asked(tmp_path):
    async with FastpathSimulator(lively(tmp_path)) as simulator:
        async with admitted(simulator, started(simulator, "golf")) as socket:
            await collected(socket, lambda got: len(got) > 5)
        async with admitted(simulator, "multiplexer/?catchup=true") as socket:
            (first,) = await collected(socket, lambda got: len(got) == 1)
        async with admitted(simulator, "multiplexer/?sport=golf") as socket:
            (live,) = await collected(socket, lambda got: len(got) == 1)
    assert json.loads(first)["message"]["seqNum"] == 1
    assert json.loads(live)["message"]["seqNum"] > 1
    assert json.loads(live)["dataType"] == "eventdata"


async def test_a_silent_upstream_is_told_once_and_its_return_before_the_packet_while_heartbeats_go_on(tmp_path):
    faults = {"silence_every_s": 100, "silence_for_s": 60}
    settings = lively(
        tmp_path, faults=faults, actions_per_second=0.4, speed=50, match_duration_s=100_000, heartbeat_s=0.1
    )
    async with FastpathSimulator(settings) as simulator:
        path = started(simulator, "soccer")

        async with admitted(simulator, path) as socket:
            got = await collected(socket, lambda got: got and json.loads(got[-1]).get("state") == "Connected")
            got += await collected(socket, numbers_of)
    told = [json.loads(message) for message in got]
    down = next(at for at, packet in enumerate(told) if packet.get("state") == "Disconnected")
    up = next(at for at, packet in enumerate(told) if packet.get("state") == "Connected")
    between = told[down + 1 : up]
    assert between
    assert all(packet.get("message", "").startswith("Heartbeat") for packet in between)
    assert sum("state" in packet for packet in told) == 2


async def test_a_tennis_match_that_has_not_begun_is_204_and_its_placeholder_is_seen_where_set(tmp_path):
    for not_started in ("204", "placeholder"):
        async with FastpathSimulator(lively(tmp_path, not_started=not_started)) as simulator:
            path = next(
                channel.feed.path
                for channel in simulator.world.channels
                if not channel.started and channel.feed.sport == "tennis" and channel.feed.kind == "actions"
            )
            if not_started == "204":
                with pytest.raises(InvalidStatus) as refused:
                    async with admitted(simulator, path):
                        pass
                assert refused.value.response.status_code == 204
            else:
                async with admitted(simulator, path) as socket:
                    (placeholder,) = await collected(socket, lambda got: len(got) == 1)
                assert json.loads(placeholder)["timestamp"] == "1970-01-01T00:00:00.000Z"
                assert number_of(placeholder) == 0


async def test_a_finished_match_can_still_be_replayed_whole(tmp_path):
    settings = lively(tmp_path, fixtures={"soccer": 1}, match_duration_s=2)
    async with asyncio.timeout(20), FastpathSimulator(settings) as simulator:
        path = started(simulator, "soccer")
        channel = channel_at(simulator, path)
        while channel.finished_ns is None:  # noqa: ASYNC110  # the match ends when it ends
            await asyncio.sleep(0.01)
        async with admitted(simulator, f"{path}?speed=fast", max_queue=None) as socket:
            got = await collected(socket, lambda got: len(numbers_of(got)) >= len(channel.events))
    assert numbers_of(got)[: len(channel.events)] == list(range(1, len(channel.events) + 1))
    assert json.loads(got[len(channel.events) - 1])["finished"] is True


async def test_a_port_in_use_says_what_to_do(tmp_path):
    async with FastpathSimulator(lively(tmp_path)) as simulator:
        port = int(simulator.urls.stream_url.rpartition(":")[2])
        with pytest.raises(EnvironmentFault, match="Operator action"):
            async with FastpathSimulator(lively(tmp_path, port=port)):
                pass


async def test_a_clock_that_fails_is_not_silent_and_everything_is_closed(tmp_path, monkeypatch):
    settings = lively(tmp_path)

    async def play():
        async with FastpathSimulator(settings) as simulator, admitted(simulator, started(simulator, "soccer")):
            monkeypatch.setattr(simulator.world, "advance", _fail)  # stands for what nobody thought of
            await asyncio.wait((asyncio.create_task(simulator.wait()),))

    with pytest.raises(ArithmeticError):
        await asyncio.wait_for(play(), 20)
    assert ledger_of(settings)[-1].kind == "disconnect"


def _fail(*_):
    raise ArithmeticError


RUN = """
import asyncio, sys
from pathlib import Path
from simulators.fastpath.config import FastpathSimulatorSettings
from simulators.fastpath.server import run
settings = FastpathSimulatorSettings(ledger=Path(sys.argv[1]), actions_per_second=200)
asyncio.run(run(settings, on_ready=lambda urls: print(urls.stream_url, flush=True)))
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
            async with connect(f"{url}/multiplexer/?sport=golf", additional_headers=ACCEPT) as socket:
                await socket.send('{"authToken": "simulated"}')
                received.append(await socket.recv())
                received.append(await socket.recv())
                process.send_signal(number)
                with suppress(ConnectionClosed):
                    while True:
                        received.append(await socket.recv())
                assert socket.close_code == 1001
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    lines = list(read_ledger(ledger))
    assert [line.packet for line in lines if line.kind == "frame"] == received
    assert (lines[-1].kind, lines[-1].reason) == ("disconnect", "1001 simulator stopped")
