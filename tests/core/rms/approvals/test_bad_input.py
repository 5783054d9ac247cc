"""Whatever a packet holds: each approval goes out or is a dead letter of its own, and nothing raises."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.core.rms.approvals.packet import MAX_PARTS
from schemas.codec import validate
from schemas.rms.codes import Code, Count
from simulators.rms.approvals import JUNK, UNKNOWN_EVENT
from tests.core.rms.approvals.raw import CUSTOMER, Partition, Task, approvals, at_ns, evidence, played, times

GOOD = {"betSlipId": "slip-1"}


def told(*packets: bytes | str) -> Task:
    partition = Partition()
    partition.line().open().say(*packets)
    return played(partition)


def accept(text: str) -> str:
    return f'2["RESERVE_BET_ACCEPT",{text}]'


@pytest.mark.parametrize(
    ("text", "slip", "code"),
    [
        ('{"betSlipId":"a","bet_code":"b"}', "a", "b"),
        ('{"bet_slip_id":"a","betCode":"b"}', "a", "b"),
        ('{"BetSlipId":"a","BET_CODE":"b"}', "a", "b"),
        ('{"code":"b","platform_id":4021}', None, "b"),
        ('{"betSlipId":9007199254740993,"code":18446744073709551617}', "9007199254740993", "18446744073709551617"),
        ('{"betSlipId":null,"bet_code":"b"}', None, "b"),
        ('{"betSlipId":"","bet_code":"b"}', None, "b"),
        ('{"betSlipId":1.0,"bet_code":"b"}', None, "b"),
        ('{"betSlipId":true,"bet_code":"b"}', None, "b"),
        ('{"betSlipId":{"id":1},"bet_code":"b"}', None, "b"),
        ('{"betSlipId":"a","bet_code":"' + "x" * 201 + '"}', "a", None),
        ('{"betSlipId":"a","bet_code":["b"],"code":"c"}', "a", "c"),
        ('{"betSlipId":"a","bet_slip_id":"a"}', "a", None),
        ('{"betSlipId":"a","bet_code":"b","code":200}', "a", "b"),
        ('{"betSlipId":7,"bet_slip_id":"7"}', "7", None),
        ('"{\\"betSlipId\\":\\"a\\"}"', "a", None),
        ('[{"betSlipId":"a"}]', "a", None),
        ('["{\\"betSlipId\\":\\"a\\"}"]', "a", None),
        ('"[{\\"betSlipId\\":\\"a\\"}]"', "a", None),
        (' \n{"betSlipId":"a"}\t', "a", None),
        ('{"betSlipId":"a","customerId":90210}', "a", None),
        ('{"betSlipId":"a","customerid":"0090210"}', "a", None),
        ('{"betSlipId":"a","customer_id":null}', "a", None),
        ('{"betSlipId":"a","customerId":"whoever"}', "a", None),
        ('{"betSlipId":"a","extra":NULL}'.replace("NULL", '{"x":[1e400,-0.50,123456789012345678901]}'), "a", None),
    ],
)
def test_an_approval_is_read_however_it_is_spelled_and_wrapped(text: str, slip: str | None, code: str | None):
    task = told(accept(text))
    assert task.dead_letters == []
    (found,) = evidence(task.outputs)
    assert (found.slip, found.code, found.said) == (slip, code, "accept")
    (record,) = approvals(task.outputs)
    assert (record.get("bet_slip_id"), record.get("bet_code")) == (slip, code)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("null", Code.NOT_AN_OBJECT),
        ("7", Code.NOT_AN_OBJECT),
        ("[]", Code.NOT_AN_OBJECT),
        ("[[]]", Code.NOT_AN_OBJECT),
        ('"text"', Code.NOT_AN_OBJECT),
        ('"{\\"betSlipId\\":"', Code.NOT_JSON),
        ('"half', Code.NOT_JSON),
        ('{"betSlipId":NaN}', Code.NOT_JSON),
        ('{"betSlipId":"a"', Code.NOT_JSON),
        ('{"betSlipId":"a"}]', Code.NOT_JSON),
        ('{"betSlipId":' + "9" * 5000 + "}", Code.NOT_JSON),
        ('{"betSlipId":"a","betSlipId":"b"}', Code.DUPLICATE_KEY),
        ('{"betSlipId":"a","x":' + "[" * 100 + "]" * 100 + "}", Code.TOO_DEEP),
        ('{"betSlipId":"\\ud800"}', Code.BAD_UTF8),
        ('"{\\"betSlipId\\":\\"\\ud800\\"}"', Code.BAD_UTF8),
        ('"{\\"betSlipId\\":\\"\\udcc3\\udca9\\"}"', Code.BAD_UTF8),
        ("{}", Code.NO_ID),
        ('{"shortCode":"7306"}', Code.NO_ID),
        ('{"betSlipId":null,"bet_code":""}', Code.NO_ID),
        ('{"betSlipId":1.5}', Code.NO_ID),
        ('{"betSlipId":["a"]}', Code.NO_ID),
        ('{"betSlipId":"a\\u0000"}', Code.NO_ID),
        ('{"betSlipId":"a","bet_slip_id":"b"}', Code.IDS_DIFFER),
        ('{"bet_code":"a","betCode":"b"}', Code.IDS_DIFFER),
        ('{"betSlipId":"a","customerId":90211}', Code.WRONG_CUSTOMER),
        ('{"betSlipId":"a","customerId":90210,"customer_id":"90211"}', Code.WRONG_CUSTOMER),
    ],
)
def test_a_broken_approval_is_a_dead_letter_and_its_sibling_goes_out(text: str, code: Code):
    if not text.endswith("}]") and text not in {'"half', '{"betSlipId":"a"'}:  # those swallow what follows
        after = told(accept(f'{text},{{"betSlipId":"slip-1"}}'))
        assert [(letter.code, letter.index) for letter in after.dead_letters] == [(str(code), 0)]
        assert [(found.slip, found.raw[2]) for found in evidence(after.outputs)] == [("slip-1", 1)]
    before = told(accept(f'{{"betSlipId":"slip-1"}},{text}'))
    assert [(letter.code, letter.index) for letter in before.dead_letters] == [(str(code), 1)]
    assert [(found.slip, found.raw[2]) for found in evidence(before.outputs)] == [("slip-1", 0)]


@pytest.mark.parametrize(
    ("packet", "code"),
    [
        ("hello", Code.BAD_PACKET),
        ("", Code.BAD_PACKET),
        ("2[7]", Code.BAD_PACKET),
        ("2[]", Code.BAD_PACKET),
        ('2["RESERVE_BET_ACCEPT"', Code.BAD_PACKET),
        ('2["RESERVE_BET_ACCEPT"]', Code.BAD_PACKET),
        ('51-["RESERVE_BET_ACCEPT",{"_placeholder":true,"num":0}]', Code.BINARY),
        (accept(",".join(["{}"] * (MAX_PARTS + 1))), Code.TOO_MANY),
        (accept("[" + ",".join(["1"] * 100_000) + "]"), Code.TOO_MANY),
    ],
)
def test_a_broken_packet_is_one_dead_letter(packet: str, code: Code):
    task = told(packet, accept('{"betSlipId":"slip-1"}'))
    assert [(letter.value, letter.code, letter.index) for letter in task.dead_letters] == [
        (packet.encode(), str(code), None)
    ]
    assert [found.slip for found in evidence(task.outputs)] == ["slip-1"]


def test_bytes_that_are_no_text_cost_their_own_approval_only():
    task = told(b'2["RESERVE_BET_ACCEPT",{"betSlipId":"\xff"},{"betSlipId":"slip-1"}]')
    assert [(letter.value, letter.code) for letter in task.dead_letters] == [
        (b'{"betSlipId":"\xff"}', str(Code.BAD_UTF8))
    ]
    assert [found.slip for found in evidence(task.outputs)] == ["slip-1"]


def test_other_packets_are_counted():
    task = told(
        UNKNOWN_EVENT,
        '2/other,["RESERVE_BET_ACCEPT",{"betSlipId":"a"}]',
        "2",
        "3/other,0[]",
        "1/other",
        '4{"message":""}',
    )
    assert task.dead_letters == []
    assert evidence(task.outputs) == []
    assert task.counts == {Count.UNKNOWN_EVENT: 2, Count.CONTROL_PACKET: 4, Count.ACK: 2}


@pytest.mark.parametrize("junk", JUNK)
def test_the_simulators_junk_is_a_dead_letter_each(junk: str):
    task = told(junk)
    assert len(task.dead_letters) == 1
    assert evidence(task.outputs) == []


def test_fields_of_odd_types_stay_in_details():
    text = (
        '{"betSlipId":"a","acceptedAt":{"at":1},"reason":7,"stake":"much","odds":[1.5],"platform_id":-1,'
        '"userInfo":{"id":88017,"name":"x"},"Weight":1.50,"none":null}'
    )
    task = told(accept(text))
    (record,) = approvals(task.outputs)
    assert record["user_id"] == "88017"
    assert "decided_at" not in record
    (output,) = [output for output in task.outputs if output.topic == "rms.approvals"]
    assert output.value.endswith(
        b'"details":{"acceptedAt":{"at":1},"reason":7,"stake":"much","odds":[1.5],"platform_id":-1,'
        b'"userInfo":{"id":88017,"name":"x"},"Weight":1.50,"none":null}}'
    )
    assert task.counts[Count.ODD_FIELD] == 5
    assert task.counts[Count.NO_DECIDED_TIME] == 1


def test_a_reason_of_a_megabyte_stays_in_details():
    """The join keeps sixteen of them with a bet, and has to fit them into one record of its changelog."""
    long, reason = "x" * 1_000_000, "x" * 1_000
    task = told(
        accept(json.dumps({"betSlipId": "a", "reason": long})), accept(json.dumps({"code": "b", "reason": reason}))
    )
    assert [found.reason for found in evidence(task.outputs)] == [None, reason]
    first, second = approvals(task.outputs)
    assert first["details"] == {"reason": long}
    assert second["reason"] == reason


@pytest.mark.parametrize(
    ("at", "decided_s"),
    [
        ('"2026-09-21T14:13:20.1234567Z"', 0.1234567),
        (str(at_ns(0.25) // 1_000_000), 0.25),
        ('"2026-09-21T15:13:20Z"', 3600.0),  # an hour ahead
        ('"2026-09-21T15:13:20.001Z"', None),
        ('"soon"', None),
    ],
)
def test_a_time_that_cannot_be_is_text_only(at: str, decided_s: float | None):
    (record,) = approvals(told(accept(f'{{"betSlipId":"a","timestamp":{at}}}')).outputs)
    assert record["decided_at"] == at.strip('"')
    assert record.get("decided_ns") == (None if decided_s is None else at_ns(0) + round(decided_s * 10**9))


def test_accept_and_reject_take_their_own_time():
    partition = Partition()
    fields: dict[str, Any] = {"acceptedAt": "2026-09-21T14:13:21Z", "rejectedAt": "2026-09-21T14:13:22Z"}
    line = partition.line().open()
    line.tell("accept", GOOD | fields)
    line.tell("reject", GOOD | fields)
    assert [record["decided_ns"] for record in approvals(played(partition).outputs)] == [at_ns(1), at_ns(2)]


STAMPS: dict[str, Any] = {
    "tc-kind": b"what",
    "tc-line": b"line",
    "tc-connection": b"c",
    "tc-frame": b"1",
    "tc-received-ns": b"1",
}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"tc-kind": b"frame"},
        STAMPS | {"tc-line": b"\xff"},
        STAMPS,
        STAMPS | {"tc-kind": None},
        STAMPS | {"tc-frame": b"-1"},
        STAMPS | {"tc-received-ns": b"9" * 19},
    ],
)
def test_records_that_are_not_our_connectors_are_dead_letters(headers: Any):
    for key in (b"90210", b"\xff", None):
        partition = Partition()
        partition.write(key, b"2", list(headers.items()))
        task = played(partition)
        assert len(task.dead_letters) == 1
        assert task.outputs == []


def test_a_record_of_the_future_ends_no_window():
    partition = Partition()
    line = partition.line().open()
    line.tick()
    sane = partition.records[-1]
    ahead = [(name, b"%d" % at_ns(3_601) if name == "tc-received-ns" else value) for name, value in sane.headers]
    partition.write(b"90210", sane.value, ahead)
    line.tick()
    task = played(partition)
    assert [letter.code for letter in task.dead_letters] == [str(Code.BAD_HEADERS)]
    assert max(now_s for now_s, _, _ in times(task.outputs)) == 0


@pytest.mark.parametrize("kind", ["opened", "closed", "overflow", "tick"])
@pytest.mark.parametrize("value", [b"", b"[]", b"{", b'{"heard_ns":-1,"lost":-1,"previous_frame":"x"}', b"[" * 50_000])
def test_broken_control_records_are_dead_letters(kind: Any, value: bytes):
    partition = Partition()
    line = partition.line().open()
    line.write(kind, value)
    line.tick()
    task = played(partition)
    assert [letter.code for letter in task.dead_letters] == [str(Code.BAD_CONTROL)]
    assert times(task.outputs)[-1] == (0, 0, 0)


_ID = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("slip-1")
_OBJECT = st.dictionaries(
    st.sampled_from(
        ["betSlipId", "bet_slip_id", "bet_code", "code", "customerId", "timestamp", "stake", "userInfo", "x"]
    ),
    _ID | st.lists(_ID, max_size=2) | st.dictionaries(st.text(max_size=3), _ID, max_size=2),
    max_size=5,
)
_ARGUMENT = st.recursive(_OBJECT | _ID, lambda inner: st.lists(inner, max_size=3) | inner.map(json.dumps), max_leaves=5)


@settings(max_examples=300, deadline=None)
@given(st.lists(_ARGUMENT, max_size=3), st.sampled_from(["ACCEPT", "REJECT"]))
def test_any_arguments_are_accounted_for(arguments: list[Any], said: str):
    task = told("2" + json.dumps([f"RESERVE_BET_{said}", *arguments]))
    _check(task)
    assert task.dead_letters or approvals(task.outputs)


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=80)
    | st.text(alphabet='[]{}",:\\ \n017ab.eE-', max_size=60).map(lambda text: accept(text).encode())
    | st.binary(max_size=30).map(lambda junk: b'2["RESERVE_BET_REJECT",{"betSlipId":"' + junk + b'"}]')
)
def test_any_bytes_are_accounted_for(packet: bytes):
    task = told(packet)
    _check(task)
    before = told()
    counted = sum(task.counts.values()) - sum(before.counts.values())
    assert task.dead_letters or approvals(task.outputs) or counted


def _check(task: Task) -> None:
    """Each record that went out satisfies its contract, and has its evidence."""
    for output in task.outputs:
        if output.topic != "rms.pending":
            validate(output.header("ce_type"), output.value)
    assert len(approvals(task.outputs)) == len(evidence(task.outputs))
    assert all(record["customer"] == CUSTOMER for record in approvals(task.outputs))


@pytest.mark.parametrize("after", [b"", b"-1", b"soon", b"1" * 20], ids=lambda value: value[:5].decode())
def test_a_frame_that_was_sent_after_no_time(after: bytes):
    partition = Partition()
    partition.line().open().tell("accept", {"betSlipId": "s1"})
    *before, frame = partition.records
    partition.records = before
    partition.write(b"90210", frame.value, [*frame.headers, ("tc-after-ns", after)])
    task = played(partition)
    assert [letter.code for letter in task.dead_letters] == [str(Code.BAD_HEADERS)]
    assert approvals(task.outputs) == []
