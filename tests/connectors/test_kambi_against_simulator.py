"""The simulator's ledger against the raw topic: every frame it handed over is there, or lies in a recorded gap."""

import asyncio
from collections import defaultdict

import pytest

from simulators.kambi.config import KambiFaultSettings, KambiSimulatorSettings
from simulators.kambi.ledger import read_ledger
from simulators.kambi.server import KambiSimulator
from tests.connectors import contract

pytestmark = pytest.mark.kafka

FAULTS = KambiFaultSettings(
    drop_every_s=0.7, duplicate_every=5, unknown_mt_every=7, bare_object_every=11, junk_every=3, missing_odds_every=9
)


@pytest.mark.parametrize(
    ("faults", "refusal"),
    [(KambiFaultSettings(), "error_event"), (FAULTS, "message_string"), (FAULTS, "error_packet"), (FAULTS, "ack")],
    ids=["healthy", "faulty", "faulty and refusing by error packet", "faulty and refusing by acknowledgement"],
)
async def test_the_ledger_is_in_the_raw_topic(recording, tmp_path, faults, refusal):
    ledger = tmp_path / "ledger.jsonl"
    settings = KambiSimulatorSettings(
        ledger=ledger, faults=faults, refusal=refusal, events_live=12, changes_per_second=200.0, max_keys=6
    )
    # The connector believes in 10 keys, the simulator grants 6: refusals and moves from the start.
    limits = {"max_keys_per_connection": 10, "connects_per_minute": 600, "discovery_interval_s": 0.5}
    async with (
        KambiSimulator(settings) as simulator,
        recording.connector(
            simulator.urls.offering_url, events="live", ask_acknowledgements=refusal == "ack", **limits
        ),
    ):
        await recording.records(lambda seen: sum(r.kind == "frame" for r in seen) > 400)
    records = await recording.records()
    contract.check(records, feed="kambi")
    received = defaultdict(list)
    for record in records:
        if record.kind == "frame":
            received[record.connection].append(record.value.decode())
    sent, refused = defaultdict(list), 0
    for line in read_ledger(ledger):
        refused += line.refused
        if line.kind == "frame":
            assert line.packet is not None
            sent[line.sid].append(line.packet)
    ends = {r.connection: r for r in records if r.kind == "closed"}
    for connection, frames in received.items():
        sid = frames[0].split('"')[3]
        packets = sent.pop(sid)
        assert frames == packets[: len(frames)]
        # What was handed over but never left follows the last frame: inside the gap that `closed` begins.
        assert len(frames) == len(packets) or ends[connection].json["reason"] in {"connection lost", "shutdown"}
    assert not sent, "a connection of the simulator's is in no record"
    assert refused > 0
    assert len({r.line for r in records}) > 2, "refused keys have gone to further lines"


async def test_every_key_of_every_live_event_is_held_in_the_end(recording, tmp_path):
    ledger = tmp_path / "ledger.jsonl"
    settings = KambiSimulatorSettings(ledger=ledger, events_live=9, changes_per_second=50.0, max_keys=6)
    async with (
        KambiSimulator(settings) as simulator,
        recording.connector(
            simulator.urls.offering_url, events="live", max_keys_per_connection=10, connects_per_minute=600
        ),
    ):
        await asyncio.to_thread(_wait_until_held, ledger, 2 + 2 * 9)


def _wait_until_held(ledger, expected):
    held = set()
    while len(held) < expected:
        held = set()
        for line in read_ledger(ledger):
            if line.kind == "subscribe" and not line.refused:
                held.add((line.sid, line.key))
            elif line.kind == "unsubscribe":
                held.discard((line.sid, line.key))
        held = {key for _, key in held}
