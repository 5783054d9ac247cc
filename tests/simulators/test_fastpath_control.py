"""Control of the FastPath simulator for checkers: its state and numbers, standing still, faults and cuts."""

import asyncio
import json

import pytest
from websockets.exceptions import ConnectionClosed

from simulators.fastpath.server import FastpathSimulator
from tests.simulators.fastpath_client import admitted, ask, collected, ledger_of, lively, started
from tests.simulators.fastpath_stage import numbers_of


async def test_paused_the_matches_stand_still_and_the_numbers_are_what_everybody_got(tmp_path):
    settings = lively(tmp_path)
    async with FastpathSimulator(settings) as simulator:
        path = started(simulator, "soccer")
        async with admitted(simulator, path, max_queue=None) as socket:
            got = await collected(socket, lambda got: len(numbers_of(got)) > 5)
            async with asyncio.timeout(10):
                while (await ask(simulator, "/simulator/pause", json={}))[1] != {"paused": True, "waiting": 0}:
                    pass
            _, state = await ask(simulator, "/simulator/state")
            feed = state["feeds"][path]
            assert (state["paused"], feed["connections"], feed["started"]) == (True, 1, True)
            got += await collected(socket, lambda more: len(numbers_of(got + more)) == feed["packets"])
            _, numbers = await ask(simulator, f"/simulator/numbers?feed={path}")
            assert (await ask(simulator, "/simulator/state"))[1] == state
            await ask(simulator, "/simulator/resume", json={})
            await collected(socket, numbers_of)
    actions = [json.loads(message)["fixtureAction"] for message in got]
    assert [(row["number"], row["action_id"], row["send_type"]) for row in numbers] == [
        (action["fixtureSeqNum"], action["actionId"], action["sendType"]) for action in actions
    ]
    assert {(row["feed"], row["fixture"]) for row in numbers} == {(path, actions[0]["fixtureId"])}
    assert [row["index"] for row in numbers] == list(range(len(numbers)))


async def test_numbers_name_packets_of_every_family(tmp_path):
    async with FastpathSimulator(lively(tmp_path)) as simulator:
        async with asyncio.timeout(20):
            while not all(channel.events for channel in simulator.world.channels if channel.started):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        _, rows = await ask(simulator, "/simulator/numbers")
    names = {
        (row["feed"].split("/")[0], tuple(sorted(row.keys() - {"feed", "fixture", "index", "number"}))) for row in rows
    }
    assert names >= {
        ("soccer", ("action_id", "send_type")),
        ("tennis", ("element_type", "timestamp")),
        ("mma", ("element_type", "timestamp")),
        ("multiplexer", ("element_type", "event", "timestamp")),
    }


async def test_faults_are_replaced_of_one_feed_or_of_all(tmp_path):
    async with FastpathSimulator(lively(tmp_path, faults={"junk_every": 1})) as simulator:
        soccer, tennis = started(simulator, "soccer"), started(simulator, "tennis")
        status, told = await ask(simulator, "/simulator/faults?feed=soccer/*", json={"hole_every": 3})
        assert (status, told["hole_every"], told["junk_every"]) == (200, 3, 0)
        assert (simulator.faults.of(soccer).hole_every, simulator.faults.of(tennis).junk_every) == (3, 1)
        await ask(simulator, "/simulator/faults", json={})
        assert (simulator.faults.of(soccer).hole_every, simulator.faults.of(tennis).junk_every) == (0, 0)
        for wrong in ({"holes": 1}, {"hole_every": -1}, {"stall_every_s": 1, "stall_for_s": 2}, []):
            status, answer = await ask(simulator, "/simulator/faults", json=wrong)
            assert (status, answer["status"]) == (400, 400)


async def test_a_flood_makes_every_match_livelier_until_it_ends(tmp_path):
    async with FastpathSimulator(lively(tmp_path, actions_per_second=20)) as simulator:
        await ask(simulator, "/simulator/faults", json={"flood_factor": 50})
        path = started(simulator, "soccer")
        async with admitted(simulator, path, max_queue=None) as socket:
            await collected(socket, lambda got: len(numbers_of(got)) > 100)
        await ask(simulator, "/simulator/faults", json={})
        assert (await ask(simulator, "/simulator/faults"))[1]["flood_factor"] == 1


@pytest.mark.parametrize(("how", "code"), [("", 1006), ("&how=cut", 1006), ("&how=1011", 1011), ("&how=4404", 4404)])
async def test_connections_of_a_feed_are_ended(tmp_path, how, code):
    settings = lively(tmp_path)
    async with FastpathSimulator(settings) as simulator:
        soccer, tennis = started(simulator, "soccer"), started(simulator, "tennis")
        async with admitted(simulator, tennis) as other, admitted(simulator, soccer) as socket:
            status, answer = await ask(simulator, f"/simulator/cut?feed=soccer/*{how}", json={})
            assert (status, len(answer["ended"])) == (200, 1)
            with pytest.raises(ConnectionClosed):
                await collected(socket, lambda _: False)
            assert socket.close_code == code
            await collected(other, numbers_of)
    (end,) = [line for line in ledger_of(settings) if line.kind == "disconnect" and line.feed == soccer]
    assert end.connection == answer["ended"][0]
    assert end.reason == ("cut on request" if code == 1006 else f"{code} closed on request")


async def test_without_a_feed_the_oldest_connection_is_ended(tmp_path):
    async with FastpathSimulator(lively(tmp_path)) as simulator:
        assert (await ask(simulator, "/simulator/cut", json={}))[1] == {"ended": []}
        async with (
            admitted(simulator, started(simulator, "tennis"), close_timeout=0.1) as oldest,
            admitted(simulator, started(simulator, "soccer")) as other,
        ):
            await ask(simulator, "/simulator/cut?how=half-open", json={})
            assert len(simulator.connections.clients()) == 1
            await ask(simulator, "/simulator/cut?how=1000", json={})
            with pytest.raises(ConnectionClosed):
                await collected(other, lambda _: False)
            assert oldest.state.name == "OPEN"


async def test_an_unknown_way_to_end_a_connection_is_refused(tmp_path):
    async with FastpathSimulator(lively(tmp_path)) as simulator:
        for how in ("politely", "999", "5000", "-1"):
            assert (await ask(simulator, f"/simulator/cut?how={how}", json={}))[0] == 400


async def test_numbers_of_a_list_begin_anew(tmp_path):
    settings = lively(tmp_path)
    async with FastpathSimulator(settings) as simulator:
        path = started(simulator, "soccer")
        async with admitted(simulator, path) as socket:
            before = numbers_of(await collected(socket, lambda got: len(numbers_of(got)) == 5))
            assert (await ask(simulator, f"/simulator/restart?feed={path}", json={}))[1] == {"restarted": [path]}
            after = numbers_of(await collected(socket, lambda got: numbers_of(got)[-2:] == [1, 2]))
    assert before == [1, 2, 3, 4, 5]
    assert after == [*range(6, 6 + len(after) - 2), 1, 2]
    (line,) = [line for line in ledger_of(settings) if line.kind == "restarted"]
    assert line.feed == path


async def test_media_feeds_are_told_while_somebody_listens(tmp_path):
    async with FastpathSimulator(lively(tmp_path)) as simulator:
        path = started(simulator, "soccer")
        async with admitted(simulator, f"media/{path}"):
            _, state = await ask(simulator, "/simulator/state")
    assert (state["feeds"][f"media/{path}"]["connections"], state["feeds"][path]["connections"]) == (1, 0)
