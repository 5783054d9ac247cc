"""The AsyncAPI document: what its official parser says of it, and that its examples are what it says they are."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from schemas import asyncapi
from schemas.codec import MODELS, schema_file
from schemas.export import FOLDER
from schemas.headers import CLOUDEVENTS
from schemas.topics import TOPICS
from tests.connectors import npm

NODE = Path(__file__).parent / "node"
DOCUMENT: dict[str, Any] = json.loads(asyncapi.FILE.read_text(encoding="utf-8"))
MESSAGES: dict[str, dict[str, Any]] = DOCUMENT["components"]["messages"]
SHOWN = {name: topic for name, topic in TOPICS.items() if topic.content not in {"messages", "state"}}
CALLED_BAD = 1
"""Severity: 0 error, 1 warning; 2 and 3 are hints, such as that AsyncAPI 3.1 is out."""
SAME_IN_BOTH = {
    "$schema", "$id", "$defs", "$ref", "title", "description", "type", "properties", "required", "items", "enum",
    "minimum", "maximum", "exclusiveMinimum", "minLength", "maxLength", "minItems", "maxItems", "pattern", "format",
    "additionalProperties", "anyOf", "default", "x-growing",
}  # fmt: skip


RIGHT, WRONG = '"partitions": 5', '"partitions": "5"'


@pytest.fixture(scope="module")
def verdicts(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What the parser says: of the document, and of one with a mistake in a binding."""
    folder = npm.install(request.config.cache, NODE)
    planted = tmp_path_factory.mktemp("planted")
    (planted / "json").symlink_to(FOLDER)
    text = asyncapi.FILE.read_text(encoding="utf-8")
    assert RIGHT in text
    (planted / "asyncapi.json").write_text(text.replace(RIGHT, WRONG))
    documents = [asyncapi.FILE, planted / "asyncapi.json"]
    command = ["node", "judge.js", *map(str, documents)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def bad(verdict: dict[str, Any]) -> list[str]:
    return [f"{one['path']}: {one['message']}" for one in verdict["diagnostics"] if one["severity"] <= CALLED_BAD]


@pytest.mark.node
def test_the_official_parser_finds_nothing_wrong_and_reads_the_registry(verdicts: list[dict[str, Any]]):
    verdict = verdicts[0]
    assert bad(verdict) == []
    assert [channel["address"] for channel in verdict["channels"]] == [f"tricast.{name}" for name in SHOWN]
    for channel, topic in zip(verdict["channels"], SHOWN.values(), strict=True):
        binding = channel["binding"]
        assert (binding["partitions"], binding["replicas"]) == (topic.partitions, 3)
        assert binding["topicConfiguration"]["cleanup.policy"] == [topic.cleanup]
        assert binding["topicConfiguration"].get("retention.ms") == topic.retention_ms
    read = {message["name"]: message for channel in verdict["channels"] for message in channel["messages"]}
    for ce_type, model in MODELS.items():
        assert read[ce_type]["payload"] == model.__name__
        if model.topic != "rms.bets":
            assert read[ce_type]["headers"] == [header.name for header in CLOUDEVENTS]
        assert read[ce_type]["fields"], "the reference to its schema was followed"


@pytest.mark.node
def test_the_parser_notices_what_is_wrong(verdicts: list[dict[str, Any]]):
    said = 'channels/kambi.raw/bindings/kafka/partitions: "partitions" property type must be integer'
    assert said in bad(verdicts[1])


def payload_schema(message: dict[str, Any]) -> dict[str, Any]:
    reference = message["payload"].get("$ref")
    return message["payload"] if reference is None else json.loads((asyncapi.FILE.parent / reference).read_text())


def headers_schema(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for part in (message.get("headers", {}), *message.get("traits", [])):
        *_, kind, name = part.get("$ref", "#/-/-").split("/")
        shared = DOCUMENT["components"].get(kind, {}).get(name, part)
        yield shared.get("headers", shared)


@pytest.mark.parametrize("name", MESSAGES)
def test_every_message_has_examples_that_satisfy_it(name: str):
    message = MESSAGES[name]
    assert message["examples"]
    for example in message["examples"]:
        for dialect in (jsonschema.Draft7Validator, jsonschema.Draft202012Validator):
            dialect(payload_schema(message)).validate(example["payload"])
            for schema in headers_schema(message):
                dialect(schema).validate(example.get("headers", {}))


def test_an_example_with_a_wrong_header_does_not_satisfy():
    message = MESSAGES["tricast.kambi.odds.changed.v1"]
    wrong = message["examples"][0]["headers"] | {"ce_specversion": "2.0"}
    assert not all(jsonschema.Draft7Validator(schema).is_valid(wrong) for schema in headers_schema(message))


def test_every_type_and_topic_is_in_it():
    assert MESSAGES.keys() >= MODELS.keys()
    assert DOCUMENT["channels"].keys() == SHOWN.keys()
    named = {name for channel in DOCUMENT["channels"].values() for name in channel["messages"]}
    assert named == MESSAGES.keys()


@pytest.mark.parametrize("ce_type", MODELS)
def test_a_schema_means_the_same_to_asyncapi(ce_type: str):
    """A payload without a format of its own is read by the rules of draft 7; ours are written by those of 2020-12."""
    text = (FOLDER / schema_file(ce_type)).read_text()
    for part in objects(json.loads(text)):
        assert part.keys() <= SAME_IN_BOTH
        assert "$ref" not in part or part.keys() <= {"$ref", "description"}


def objects(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield schema
    for name in ("properties", "$defs"):
        for part in schema.get(name, {}).values():
            yield from objects(part)
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            yield from objects(schema[name])
    for part in schema.get("anyOf", ()):
        yield from objects(part)


def test_patterns_are_of_both_dialects():
    patterns = re.findall(r'"pattern": "((?:[^"\\]|\\.)*)"', asyncapi.FILE.read_text(encoding="utf-8"))
    assert patterns
    for pattern in patterns:
        assert not re.search(r"\(\?[P<!]|\\[AZz]", pattern), pattern
