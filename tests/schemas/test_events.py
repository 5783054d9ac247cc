"""The contracts of normalized records: closed, exact, and the same in msgspec and in JSON Schema."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from msgspec import structs

from schemas import export
from schemas.codec import MODELS, decode, encode, schema_file, validate
from schemas.errors import ContractError
from schemas.kambi import events as kambi
from schemas.topics import TOPICS

GOLDEN = Path(__file__).parents[1] / "golden"
RECORDS = [
    (path.stem, record["headers"]["ce_type"], record["value"])
    for path in sorted(GOLDEN.glob("*.json"))
    for record in json.loads(path.read_text())["records"]
]
for path in sorted(GOLDEN.glob("fastpath/*.json")):
    case = json.loads(path.read_text())
    if "record" in case:
        RECORDS.append((path.stem, case["ce_type"], case["record"]))
RECORDS.extend(
    (path.stem, record["ce_type"], record["value"])
    for path in sorted(GOLDEN.glob("rms/*.json"))
    for record in json.loads(path.read_text())["records"]
)
HEALTH = {"line": "kambi-0-general", "state": "live", "reason": "opened", "since_ns": 1, "connection": "c-1"}
RECORDS.append(("health", "tricast.kambi.line.health.v1", HEALTH))
EVENT_HEALTH = {"event_id": 1020000001, "state": "stale", "reason": "covered", "since_ns": 1, "coverage": "full"}
RECORDS.append(("event-health", "tricast.kambi.event.health.v1", EVENT_HEALTH))
MARKED = {"event_id": 1, "source": "snapshot", "late": True, "offer_id": 2, "outcomes": [{"id": 3, "late": True}]}
RECORDS.append(("marked", "tricast.kambi.outcomes.removed.v1", MARKED))
FIXTURE: dict[str, Any] = {"feed": "soccer/fixtures/f-1/actions", "fixture_id": "f-1"}
CONNECT = {"line": "soccer/fixtures/f-1/actions@b", "connection": "c-1"}
RECORDS.extend(
    (name, f"tricast.fastpath.{name}.v1", value)
    for name, value in (
        (
            "sequence.finding",
            FIXTURE
            | CONNECT
            | {
                "finding": "not_repairable",
                "series": "actions",
                "first": 5,
                "last": 9,
                "missing": [[5, 6], [9, 9]],
                "count": 3,
                "reason": "not-in-replay",
                "attempt": 2,
                "after_ms": 61_000,
                "ours": True,
                "vendor_first": 1,
                "asked": 0,
                "aligned": False,
                "scope": "connection",
                "old_last": 41,
                "by": "soccer/fixtures/f-1/actions",
                "repair": "none",
            },
        ),
        (
            "connection.state",
            FIXTURE
            | CONNECT
            | {
                "state": "Connected",
                "previous": "Disconnected",
                "since_ns": 5,
                "vendor_time": "2026-11-20T18:00:52.250Z",
                "implied": True,
            },
        ),
        (
            "command.repair",
            FIXTURE | {"line": "soccer/fixtures/f-1/actions", "first": 5, "last": 9, "position": 3, "attempt": 1},
        ),
        (
            "line.health",
            CONNECT
            | {
                "feed": FIXTURE["feed"],
                "state": "gapped",
                "reason": "hole",
                "since_ns": 5,
                "ours": True,
                "first_frame": 3,
                "last_frame": 4,
                "lost_frames": 2,
            },
        ),
        ("feed.health", FIXTURE | {"state": "down", "reason": "collection-dropped", "since_ns": 5, "open_lines": 2}),
    )
)
BET: dict[str, Any] = {"customer": "90210", "bet_slip_id": "7d5f3c1a-0b2e-4c6d-9a8f-1f2e3d4c5b6a"}
RAW = "tricast.rms.raw/2/17"
RECORDS.extend(
    (name, f"tricast.rms.{name}.v1", value)
    for name, value in (
        (
            "decision",
            BET
            | {
                "bet_code": "k3v9q7a1z-m4n8p2x6c0",
                "short_code": "7306",
                "platform_id": "4021",
                "outcome": "accepted",
                "evidence": "approval",
                "reason": "as asked",
                "context": "prematch",
                "disposition": "referred",
                "stake": "250",
                "amended": {"stake": "125.50", "odds": "1.90"},
                "placed_ns": 5,
                "answered_ns": 6,
                "decided_ns": 7,
                "received_ns": 8,
                "deadline_ns": 9,
                "latency": {
                    "placed_to_answered_ms": 1,
                    "answered_to_decided_ms": 2,
                    "decided_to_received_ms": -3,
                    "placed_to_received_ms": 4,
                },
                "positions": {"placed": "tricast.rms.bets/1/2", "answered": "tricast.rms.bets/1/3", "decided": RAW},
                "after_orphan": True,
            },
        ),
        (
            "decision",
            BET
            | {
                "outcome": "expired_unverified",
                "evidence": "deadline",
                "why": "feed-down",
                "deadline_ns": 9,
                "latency": {},
                "positions": {},
            },
        ),
        (
            "late",
            BET
            | {
                "bet_code": "17",
                "said": "reject",
                "evidence": "looked_up",
                "earlier": "expired",
                "received_ns": 9,
                "after_deadline_ms": 1,
                "raw": RAW,
            },
        ),
        (
            "conflict",
            BET
            | {
                "bet_code": "17",
                "why": "opposite",
                "stands": "accepted",
                "said": "reject",
                "earlier_raw": "tricast.rms.raw/2/16",
                "raw": RAW,
            },
        ),
        ("orphan", {"customer": "90210", "bet_code": "17", "said": "accept", "received_ns": 9, "raw": RAW}),
        ("lookup", BET | {"bet_code": "17", "why": "gap", "asked_ns": 8, "until_ns": 9}),
        (
            "line.health",
            {
                "customer": "90210",
                "line": "rms-90210@b",
                "state": "live",
                "reason": "joined",
                "since_ns": 5,
                "connection": "c-1",
                "joined": True,
                "token_age_s": 60,
                "refresh_age_s": 3600,
                "budget": {"connects_left": 9, "requests_left": 90, "lookups_waiting": 0},
            },
        ),
        (
            "line.health",
            {
                "customer": "90210",
                "line": "rms-90210",
                "state": "gapped",
                "reason": "hole",
                "since_ns": 5,
                "until_ns": 7,
                "connection": "c-1",
                "ours": True,
                "first_frame": 3,
                "last_frame": 4,
            },
        ),
    )
)
INPUTS = {
    "tricast.rms.bet.placed.v1": {
        "type": "placed",
        "customer": "90210",
        "bet_slip_id": "7d5f3c1a-0b2e-4c6d-9a8f-1f2e3d4c5b6a",
        "placed_at": "2026-03-02T10:04:00.000Z",
        "platform_id": 4021,
        "context": "prematch",
        "bet_type": "single",
        "stake": "250.00",
        "selections": [{"event_id": "5120033471", "market_id": 1900455120, "line": "1.5", "odds": "1.95"}],
        "user_id": 88017,
    },
    "tricast.rms.bet.answered.v1": {
        "type": "answered",
        "customer": 90210,
        "bet_slip_id": 4459816548,
        "answered_at": 1772445840000,
        "bet_code": "k3v9q7a1z-m4n8p2x6c0",
        "short_code": None,
        "result": True,
        "disposition": "referred",
    },
}
"""What others write: we read it tolerantly, so these models are not closed."""
IDS = [f"{name}-{number}" for number, (name, _, _) in enumerate(RECORDS)]


def checker(ce_type: str) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads((export.FOLDER / schema_file(ce_type)).read_text()))


def test_schema_files_are_current():
    assert export.stale() == [], "run: python -m schemas.export"


def test_a_changed_missing_or_foreign_schema_file_is_noticed(tmp_path: Path):
    assert len(export.write(tmp_path)) == len(MODELS)
    assert export.stale(tmp_path) == []
    changed, missing, *_ = sorted(path.name for path in tmp_path.iterdir())
    (tmp_path / changed).write_text("{}")
    (tmp_path / missing).unlink()
    (tmp_path / "foreign.json").write_text("{}")
    assert export.stale(tmp_path) == sorted([changed, missing, "foreign.json"])
    assert export.write(tmp_path) == sorted([changed, missing, "foreign.json"])
    assert export.stale(tmp_path) == []


@pytest.mark.parametrize("ce_type", MODELS)
def test_schema_is_valid_closed_described_and_has_a_topic(ce_type: str):
    schema = json.loads((export.FOLDER / schema_file(ce_type)).read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    for part in (schema, *schema.get("$defs", {}).values()):
        if ce_type in INPUTS:
            assert "additionalProperties" not in part
        else:
            assert part["additionalProperties"] is False
        assert part["description"]
        for name, content in part["properties"].items():
            assert "description" in content or name in ("outcomes", "criterion", "type"), name
    assert MODELS[ce_type].topic in TOPICS


@pytest.mark.parametrize(("name", "ce_type", "value"), RECORDS, ids=IDS)
def test_golden_records_satisfy_both_contracts(name: str, ce_type: str, value: dict[str, Any]):
    raw = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()
    assert json.loads(encode(decode(ce_type, raw))) == value
    checker(ce_type).validate(value)


@pytest.mark.parametrize(("name", "ce_type", "value"), RECORDS, ids=IDS)
def test_unknown_fields_and_null_are_refused_by_both(name: str, ce_type: str, value: dict[str, Any]):
    for broken in (value | {"surprise": 1}, *(value | {field: None} for field in value)):
        with pytest.raises(ContractError):
            validate(ce_type, json.dumps(broken).encode())
        assert not checker(ce_type).is_valid(broken)


@pytest.mark.parametrize(("ce_type", "value"), INPUTS.items(), ids=INPUTS)
def test_input_satisfies_both_contracts_whatever_else_is_in_it(ce_type: str, value: dict[str, Any]):
    for written in (value, value | {"surprise": {"deep": [1]}}):
        assert json.loads(encode(decode(ce_type, json.dumps(written).encode()))) == value
        checker(ce_type).validate(written)


@pytest.mark.parametrize("stake", [2.5, 250, "2.50"])
def test_an_amount_of_input_may_be_a_number_or_text(stake: float | str):
    ce_type = "tricast.rms.bet.placed.v1"
    written = INPUTS[ce_type] | {"stake": stake, "selections": [{"odds": stake}]}
    validate(ce_type, json.dumps(written).encode())
    checker(ce_type).validate(written)


@pytest.mark.parametrize("stake", [0, -1, -0.01])
def test_what_the_router_refuses_the_schema_refuses(stake: float):
    ce_type = "tricast.rms.bet.placed.v1"
    assert not checker(ce_type).is_valid(INPUTS[ce_type] | {"stake": stake})


def test_every_input_of_the_registry_is_an_input_here():
    assert INPUTS.keys() == {ce_type for ce_type, model in MODELS.items() if model.topic == "rms.bets"}


@pytest.mark.parametrize(
    "value",
    [b"", b"{}", b"[]", b"null", b"\xff", b'{"event_id":1.5}', b'{"event_id":"1"}', b'{"event_id":-1}', b"[" * 100_000],
)
def test_what_is_no_record_is_refused(value: bytes):
    with pytest.raises(ContractError):
        validate("tricast.kambi.event.removed.v1", value)


@pytest.mark.parametrize("model", [model for model in kambi.MODELS if model.topic not in {kambi.HEALTH, kambi.STATE}])
def test_every_record_can_be_marked_late_and_as_found_by_a_snapshot(model: type[kambi.Normalized]):
    named = [field.encode_name for field in structs.fields(model)]
    assert named[:4] == ["event_id", "vendor_time_ms", "source", "late"]
    for field, refused in (("late", False), ("source", "push")):
        with pytest.raises(ContractError, match=rf"\$\.{field}"):
            validate(model.ce_type, json.dumps({field: refused}).encode())


def test_unknown_type_is_refused():
    with pytest.raises(ContractError, match="no model"):
        decode("tricast.kambi.nothing.v1", b"{}")
