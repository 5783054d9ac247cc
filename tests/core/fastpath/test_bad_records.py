"""Bad input through the whole processor: an answer for each, and neither siblings nor other feeds lose anything."""

import json
from copy import deepcopy
from random import Random
from typing import Any

import pytest

from schemas.codec import validate
from schemas.fastpath.codes import Code, Count
from tests.core.fastpath.raw import (
    FEED,
    FIXTURE,
    GOLF,
    START_NS,
    TENNIS,
    TOPIC,
    Partition,
    Task,
    action,
    collection,
    element,
    findings,
    heartbeat,
    ns,
    numbers,
    statistics,
    status,
    text,
    values,
)

OTHER = "soccer/fixtures/22222222-2222-4333-8444-555555555555/actions"
DEAD: dict[str, tuple[Any, Code]] = {
    "binary": (b"\x00\x01\xfe\xff", Code.BAD_UTF8),
    "not JSON": (b"<html>502 Bad Gateway</html>", Code.NOT_JSON),
    "cut off": (text(action(2))[:-7], Code.NOT_JSON),
    "empty": (b"", Code.NOT_JSON),
    "an array": (b"[]", Code.NOT_AN_OBJECT),
    "a number": (b"41", Code.NOT_AN_OBJECT),
    "null": (b"null", Code.NOT_AN_OBJECT),
    "an empty object": (b"{}", Code.UNKNOWN_SHAPE),
    "unknown": ({"what": 1}, Code.UNKNOWN_SHAPE),
    "deep": (b'{"fixtureAction":' * 5_000 + b"1" + b"}" * 5_000, Code.TOO_DEEP),
    "a key twice": (b'{"fixtureAction":{"fixtureSeqNum":2,"fixtureSeqNum":3}}', Code.DUPLICATE_KEY),
    "NaN": (b'{"fixtureAction":{"fixtureSeqNum":NaN}}', Code.NOT_JSON),
    "no action": ({"fixtureAction": None}, Code.BAD_ACTION),
    "status without state": ({"eventElementType": "ConnectionStateChanged"}, Code.BAD_STATUS),
    "number true": (action(True), Code.BAD_SEQUENCE),
    "number null": (action(None), Code.BAD_SEQUENCE),
    "number below 0": (action(-1), Code.BAD_SEQUENCE),
    "number 2^63": (action(2**63), Code.BAD_SEQUENCE),
    "number of 300 digits": (action(int("9" * 300)), Code.BAD_SEQUENCE),
    "number with a fraction": (action(2.5), Code.BAD_SEQUENCE),
    "number in words": (action("two"), Code.BAD_SEQUENCE),
    "number with a sign": (action("+2"), Code.BAD_SEQUENCE),
    "number in a list": (action([2]), Code.BAD_SEQUENCE),
}
KEPT: dict[str, dict[str, Any]] = {
    "number in quotes": action("2"),
    "number as a whole fraction": action(2.0),
    "no fixture id": {"fixtureAction": {"fixtureSeqNum": 2}},
    "fixture id null": action(2, fixture=None),  # type: ignore[arg-type]  # bad on purpose
    "fixture id a list": action(2, fixture=["x"]),  # type: ignore[arg-type]  # bad on purpose
    "unknown send type": action(2, sendType="Reconsidered", sendTypeId=9),
    "type id of another name": action(2, sendType="Pending", sendTypeId=3),
    "no action id": action(2, actionId=None),
    "time without zone": action(2, timestamp="2026-09-21T14:13:20"),
    "time of 3 decimals": action(2, timestamp="2026-09-21T14:13:20.123Z"),
    "time of 7 decimals": action(2, timestamp="2026-09-21T14:13:20.1234567Z"),
    "time with an offset": action(2, timestamp="2026-09-21T16:13:20+02:00"),
    "no time": action(2, timestamp=None),
    "time in words": action(2, timestamp="soon"),
    "time of 1970": action(2, timestamp="1970-01-01T00:00:00.000Z"),
    "time of 9999": action(2, timestamp="9999-12-31T23:59:59.999999Z"),
    "fields of other types": action(2, period="first", clockTime=832, team="Northport", metadata=[1]),
    "summary null": action(2, summary=None),
    "collection of no known number": collection(2, 99),
    "a thousand digits": action(2, extra=int("7" * 1000)),
}


