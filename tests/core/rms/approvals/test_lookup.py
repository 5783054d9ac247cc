"""Answers of bet/detail as evidence."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.rms.codes import Code
from schemas.rms.pending import Evident
from tests.core.rms.approvals.raw import CUSTOMER, Partition, Task, at_ns, evidence, played


def detail(status: Any = "accepted", code: Any = "code-1", **fields: Any) -> dict[str, Any]:
    return {"success": True, "data": {"code": code, "status": status, "result": "pending"} | fields}


def answered(body: Any, **fields: Any) -> Task:
    partition = Partition()
    partition.at(5).line(suffix="-lookups").look_up(body, **fields)
    return played(partition)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("accepted", "accept"),
        ("Approved", "accept"),
        (" ACCEPT ", "accept"),
        ("rejected", "reject"),
        ("Declined", "reject"),
        ("reject", "reject"),
        ("cancelled", "reject"),
        ("reserve", None),
        ("Pending", None),
    ],
)
def test_an_answer_is_evidence_of_its_bet(status: str, said: Any):
    task = answered(detail(status), requested_s=4.5)
    assert evidence(task.outputs) == [
        Evident(
            customer=CUSTOMER,
            slip="slip-1",
            code="code-1",
            evidence="looked_up",
            said=said,
            raw=(0, 0, 0),
            received_ns=at_ns(5),
            requested_ns=at_ns(4.5),
        )
    ]
    (output,) = task.outputs
    assert (output.key, output.headers) == (b"90210/slip-1", ())
    assert task.counts == {}


@pytest.mark.parametrize("status", [201, 204, 302, 400, 401, 404, 429, 500, 503])
@pytest.mark.parametrize("body", [b"<html>", detail(), b""])
def test_an_error_is_evidence_of_nothing_but_itself(status: int, body: Any):
    task = answered(body, status=status)
    assert [(found.said, found.status) for found in evidence(task.outputs)] == [(None, status)]
    assert task.dead_letters == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", Code.LOOKUP_FAILED),
        (b"<html><body>Sign in</body></html>", Code.LOOKUP_FAILED),
        (b'{"success":true,"data":{"code":"code-1","status":"accep', Code.LOOKUP_FAILED),
        (b'{"success":true,"success":true,"data":{"code":"code-1","status":"accepted"}}', Code.LOOKUP_FAILED),
        (b"[" * 100_000, Code.LOOKUP_FAILED),
        ([detail()], Code.LOOKUP_FAILED),
        (detail() | {"success": False}, Code.LOOKUP_FAILED),
        (detail() | {"success": "true"}, Code.LOOKUP_FAILED),
        ({"success": True}, Code.LOOKUP_FAILED),
        ({"success": True, "data": [detail()["data"]]}, Code.LOOKUP_FAILED),
        (detail(status=1), Code.LOOKUP_FAILED),
        (detail(status=None), Code.LOOKUP_FAILED),
        (detail(status="  "), Code.LOOKUP_FAILED),
        (detail(status="won"), Code.UNKNOWN_STATUS),
        (detail(code="code-2"), Code.LOOKUP_MISMATCH),
        (detail(code=None), Code.LOOKUP_MISMATCH),
        (detail(code=1.5), Code.LOOKUP_MISMATCH),
    ],
)
def test_rubbish_with_status_200_is_a_dead_letter(body: Any, code: Code):
    task = answered(body)
    assert [letter.code for letter in task.dead_letters] == [str(code)]
    assert task.outputs == []


def test_a_code_may_come_back_as_a_number():
    task = answered(detail(code=9007199254740993), code="9007199254740993")
    assert [(found.said, found.code) for found in evidence(task.outputs)] == [("accept", "9007199254740993")]


@pytest.mark.parametrize("text", ["a b&c=d", "50%", "é/中?#+", "x" * 200])
def test_ids_come_through_the_name_of_the_request(text: str):
    task = answered(detail(code=text), code=text, slip=text)
    assert [(found.slip, found.code) for found in evidence(task.outputs)] == [(text, text)]


@pytest.mark.parametrize(
    "position",
    [
        "",
        "bet/detail",
        "bet/detail?code=a",
        "bet/detail?slip=a&code=",
        "bet/detail?slip=a&slip=b&code=c",
        "bet/detail?slip=a&code=c&more=d",
        "bet/other?slip=a&code=c",
        "bet/detail?slip=%FF&code=c",
        "bet/detail?" + "x&" * 5_000,
    ],
)
def test_an_answer_to_nobody_knows_what_is_a_dead_letter(position: str):
    task = answered(detail(), position=position)
    assert [letter.code for letter in task.dead_letters] == [str(Code.BAD_HEADERS)]


@pytest.mark.parametrize("name", ["tc-status", "tc-requested-ns", "tc-position"])
@pytest.mark.parametrize("value", [b"", b"-1", b"1" * 25, b"\xff", None])
def test_broken_headers_of_an_answer_are_a_dead_letter(name: str, value: bytes | None):
    partition = Partition()
    partition.line(suffix="-lookups").look_up(detail())
    (record,) = partition.records
    headers: list[Any] = [(key, value if key == name else known) for key, known in record.headers]
    partition.records.clear()
    partition.write(b"90210", record.value, headers)
    assert [letter.code for letter in played(partition).dead_letters] == [str(Code.BAD_HEADERS)]


def test_an_answer_says_nothing_of_what_came_after_it():
    (found,) = evidence(answered(detail("pending"), requested_s=500).outputs)
    assert found.requested_ns == at_ns(5)


def test_an_answer_knows_how_many_approvals_by_code_came_before_it():
    partition = Partition()
    line = partition.line().open()
    line.tell("accept", {"bet_code": "x"}, {"bet_code": "y"})
    partition.line(suffix="-lookups").look_up(detail())
    assert [(found.ordinal, found.by_code_before) for found in evidence(played(partition).outputs)] == [
        (1, 0),
        (2, 1),
        (0, 2),
    ]


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60) | st.text(alphabet='{}[]":,successdatacodetrue1 ', max_size=60).map(str.encode))
def test_any_body_is_a_dead_letter_or_evidence(body: bytes):
    task = answered(body)
    assert len(task.dead_letters) + len(evidence(task.outputs)) == 1
