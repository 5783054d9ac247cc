"""The gate: what was released still holds, and each way to break it is noticed."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from schemas import release
from schemas.compatibility import HARMLESS, HARMLESS_OF_INPUT, Rule, changes, shape_of
from schemas.errors import ContractError
from schemas.release import compared, present, released

Schema = dict[str, Any]
ODDS = "tricast.kambi.odds.changed.v1"
HEALTH = "tricast.kambi.line.health.v1"
BET = "tricast.rms.bet.placed.v1"

BASE: Schema = {
    "type": "object",
    "properties": {
        "id": {"type": "integer", "minimum": 0, "maximum": 9},
        "name": {"type": "string", "description": "As sent.", "minLength": 1, "pattern": "^a"},
        "state": {"enum": ["live", "down"]},
        "reason": {"enum": ["opened"], "x-growing": True},
        "parts": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/Part"}},
        "amount": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
        "details": {"type": "object", "additionalProperties": {"type": "string"}},
    },
    "required": ["id", "state"],
    "additionalProperties": False,
    "$defs": {"Part": {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}},
}


def changed(change: Callable[[Schema], Any]) -> Schema:
    new = copy.deepcopy(BASE)
    change(new)
    return new


def field(name: str, **content: Any) -> Callable[[Schema], Any]:
    """Change what is said of a field; ``None`` takes it out."""

    def change(schema: Schema) -> None:
        part = schema["properties"][name]
        for word, value in content.items():
            part.pop(word, None) if value is None else part.update({word: value})

    return change


def add(name: str, *, required: bool) -> Callable[[Schema], Any]:
    def change(schema: Schema) -> None:
        schema["properties"][name] = {"type": "string"}
        schema["required"] += [name] if required else []

    return change


def part(**content: Any) -> Callable[[Schema], Any]:
    return lambda schema: schema["$defs"]["Part"].update(content)


NUMBER = {"type": "number"}
CASES: list[tuple[str, Rule, str, Callable[[Schema], Any]]] = [
    ("field removed", "field-removed", "name", lambda new: new["properties"].pop("name")),
    ("deep field removed", "field-removed", "parts[].id", part(properties={}, required=[])),
    ("required field added", "required-field-added", "new", add("new", required=True)),
    ("optional field added", "optional-field-added", "new", add("new", required=False)),
    ("made required", "made-required", "name", lambda new: new["required"].append("name")),
    ("made optional", "made-optional", "id", lambda new: new["required"].remove("id")),
    ("other type", "kind-changed", "id", field("id", type="string", minimum=None, maximum=None)),
    ("other type in an array", "kind-changed", "parts[].id", part(properties={"id": {"type": "string"}})),
    ("other pattern", "kind-changed", "name", field("name", pattern="^b")),
    ("no pattern", "widened", "name", field("name", pattern=None)),
    ("a format", "narrowed", "name", field("name", format="date")),
    ("higher minimum", "narrowed", "id", field("id", minimum=1)),
    ("lower minimum", "widened", "id", field("id", minimum=-1)),
    ("no minimum", "widened", "id", field("id", minimum=None)),
    ("lower maximum", "narrowed", "id", field("id", maximum=8)),
    ("higher maximum", "widened", "id", field("id", maximum=10)),
    ("a maximum", "narrowed", "name", field("name", maxLength=5)),
    ("fewer items may be", "widened", "parts", field("parts", minItems=None)),
    ("value removed", "value-removed", "state", field("state", enum=["live"])),
    ("value added", "value-added", "state", field("state", enum=["live", "down", "gone"])),
    ("growing value added", "growing-value-added", "reason", field("reason", enum=["opened", "closed"])),
    ("growing value removed", "value-removed", "reason", field("reason", enum=[])),
    ("growth revoked", "growth-revoked", "reason", lambda new: new["properties"]["reason"].pop("x-growing")),
    ("only certain values", "narrowed", "name", field("name", enum=["a"])),
    ("any value", "widened", "state", field("state", enum=None, type="string")),
    ("alternative removed", "narrowed", "amount", field("amount", anyOf=[{"type": "string"}])),
    ("alternative added", "widened", "amount", field("amount", anyOf=[*BASE["properties"]["amount"]["anyOf"], NUMBER])),
    ("fields may be anything", "widened", "", lambda new: new.pop("additionalProperties")),
    ("other kind of any field", "kind-changed", "details.*", field("details", additionalProperties=NUMBER)),
    ("no field but named ones", "narrowed", "parts[]", part(additionalProperties=False)),
]


def found(new: Schema, *, is_input: bool = False) -> list[tuple[str, Rule, bool]]:
    differences = changes(shape_of(BASE), shape_of(new), "t", is_input=is_input)
    return [(change.where.removeprefix("t").strip(), change.rule, change.breaking) for change in differences]


@pytest.mark.parametrize(("rule", "where", "change"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_each_change_is_found_and_judged(rule: Rule, where: str, change: Callable[[Schema], Any]):
    new = changed(change)
    assert found(new) == [(where, rule, rule not in HARMLESS)]
    assert found(new, is_input=True) == [(where, rule, rule not in HARMLESS_OF_INPUT)]


def test_what_is_for_people_is_no_change():
    assert found(changed(field("name", description="Other words.", title="Name", examples=["a"], default="a"))) == []
    assert found(changed(lambda new: new.update({"$id": "urn:x", "title": "T"}))) == []


def test_a_new_name_is_a_removal_and_not_a_rename():
    def rename(new: Schema) -> None:
        new["properties"]["title"] = new["properties"].pop("name")

    assert found(changed(rename)) == [("name", "field-removed", True), ("title", "optional-field-added", False)]


def test_an_unknown_word_or_a_type_within_itself_is_refused():
    with pytest.raises(ContractError, match="do not know 'oneOf'"):
        shape_of(changed(field("name", oneOf=[])))
    with pytest.raises(ContractError, match="contains itself"):
        shape_of(changed(part(properties={"part": {"$ref": "#/$defs/Part"}})))


# The product's own contracts.


def test_nothing_that_was_released_is_broken():
    assert [str(change) for change in compared(released(), present()) if change.breaking] == []


def broken(change: Callable[[Any], Any]) -> list[tuple[str, Rule]]:
    new = present()
    change(new)
    return [(change.where, change.rule) for change in compared(present(), new) if change.breaking]


BREAKS: list[tuple[str, Rule, Callable[[Any], Any]]] = [
    ("kambi.offers", "topic-removed", lambda new: new["topics"].pop("kambi.offers")),
    ("kambi.offers", "partitions-changed", lambda new: new["topics"]["kambi.offers"].update(partitions=8)),
    ("kambi.offers", "cleanup-changed", lambda new: new["topics"]["kambi.offers"].update(cleanup="compact")),
    ("kambi.offers", "header-removed", lambda new: new["topics"]["kambi.offers"]["headers"].pop("ce_subject")),
    (
        "kambi.raw",
        "header-made-optional",
        lambda new: new["topics"]["kambi.raw"]["headers"].update({"tc-frame": False}),
    ),
    (ODDS, "type-removed", lambda new: new["types"].pop(ODDS)),
    (ODDS, "type-moved", lambda new: new["types"][ODDS].update(topic="kambi.events")),
    (
        f"{ODDS} outcomes[].odds_thousandths",
        "field-removed",
        lambda new: new["types"][ODDS]["shape"]["properties"]["outcomes"]["items"]["properties"].pop(
            "odds_thousandths"
        ),
    ),
]


@pytest.mark.parametrize(("where", "rule", "change"), BREAKS, ids=[case[1] for case in BREAKS])
def test_a_broken_contract_of_ours_is_named(where: str, rule: Rule, change: Callable[[Any], Any]):
    assert broken(change) == [(where, rule)]


def test_what_others_write_may_become_wider_and_no_narrower():
    def context(new: Any, **content: Any) -> None:
        new["types"][BET]["shape"]["properties"]["context"].update(content)

    assert broken(lambda new: new["types"][BET]["shape"]["required"].remove("context")) == []
    assert broken(lambda new: context(new, maxLength=3)) == [(f"{BET} context", "narrowed")]


def test_a_growing_reason_may_grow():
    assert broken(lambda new: new["types"][HEALTH]["shape"]["properties"]["reason"]["enum"].append("bored")) == []
    assert broken(lambda new: new["types"][HEALTH]["shape"]["properties"]["state"]["enum"].append("bored")) == [
        (f"{HEALTH} state", "value-added")
    ]


@pytest.fixture
def file(tmp_path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "released.json"
    monkeypatch.setattr(release, "FILE", file)
    return file


def test_a_release_is_written_and_a_breaking_change_is_not(file, capsys: pytest.CaptureFixture[str]):
    assert release.main([]) == 0
    assert json.loads(file.read_text()) == present()
    older = present()
    older["types"][ODDS]["shape"]["properties"]["gone"] = {"type": "string"}
    release.write(older)
    for arguments in ([], ["--check"]):
        assert release.main(arguments) == 1
        said = capsys.readouterr()
        assert (
            said.out == f"breaking: {ODDS} gone: field-removed: it is not there any more; a new name is a new field\n"
        )
        assert "docs/contracts.md" in said.err
    assert json.loads(file.read_text()) == older


def test_an_allowed_change_passes_the_check_and_is_taken_by_the_next_release(file):
    older = present()
    del older["types"][ODDS]["shape"]["properties"]["late"]
    release.write(older)
    assert release.main(["--check"]) == 0
    assert json.loads(file.read_text()) == older
    assert release.main([]) == 0
    assert json.loads(file.read_text()) == present()


def test_only_a_released_type_is_withdrawn(file):
    older = present()
    older["types"]["tricast.kambi.odds.changed.v0"] = older["types"][ODDS]
    release.write(older)
    assert release.main(["--check"]) == 1
    assert release.main(["--withdraw", "tricast.kambi.nothing.v1"]) == 1
    assert release.main(["--withdraw"]) == 1
    assert release.main(["--withdraw", "tricast.kambi.odds.changed.v0"]) == 0
    assert release.main(["--check"]) == 0