def between(*bad: Any, feed: str = FEED) -> Task:
    """Play ``bad`` between two good packets of a feed, while another feed says the same two."""
    partition, task = Partition(), Task()
    line, other = partition.line(feed), partition.line(OTHER)
    line.open()
    other.open()
    line.say(action(1))
    other.say(action(1, fixture="other"))
    line.say(*bad)
    line.say(action(3) if bad and isinstance(bad[0], dict) and bad[0] in KEPT.values() else action(2))
    other.say(action(2, fixture="other"))
    task.play(partition.records)
    assert [value["sequence"] for value in values(task.outputs, "actions") if value["feed"] == OTHER] == [1, 2]
    for output in task.outputs:
        validate(output.header("ce_type"), output.value)
    return task


def own(task: Task, topic: str = "actions") -> list[dict[str, Any]]:
    return [value for value in values(task.outputs, topic) if value["feed"] != OTHER]


@pytest.mark.parametrize(("bad", "code"), DEAD.values(), ids=DEAD.keys())
def test_what_cannot_be_read_is_a_dead_letter_alone(bad: Any, code: Code):
    task = between(bad)
    assert [(dead.code, dead.value) for dead in task.dead_letters] == [
        (code, bad if isinstance(bad, bytes) else text(bad))
    ]
    assert [value["sequence"] for value in own(task)] == [1, 2]
    assert findings(task.outputs) == ["baseline", "baseline"]


@pytest.mark.parametrize("packet", KEPT.values(), ids=KEPT.keys())
def test_what_is_odd_and_has_a_number_goes_out_in_its_place(packet: dict[str, Any]):
    task = between(packet)
    assert not task.dead_letters
    assert [value["sequence"] for value in own(task)] == [1, 2, 3]
    assert {value["fixture_id"] for value in own(task)} <= {FIXTURE, ""}


def test_unknown_send_type_and_a_wrong_id_are_kept_and_counted():
    task = between(KEPT["unknown send type"])
    assert (own(task)[1]["send_type"], own(task)[1]["send_type_id"]) == ("Reconsidered", 9)
    assert task.counts[Count.UNKNOWN_SEND_TYPE] == 1
    task = between(KEPT["type id of another name"])
    assert (own(task)[1]["send_type"], own(task)[1]["send_type_id"]) == ("Pending", 3)
    assert task.counts[Count.TYPE_ID_DISAGREES] == 1


def test_two_fixtures_in_one_feed_have_an_account_each():
    task = between(action(1, fixture="another"), action(2, fixture="another"))
    assert [(value["fixture_id"], value["sequence"]) for value in own(task)] == [
        (FIXTURE, 1),
        ("another", 1),
        ("another", 2),
        (FIXTURE, 2),
    ]
    assert findings(task.outputs) == ["baseline"] * 3


def test_statistics_on_an_actions_feed_disturb_no_action():
    task = between(statistics(1), statistics(900))
    assert [value["sequence"] for value in own(task)] == [1, 2]
    assert [value["sequence"] for value in own(task, "statistics")] == [1, 900]


@pytest.mark.parametrize(
    "beat",
    [
        heartbeat(),
        {"eventElementType": "heartbeat", "timestamp": "2026-11-20T18:00:20.001Z", "message": "alive"},
        {"eventelementType": "Heartbeat", "message": "alive"},
        {"sport": "golf", "eventId": "901-1-21", "feedType": "rounddetails", "dataType": "heartbeats", "message": {}},
        {"message": "Heartbeat"},
    ],
)
@pytest.mark.parametrize("feed", [FEED, TENNIS, GOLF, "multiplexer/?sport=golf", "curling/whatever"])
def test_heartbeat_in_every_shape_touches_nothing(beat: dict[str, Any], feed: str):
    task = between(beat, feed=feed)
    assert task.counts[Count.HEARTBEAT] == 1
    assert not task.dead_letters


