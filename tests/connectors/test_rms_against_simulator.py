"""The simulator's ledger against the raw topic: every packet it handed over is there, whatever becomes of sockets."""

import json
from collections import defaultdict

import pytest

from simulators.rms.ledger import read_ledger
from tests.connectors import contract
from tests.simulators.rms_client import staged, until

pytestmark = pytest.mark.kafka

LINE = "rms-90210"


def has(kind, count=1, **fields):
    """Return whether there are so many records of a kind whose values have these fields."""
    return lambda seen: sum(r.kind == kind and fields.items() <= r.json.items() for r in seen) >= count


def has_frame(text):
    return lambda seen: any(r.kind == "frame" and text in r.value.decode() for r in seen)


def after_joined(records, count):
    """Return the records from the ``count``-th join on."""
    joins = [number for number, r in enumerate(records) if r.kind == "frame" and r.value.startswith(b"30[")]
    return records[joins[count - 1] :] if len(joins) >= count else []


def has_joined(count):
    return lambda seen: bool(after_joined(seen, count))


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
        ended = ends[connection]["reason"] if connection in ends else "killed"
        assert len(frames) == len(ours) or ended in {"connection lost", "shutdown", "refreshed", "killed"}
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


@pytest.mark.parametrize(
    ("how", "code", "reason"),
    [
        ("cut", 1006, "connection lost"),
        (1000, 1000, "closed on request"),
        (1001, 1001, "closed on request"),
        (4000, 4000, "closed on request"),
        ("disconnect", 1000, "socket.io disconnect"),
    ],
)
async def test_it_comes_back_joins_again_and_the_chain_goes_on(rms, tmp_path, how, code, reason):
    async with staged(tmp_path) as stage:
        async with rms.connector(stage.simulator.urls):
            for turn in range(1, 4):
                await rms.records(has_joined(turn))
                await stage.decide(await stage.place())
                await rms.records(has("tick", open=True))
                await stage.control("close", how=how)
            await rms.records(has_joined(4))
        records = await rms.records()
        received = check_ledger(records, tmp_path / "ledger.jsonl")
    contract.check(records, feed="rms")
    closed = [r.json for r in records if r.kind == "closed"]
    assert [(c["code"], c["reason"]) for c in closed] == [(code, reason)] * 3 + [(1000, "shutdown")]
    assert all(c["heard_ns"] for c in closed)
    disconnects = 3 if how == "disconnect" else 0
    assert received == 4 * 2 + 3 + disconnects, "cut or not, what was handed over is there"


async def test_whatever_the_vendor_sends_is_there_byte_for_byte(rms, tmp_path):
    faults = {"duplicate_every": 3, "unknown_event_every": 2, "junk_every": 1}
    trader = {
        "shapes": ["object", "string", "list", "two-arguments", "two-elements"],
        "ids": ["both", "slip", "code", "short", "none", "disagree"],
        "decide_after_s": [0, 0],
    }
    async with staged(tmp_path, faults=faults, trader=trader) as stage:
        async with rms.connector(stage.simulator.urls):
            for turn in range(1, 6):
                await rms.records(has_joined(turn))
                for _ in range(20):
                    await stage.decide(await stage.place())
                await stage.control("close", how=1001)
            await rms.records(has_joined(6))
        records = await rms.records()
        assert check_ledger(records, tmp_path / "ledger.jsonl") > 5 * 40
    contract.check(records, feed="rms")


async def test_a_half_open_socket_is_noticed_and_left(rms, tmp_path):
    async with staged(tmp_path, ping_interval_s=0.2, ping_timeout_s=0.2) as stage:
        async with rms.connector(stage.simulator.urls):
            await rms.records(has_joined(1))
            await stage.control("close", how="half-open")
            await stage.decide(await stage.place())
            await rms.records(has_joined(2))
            # One that pings is not left, however long nothing else comes.
            await rms.records(lambda seen: sum(r.kind == "tick" for r in after_joined(seen, 2)) >= 10)
        records = await rms.records()
        check_ledger(records, tmp_path / "ledger.jsonl")
    contract.check(records, feed="rms")
    assert [r.json["reason"] for r in records if r.kind == "closed"] == ["silent for more than 0.4 s", "shutdown"]
    heard = [r.json["heard_ns"] for r in after_joined(records, 2) if r.kind == "tick" and r.json["open"]]
    assert heard == sorted(heard)
    assert len(set(heard)) > 3, "a ping is heard, too"


async def test_join_that_is_not_heard_is_an_alarm_and_sent_again(rms, tmp_path, caplog):
    async with staged(tmp_path, faults={"unheard_join_every": 1}) as stage:
        async with rms.connector(stage.simulator.urls, join_timeout_s=0.3):
            await rms.records(has("tick", open=True, joined=False, reason="not-joined"))
            await stage.control("faults")
            await rms.records(has("tick", open=True, joined=True, reason=None))
            assert (await stage.decide(await stage.place()))["reached"] == 1
            await rms.records(has_frame("RESERVE_BET_ACCEPT"))
        assert len(stage.ledger("connect")) == 1
    (alarm,) = [record for record in caplog.records if record.message.startswith("rms.not_joined")]
    assert alarm.levelname == "ERROR"
    assert "Operator action" in alarm.message


async def test_an_approval_shows_that_we_are_in_the_room_where_join_is_not_acknowledged(rms, tmp_path):
    async with staged(tmp_path, join_ack=False) as stage, rms.connector(stage.simulator.urls):
        await until(lambda: bool(stage.ledger("join")))
        await stage.decide(await stage.place(), "reject")
        await rms.records(has("tick", open=True, joined=True))


async def test_a_new_socket_joins_before_the_old_one_closes_when_the_token_is_refreshed(rms, tmp_path):
    async with staged(tmp_path, access_token_s=2) as stage:
        async with rms.connector(stage.simulator.urls, reconnect_on_refresh=True):
            await rms.records(lambda seen: sum(r.kind == "closed" for r in seen) >= 3)
            await stage.decide(await stage.place())
            await rms.records(has_frame("RESERVE_BET_ACCEPT"))
        records = await rms.records()
        check_ledger(records, tmp_path / "ledger.jsonl")
    contract.check(records, feed="rms")
    open_and_joined, lines = set(), []
    for record in records:
        if record.kind == "frame" and record.value.startswith(b"30["):
            open_and_joined.add(record.connection)
            lines.append(record.line)
        elif record.kind == "closed" and record.json["reason"] == "refreshed":
            open_and_joined.discard(record.connection)
            assert open_and_joined, "another one has taken over"
    assert lines[:4] == [LINE, f"{LINE}~2", LINE, f"{LINE}~2"]
    assert {r.json["reason"] for r in records if r.kind == "closed"} == {"refreshed", "shutdown"}
