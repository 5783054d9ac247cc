"""Five hundred live events against the simulator, with real sockets and a real Kafka."""

import json

import pytest

from connectors.kambi.keys import event_pair
from simulators.kambi.config import KambiSimulatorSettings
from simulators.kambi.ledger import read_ledger
from simulators.kambi.server import KambiSimulator
from tests.connectors import contract
from tests.connectors.vendor import eventually, vendor

pytestmark = pytest.mark.kafka

EVENTS = 500
GENERAL = {"v2018.kambi.en.ev.json", "v2018.kambi.ev.json"}


SETTINGS = {
    "events": "live",
    "connects_per_minute": 600,
    "discovery_interval_s": 0.5,
    "shards": 4,
    "settlements": True,
    "snapshots": False,
}


class Held:
    """What the simulator's connections hold, read off its ledger as it grows."""

    def __init__(self, ledger):
        self._ledger = ledger
        self.by_connection = {}
        self.most = 0

    def read(self):
        held = {}
        for line in read_ledger(self._ledger):
            match line.kind:
                case "connect":
                    held[line.sid] = set()
                case "subscribe" if not line.refused:
                    held[line.sid].add(line.key)
                    self.most = max(self.most, len(held[line.sid]))
                case "unsubscribe":
                    held[line.sid].discard(line.key)
                case "disconnect":
                    held.pop(line.sid, None)
        self.by_connection = held
        return self

    @property
    def pairs(self):
        """Events of which one connection holds both keys."""
        return {
            key.split(".")[4]
            for keys in self.by_connection.values()
            for key in keys - GENERAL
            if key.count(".") == 5 and key.replace(".en.", ".") in keys
        }


async def test_five_hundred_events_are_followed(recording, tmp_path):
    ledger = tmp_path / "ledger.jsonl"
    settings = KambiSimulatorSettings(
        ledger=ledger, events_live=EVENTS, changes_per_second=20.0, match_duration_s=5000.0, step_ms=200
    )
    held = Held(ledger)
    async with (
        KambiSimulator(settings) as simulator,
        recording.connector(simulator.urls.offering_url, **SETTINGS),
    ):
        await eventually(lambda: len(held.read().pairs) >= EVENTS, every_s=0.5)
    assert held.most <= 40
    general = [keys for keys in held.by_connection.values() if keys >= GENERAL]
    assert len(general) == 4
    assert sum(keys == {"v2018.kambi.bh.json"} for keys in held.by_connection.values()) == 1
    records = [r for number in range(4) for r in await recording.records(partition=number)]
    contract.check([r for r in records if r.partition == 0], feed="kambi")
    for record in records:
        if record.kind == "opened" and "events" in record.line:
            assert {int(key.split(".")[-2]) % 4 for key in record.json["keys"]} == {record.partition}


def message(child):
    return "2" + json.dumps(["message", json.dumps([child])])


async def test_events_that_come_and_go_are_followed_and_left_however_it_is_said(recording):
    async with vendor() as server:
        server.live = list(range(1000, 1000 + EVENTS))
        async with recording.connector(server.url, **SETTINGS):
            peers = [await server.connected() for _ in range(4 + 1 + 4 * 7)]
            lines = [peer for peer in peers if not GENERAL & set(peer.keys)]
            generals = [peer for peer in peers if GENERAL & set(peer.keys)]

            def exactly(events):
                held = [key for peer in lines for key in peer.keys]
                return len(held) == len(set(held)) == 2 * len(events) + 1 and {*held} >= {
                    key for event in events for key in event_pair("kambi", "en", event)
                }

            await eventually(lambda: exactly(server.live))
            for number in range(60):
                ended, started = server.live[number], 2000 + number
                server.live = [*(event for event in server.live if event != ended), started]
                for general in generals:
                    if number % 3:  # else only the list says so
                        await general.send(message({"t": "1", "mt": 18, "er": {"eventId": ended}}))
                    if number % 2:
                        await general.send(message({"t": "1", "mt": 34, "esu": {"id": started, "state": "STARTED"}}))
            await eventually(lambda: exactly(server.live))
            assert server.peers.empty(), "freed places are used again"
    assert max(len(peer.keys) for peer in peers) <= 40
