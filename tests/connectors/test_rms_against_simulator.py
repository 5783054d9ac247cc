"""The simulator's ledger against the raw topic: every packet it handed over is there, whatever becomes of sockets."""

import json
from collections import defaultdict

import pytest

from simulators.rms.ledger import read_ledger
from tests.connectors import contract
from tests.simulators.rms_client import staged

pytestmark = pytest.mark.kafka

LINE = "rms-90210"


def has(kind, count=1, **fields):
    """Return whether there are so many records of a kind whose values have these fields."""
    return lambda seen: sum(r.kind == kind and fields.items() <= r.json.items() for r in seen) >= count


def has_frame(text):
    return lambda seen: any(r.kind == "frame" and text in r.value.decode() for r in seen)


def refusals(records):
    """Return the records of refused connections, and the others."""
    refused = [r for r in records if r.kind == "closed" and r.frame == 0 and r.json["code"] < 1000]
    return refused, [r for r in records if r not in refused]


def check_ledger(records, ledger):
    """Assert that the frames of every connection are those that were handed to it; return how many were there."""
    received, ends = defaultdict(list), {}
    for record in records:
        if record.kind == "frame":
            received[record.connection].append(record.value.decode())
        elif record.kind == "closed":
            ends[record.connection] = record.json
    names = {connection: json.loads(frames[0][1:])["sid"] for connection, frames in received.items()}
    handed = defaultdict(list)
    for line in read_ledger(ledger):
        if line.kind == "frame":
            handed[line.connection].append(line.packet)
    for connection, frames in received.items():
        ours = handed.pop(names[connection])
        assert frames == ours[: len(frames)]
        # What was handed over but never left follows the last frame: inside the gap that `closed` begins.
        assert len(frames) == len(ours) or ends[connection]["reason"] in {"connection lost", "shutdown", "refreshed"}
    # One that was lost before its connect was accepted has nothing but that answer.
    assert all(len(packets) <= 1 for packets in handed.values())
    return sum(map(len, received.values()))


async def test_it_joins_and_approvals_are_recorded_as_they_came(rms, tmp_path):
    async with staged(tmp_path) as stage:
        async with rms.connector(stage.simulator.urls):
            await rms.records(has("tick", joined=True))
            bet = await stage.place()
            await stage.decide(bet)
            await rms.records(has_frame("RESERVE_BET_ACCEPT"))
        records = await rms.records()
        check_ledger(records, tmp_path / "ledger.jsonl")
    contract.check(records, feed="rms")
    frames = [r.value.decode() for r in records if r.kind == "frame"]
    assert frames[0].startswith('0{"sid":')
    assert frames[1] == '30[{"status":"ok"}]'
    assert len(frames) == 3
    assert {r.line for r in records} == {LINE}
    opened = next(r for r in records if r.kind == "opened")
    assert (opened.json["customer"], opened.json["url"]) == (
        "90210", f"{stage.simulator.urls.socket_url}/rms-socket/socket.io",
    )  # fmt: skip
    assert records[-1].json.items() >= {"code": 1000, "reason": "shutdown", "frames": 3}.items()
    tick = next(r for r in reversed(records) if r.kind == "tick" and r.json["joined"])
    assert tick.json["open"] is True
    assert tick.json["reason"] is None
    assert tick.json["heard_ns"] <= int(tick.headers["tc-received-ns"])
    assert tick.json["token_age_s"] < 60
    assert tick.json["refresh_age_s"] < 60
    assert tick.json["connects_left"] == 9_999
    assert records[-1].json["heard_ns"] >= tick.json["heard_ns"]
