"""The ledger: what is written can be read, also after a kill; and after a wild run it adds up."""

import asyncio
import json
from collections import Counter, defaultdict
from random import Random

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from simulators.ledger import Ledger
from simulators.rms.ledger import Line, read_ledger
from tests.simulators.rms_client import staged, welcome

LINES = [
    Line(kind="connect", at_ns=1, ip="127.0.0.1", used=3, connection="c", customer="7"),
    Line(kind="frame", at_ns=2, connection="c", n=1, packet='2["RESERVE_BET_ACCEPT",{}]', decision=4, fault="junk"),
    Line(kind="decision", at_ns=3, decision=4, outcome="accept", stands="reject", turn=2, reached=0, platform=0),
    Line(kind="disconnect", at_ns=4, connection="c", n=0, reason="gone"),
]


def test_lines_are_read_as_they_were_written_over_restarts(tmp_path):
    path = tmp_path / "deep" / "ledger.jsonl"
    for line in LINES:
        ledger = Ledger(path)
        ledger.append(line)
        assert list(read_ledger(path))[-1] == line
        ledger.close()
        ledger.close()
    assert list(read_ledger(path)) == LINES


def test_a_torn_last_line_is_left_out(tmp_path):
    path = tmp_path / "ledger.jsonl"
    path.write_bytes(b'{"kind":"connect","at_ns":1}\n{"kind":"con')
    assert list(read_ledger(path)) == [Line(kind="connect", at_ns=1)]
    ledger = Ledger(path)
    ledger.append(LINES[0])
    ledger.close()
    assert list(read_ledger(path)) == [Line(kind="connect", at_ns=1), LINES[0]]


def test_no_path_keeps_no_ledger():
    ledger = Ledger(None)
    ledger.append(LINES[0])
    ledger.close()


class Replica:
    """Connects, joins and reads until it is cut, over and over; keeps what it got by session id."""

    def __init__(self, stage, ip) -> None:
        self.stage = stage
        self.ip = ip
        self.got: dict[str, list[str]] = defaultdict(list)
        self.tries = 0

    async def run(self):
        headers = await self.stage.headers(**{"X-Forwarded-For": self.ip})
        while True:
            self.tries += 1
            try:
                async with self.stage.opened(headers) as socket:
                    await self.talk(socket)
            except (ConnectionClosed, InvalidStatus, AssertionError, EOFError):
                await asyncio.sleep(0)

    async def talk(self, socket):
        sid = await welcome(socket)
        self.got[sid].append(f'0{{"sid":"{sid}"}}')
        await socket.send('420["join"]')
        async for packet in socket:
            if packet != "2":
                self.got[sid].append(packet[1:])


@pytest.mark.parametrize("seed", [1, 2])
async def test_after_a_wild_run_everything_adds_up(tmp_path, seed):
    settings = {
        "seed": seed,
        "client_ip_header": "X-Forwarded-For",
        "connects_max": 10,
        "http_max": 100,
        "limit_refusal": "http",
        "platform": {"bets_per_second": 3},
        "trader": {"repeat_share": 0.2, "contradict_share": 0.2, "shapes": ["object", "string", "list"]},
        "faults": {
            "drop_every_s": 7,
            "close_every_s": 11,
            "half_open_every_s": 31,
            "refuse_every": 5,
            "duplicate_every": 9,
            "junk_every": 10,
            "hollow_join_every": 4,
        },
    }
    chance = Random(seed)
    async with staged(tmp_path, **settings) as stage:
        replicas = [Replica(stage, f"10.0.0.{n}") for n in (1, 1, 2)]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(replica.run()) for replica in replicas]
            for _ in range(300):
                stage.turn(chance.random())
                for _ in range(chance.randrange(5)):
                    await asyncio.sleep(0.001)
            for task in tasks:
                task.cancel()
    lines = stage.ledger()
    by_connection = connections_add_up(lines)
    for replica in replicas:
        for sid, got in replica.got.items():
            assert got == by_connection[sid][: len(got)]
    limits_hold(lines)
    decisions_add_up(lines)
    assert sum(replica.tries for replica in replicas) >= sum(line.kind in ("connect", "refused") for line in lines) > 50


def connections_add_up(lines) -> dict[str, list[str]]:
    """Every connection begins and ends once, its frames are numbered from 1 without a hole."""
    packets: dict[str, list[str]] = {}
    over = set()
    for line in lines:
        match line.kind:
            case "connect":
                assert line.connection not in packets
                packets[line.connection] = []
            case "frame":
                assert line.connection not in over
                packets[line.connection].append(line.packet)
                assert line.n == len(packets[line.connection])
            case "disconnect":
                assert line.n == len(packets[line.connection])
                assert line.reason
                over.add(line.connection)
    assert over == set(packets)
    return packets


def limits_hold(lines) -> None:
    """What was let through never exceeds the limits; what was refused for them was beyond."""
    handshakes = [line for line in lines if line.kind in ("connect", "refused")]
    by_ip = defaultdict(list)
    for line in handshakes:
        over = line.reason == "429 Too Many Requests (http)"
        times = by_ip[line.ip] = [at_ns for at_ns in by_ip[line.ip] if line.at_ns - at_ns < 60_000_000_000]
        times.append(line.at_ns)
        assert line.used == len(times)
        assert over is (len(times) > 10) or "(socket)" in (line.reason or "") or _http_used(lines, line) > 100
    upgraded = Counter(line.status for line in lines if line.kind == "http" and line.path == "/rms-socket/socket.io/")
    assert upgraded[429] == sum(line.reason == "429 Too Many Requests (http)" for line in handshakes)
    assert upgraded.total() == len(handshakes)


def _http_used(lines, handshake) -> int:
    """Return how many requests were in the window with the one that was this handshake."""
    moment = (handshake.at_ns, handshake.ip)
    return max((line.used for line in lines if line.kind == "http" and (line.at_ns, line.ip) == moment), default=0)


def decisions_add_up(lines) -> None:
    """Every decision was handed to as many connections as it says, or is lost for them; the first one stands."""
    handed, lost = Counter(), Counter()
    for line in lines:
        if line.decision is not None and line.fault != "duplicate" and line.kind != "decision":
            if line.kind == "frame" or line.fault == "ended":
                handed[line.decision] += 1
            elif line.fault == "no-socket":
                lost[line.decision] += 1
    stands = {}
    decisions = [line for line in lines if line.kind == "decision"]
    assert [line.decision for line in decisions] == list(range(1, len(decisions) + 1))
    referred = {line.bet for line in lines if line.kind == "bet" and line.disposition == "referred"}
    for line in decisions:
        assert line.bet in referred
        assert line.stands == stands.setdefault(line.bet, line.outcome)
        assert handed[line.decision] == line.reached
        assert lost[line.decision] == (line.reached == 0 and line.outcome != "ignore")
    told = {line.decision: line for line in decisions}
    for line in lines:
        if line.kind == "frame" and line.decision is not None:
            name = json.loads(line.packet[1:])[0]
            assert name == f"RESERVE_BET_{told[line.decision].outcome.upper()}"
    assert sum(line.reached > 0 for line in decisions) > 20
    assert sum(lost.values()) > 0
