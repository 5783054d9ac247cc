"""The limit of 40 keys and the forms of its refusal, over real sockets."""

import json

import pytest

from simulators.kambi.server import KambiSimulator
from tests.simulators.consumer import LANGUAGE_SIDE
from tests.simulators.kambi_client import GENERAL, clients, ledger_of, lively


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