@pytest.mark.parametrize("jump_s", [-86_400, -3, 3, 86_400])
def test_clock_that_jumps_loses_nothing(jump_s: float):
    partition, task = Partition(), Task()
    line = partition.line()
    line.open()
    line.say(action(1))
    partition.now_s += jump_s
    line.say(action(2, 0.1), action(4, 0.2))
    partition.now_s -= jump_s
    line.say(action(5, 0.3), action(3, 0.15), action(6, 0.4))
    partition.now_s += 5
    line.tick()
    task.play(partition.records)
    assert sorted(numbers(task.outputs)) == [1, 2, 3, 4, 5, 6]
    assert not task.dead_letters


@pytest.mark.parametrize("stamp", [b"", b"x", b"-1", b"1_0", b"9" * 20, None])
@pytest.mark.parametrize("name", ["tc-line", "tc-connection", "tc-frame", "tc-received-ns", "tc-kind", "tc-position"])
def test_header_that_is_none_is_a_dead_letter_or_an_unknown_kind(name: str, stamp: bytes | None):
    if name in {"tc-line", "tc-connection"} and stamp is not None:
        return  # any text is a name
    if name == "tc-position" and stamp is None:
        return  # nothing was asked for
    partition, task = Partition(), Task()
    line = partition.line()
    line.open()
    line.say(action(1))
    headers = dict(partition.records[-1].headers) | {"tc-frame": b"2", name: stamp}
    partition.write(FEED.encode(), text(action(2)), list(headers.items()))
    line.number += 1
    line.say(action(3))
    task.play(partition.records[:2])
    before = values(task.outputs, "actions") + values(task.outputs, "sequence")
    task.play([partition.records[2]])
    assert [dead.code for dead in task.dead_letters] == [
        Code.UNKNOWN_KIND if name == "tc-kind" and stamp is not None else Code.BAD_HEADERS
    ]
    assert values(task.outputs, "actions") + values(task.outputs, "sequence") == before
    task.play([partition.records[3]])
    assert len(task.dead_letters) == 1


@pytest.mark.parametrize("key", [None, b"", b"\xff\xfe", b"///", b"a" * 2_000, b"soccer\x00\n"])
def test_feed_without_a_usable_key_is_that_of_the_line(key: bytes | None):
    partition, task = Partition(), Task()
    line = partition.line(replica="b")
    line.open()
    line.say(action(1))
    record = partition.records[-1]
    partition.records[-1] = type(record)(
        offset=record.offset, value=record.value, headers=record.headers, topic=record.topic, key=key
    )
    task.play(partition.records)
    assert [value["feed"] for value in values(task.outputs, "actions")] == [FEED]


def test_feed_is_that_of_the_key_whatever_the_line_is_called():
    partition, task = Partition(), Task()
    line = partition.line()
    line.name = "place-7"
    line.open()
    line.say(action(1))
    task.play(partition.records)
    assert [(value["feed"], value["line"]) for value in values(task.outputs, "actions")] == [(FEED, "place-7")]


def test_record_that_names_no_feed_at_all_is_a_dead_letter():
    partition, task = Partition(), Task()
    line = partition.line()
    line.name = "/"
    line.feed = "/"
    line.say(action(1))
    task.play(partition.records)
    assert [dead.code for dead in task.dead_letters] == [Code.BAD_HEADERS]


@pytest.mark.parametrize("kind", ["opened", "closed", "overflow", "tick"])
@pytest.mark.parametrize("value", [b"", b"{", b"[]", b'{"open":3,"lost":-1,"code":"x","start_position":-1}', b"\xff"])
def test_control_record_that_is_none_is_a_dead_letter(kind: Any, value: bytes):
    partition, task = Partition(), Task()
    line = partition.line()
    line.open()
    line.say(action(1))
    task.play(partition.records)
    told, entries = len(task.outputs), dict(task.store.entries)
    line.write(kind, value)
    task.play(partition.records[2:])
    assert [dead.code for dead in task.dead_letters] == [Code.BAD_CONTROL]
    assert len(task.outputs) == told
    assert task.store.entries == entries
    line.say(action(2))
    task.play(partition.records[3:])
    assert numbers(task.outputs) == [1, 2]


def test_frame_of_many_megabytes_goes_out():
    big = action(2, extra="x" * 6_000_000)
    task = between(big)
    assert [dead.value for dead in task.dead_letters] == []
    assert len(own(task)[1]["details"]["extra"]) == 6_000_000


# Fuzz.

