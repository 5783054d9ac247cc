"""``schemas/asyncapi.json``: AsyncAPI 3.0 with Kafka bindings, made of the registry.

Payloads are references to ``schemas/json/``, beside which the document lies. Changelogs and ``rms.pending`` are left
out: nobody else can do anything with them.
"""

import json
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from schemas.codec import MODELS, schema_file, schema_uri
from schemas.examples import Example, examples
from schemas.headers import CLOUDEVENTS, DEAD_LETTERS, HEADERS, RAW, REPLAY_REQUEST, Header
from schemas.topics import TOPICS, Topic
from schemas.topics.page import DELIVERY, PREFIX, types_of
from schemas.topics.topic import COPIES, min_in_sync

FILE: Final = Path(__file__).with_name("asyncapi.json")
_BINDING: Final = "0.5.0"
_INPUT: Final = {"tricast.rms.bet.placed.v1": "placed", "tricast.rms.bet.answered.v1": "answered"}
"""Kind of the examples of what others write."""

Json = dict[str, Any]


def rendered() -> str:
    """Return the document."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


def document() -> Json:
    """Return the document as data."""
    topics = [topic for topic in TOPICS.values() if topic.content not in {"messages", "state"}]
    messages = {name: message for topic in topics for name, message in _messages(topic)}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "tricast",
            "version": version("tricast"),
            "description": "Live sports betting feeds in Kafka: raw bytes, normalized records, health, dead letters."
            " Readers must set isolation.level=read_committed.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "kafka": {
                "host": "{bootstrap}",
                "protocol": "kafka",
                "description": "The installation's brokers.",
                "variables": {"bootstrap": {"default": "127.0.0.1:9092", "description": "host:port of a broker"}},
            }
        },
        "channels": {topic.name: _channel(topic) for topic in topics},
        "operations": {name: operation for topic in topics for name, operation in _operations(topic)},
        "components": {
            "messages": messages,
            "messageTraits": {"cloudEvent": {"headers": _headers(CLOUDEVENTS)}},
            "schemas": {
                "raw": _headers(RAW),
                "replayRequest": _headers(REPLAY_REQUEST),
                "deadLetter": _headers(DEAD_LETTERS),
            },
        },
    }


def _channel(topic: Topic) -> Json:
    configuration: Json = {"cleanup.policy": [topic.cleanup], "max.message.bytes": topic.max_message_bytes}
    if topic.retention_ms is not None:
        configuration["retention.ms"] = topic.retention_ms
    return {
        "address": PREFIX + topic.name,
        "title": topic.name,
        "description": (
            f"{topic.description} Key: {topic.key}. Order: {topic.order}. Delivery: {DELIVERY[topic.content]}."
        ),
        "servers": [{"$ref": "#/servers/kafka"}],
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name, _ in _messages(topic)},
        "tags": [{"name": topic.audience}, {"name": topic.name.partition(".")[0]}],
        "bindings": {
            "kafka": {
                "topic": PREFIX + topic.name,
                "partitions": topic.partitions,
                "replicas": COPIES,
                "topicConfiguration": configuration,
                "bindingVersion": _BINDING,
            }
        },
        "x-min-insync-replicas": min_in_sync(COPIES),
        "x-written-by": list(topic.written_by),
        "x-read-by": list(topic.read_by),
    }


def _operations(topic: Topic) -> Iterator[tuple[str, Json]]:
    """Yield what tricast does with a topic; of those between its parts, both."""
    channel = {"$ref": f"#/channels/{topic.name}"}
    if topic.audience != "input":
        yield f"send.{topic.name}", {"action": "send", "channel": channel, "summary": topic.description}
    if topic.audience != "public":
        yield f"receive.{topic.name}", {"action": "receive", "channel": channel, "summary": topic.description}


def _messages(topic: Topic) -> Iterator[tuple[str, Json]]:
    known = examples().get(topic.name, {})
    for ce_type in types_of(topic):
        yield ce_type, _typed(topic, ce_type, known)
    if topic.content == "raw":
        kinds = [kind for kind in known if kind != "replay"]
        yield (
            f"{topic.name}.record",
            _bytes(topic, "What a connector received, or says of itself.", "raw", known, kinds),
        )
    if topic.content in {"raw", "input"}:
        said = "A request to process a dead letter again; readers pass over it."
        yield f"{topic.name}.replay", _bytes(topic, said, "replayRequest", known, ["replay"])
    if topic.content == "dead-letters":
        yield f"{topic.name}.letter", _bytes(topic, topic.description, "deadLetter", known, list(known))


def _typed(topic: Topic, ce_type: str, known: dict[str, Example]) -> Json:
    message: Json = {
        "name": ce_type,
        "title": MODELS[ce_type].__name__,
        "summary": " ".join((MODELS[ce_type].__doc__ or "").partition("\n\n")[0].split()),
        "contentType": "application/json",
        "payload": {"$ref": f"./json/{schema_file(ce_type)}"},
        "bindings": _key(topic),
    }
    if HEADERS[topic.content]:
        own = {"ce_type": {"const": ce_type}, "ce_dataschema": {"const": schema_uri(ce_type)}}
        message["headers"] = {"type": "object", "properties": own}
        message["traits"] = [{"$ref": "#/components/messageTraits/cloudEvent"}]
    return message | _examples(known, [_INPUT.get(ce_type, ce_type)])


def _bytes(topic: Topic, summary: str, headers: str, known: dict[str, Example], kinds: list[str]) -> Json:
    return {
        "name": f"{topic.name}.{headers}",
        "summary": summary,
        "contentType": "application/octet-stream",
        "headers": {"$ref": f"#/components/schemas/{headers}"},
        "payload": {"type": "string", "description": "Bytes, as they came."},
        "bindings": _key(topic),
        **_examples(known, kinds),
    }


def _key(topic: Topic) -> Json:
    return {"kafka": {"key": {"type": "string", "description": topic.key}, "bindingVersion": _BINDING}}


def _examples(known: dict[str, Example], kinds: Iterable[str]) -> Json:
    shown = [
        {"name": kind, **({"headers": of.headers} if of.headers else {}), "payload": of.value}
        for kind in kinds
        if (of := known.get(kind)) is not None
    ]
    return {"examples": shown} if shown else {}


def _headers(headers: Iterable[Header]) -> Json:
    properties: Json = {}
    required = []
    for header in headers:
        properties[header.name] = {"type": "string", "pattern": header.pattern, "description": header.meaning}
        if header.required:
            required.append(header.name)
    return {"type": "object", "properties": properties, "required": required}