_JSON: list[Any] = [None, True, False, 0, 1, -1, 2**63, 10**400, 0.5, 1e308, "", "1", "x" * 300, "\ud7ff", [], {}, [[]]]
_FEEDS = [FEED, OTHER, TENNIS, GOLF, "multiplexer/?sport=golf", "curling/x", "tennis/events/x/statistics", "@", "a@b"]


def fuzzed(random: Random, seen: list[bytes]) -> bytes:
    """Return a packet with something wrong in it."""
    packet: dict[str, Any] = random.choice(
        [
            action(random.randrange(60), random.random()),
            collection(random.randrange(60), random.randrange(8)),
            element(random.randrange(60), random.random()),
            statistics(random.randrange(60)),
            status(random.choice(["Connected", "Disconnected", "x"]), random.random() * 100),
            heartbeat(),
            {"sport": "golf", "eventId": "1-1", "feedType": "rounddetails", "dataType": "eventdata"}
            | {"message": element(random.randrange(60))},
        ]
    )
    for _ in range(random.randrange(4)):
        part = random.choice([packet, *[value for value in packet.values() if isinstance(value, dict)]])
        name = random.choice([*part, "delayStatus", "metadata", "timestamp", "seqNum", "dataType"])
        part[name] = deepcopy(random.choice(_JSON))
    value = bytearray(json.dumps(packet).encode())
    for _ in range(random.choice([0, 0, 0, 1, 3])):
        value[random.randrange(len(value))] = random.randrange(256)
    seen.append(bytes(value))
    return seen[-1] if random.random() < 0.9 else random.choice(seen)


def test_10000_fuzzed_records_raise_nothing_and_what_goes_out_is_valid():
    random, partition, task, seen = Random(5), Partition(), Task(hold_count=8), list[bytes]()
    lines = [partition.line(feed, replica) for feed in _FEEDS for replica in ("", "b")]
    good = partition.line("soccer/fixtures/good/actions")
    good.open()
    said = 0
    while len(partition.records) < 10_000:
        partition.now_s += random.choice([0, 0, 0.01, 1, 40, -30])
        line = random.choice(lines)
        match random.randrange(14):
            case 0:
                line.open(random.choice([None, 0, 5, 2**62]))
            case 1:
                line.close(random.choice(["repair", "x y", "", "é"]), random.choice([0, 401, -5, 4404]))
            case 2:
                line.tick(is_open=random.random() < 0.8)
            case 3:
                line.overflow(random.choice([0, 1, 2**40]))
            case 4:
                line.write(random.choice(["opened", "closed", "overflow", "tick", "snapshot"]), fuzzed(random, seen))
            case 5:
                headers = dict(partition.records[-1].headers)
                headers[random.choice([*headers])] = random.choice([b"", b"\xff", b"7", b"9" * 30])
                partition.write(random.choice([None, b"", b"\xff", b"x"]), fuzzed(random, seen), list(headers.items()))
            case 6:
                said += 1
                good.say(action(said, partition.now_s, fixture="good"))
            case _:
                line.say(fuzzed(random, seen))
    task.play(partition.records)
    for output in task.outputs:
        validate(output.header("ce_type"), output.value)
    came = [value["sequence"] for value in values(task.outputs, "actions") if value["fixture_id"] == "good"]
    assert came == list(range(1, said + 1))
    assert {dead.code for dead in task.dead_letters} <= set(Code)
    identities = [output.header("ce_id") for output in task.outputs if output.header("ce_id").startswith(TOPIC)]
    assert len(set(identities)) == len(identities)


def test_stream_time_is_all_the_time_there_is():
    """Whatever a packet's own time says, deadlines go by receipt."""
    partition, task = Partition(), Task()
    line = partition.line()
    line.open()
    line.say(action(1), action(3, timestamp="9999-12-31T23:59:59Z"))
    partition.at(1.999)
    line.tick()
    task.play(partition.records)
    assert numbers(task.outputs) == [1]
    partition.at(2)
    line.tick()
    task.play(partition.records[-1:])
    assert numbers(task.outputs) == [1, 3]
    assert values(task.outputs, "actions")[1]["released"] == {"why": "timeout", "after_ms": 2000}
    assert task.stream_time_ns == START_NS + ns(2)
