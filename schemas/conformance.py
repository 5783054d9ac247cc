"""Is one record what its topic promises? Pure; for ``tricast topics check`` and tests of everything that writes."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Final

import msgspec

from schemas.codec import MODELS, schema_uri, validate
from schemas.errors import ContractError
from schemas.headers import HEADERS, REPLAY_REQUEST, Header
from schemas.replay import REPLAY
from schemas.rms import pending
from schemas.topics.topic import Topic

_INPUT: Final = {"placed": "tricast.rms.bet.placed.v1", "answered": "tricast.rms.bet.answered.v1"}


class _Input(msgspec.Struct):
    type: str


def faults(topic: Topic, headers: Sequence[tuple[str, bytes | None]], value: bytes | None) -> list[str]:
    """Return what is wrong with a record of ``topic``; nothing when it keeps the contract.

    Args:
        topic: Of the registry.
        headers: As Kafka has them. More than are promised are no fault.
        value: ``None``: a tombstone, which compacted topics may have.
    """
    if value is None:
        return [] if topic.cleanup == "compact" else ["a record without value"]
    said = dict(headers)
    if topic.content in {"raw", "input"} and said.get("tc-kind") == REPLAY.encode():
        return list(_headers(REPLAY_REQUEST, said))
    return [*_headers(HEADERS[topic.content], said), *_value(topic, said, value)]


def _headers(promised: Iterable[Header], said: dict[str, bytes | None]) -> Iterator[str]:
    for header in promised:
        content = said.get(header.name)
        if content is None:
            if header.required:
                yield f"header {header.name} is missing"
            continue
        try:
            matches = _pattern(header.pattern).search(content.decode())
        except UnicodeDecodeError:
            matches = None
        if matches is None:
            yield f"header {header.name} is {_short(content)}"


def _value(topic: Topic, said: dict[str, bytes | None], value: bytes) -> Iterator[str]:
    try:
        match topic.content:
            case "events":
                ce_type = (said.get("ce_type") or b"").decode(errors="replace")
                validate(ce_type, value)
                if (belongs := MODELS[ce_type].topic) != topic.name:
                    yield f"{ce_type} belongs into {belongs}"
                if said.get("ce_dataschema") not in {None, schema_uri(ce_type).encode()}:
                    yield f"header ce_dataschema is not that of {ce_type}"
            case "input":
                kind = msgspec.json.decode(value, type=_Input).type
                if kind not in _INPUT:
                    yield f"type {kind[:40]!r} is none of {', '.join(_INPUT)}"
                    return
                validate(_INPUT[kind], value)
            case "messages":
                pending.decode(value)
            case "raw" | "dead-letters" | "state":
                pass  # bytes
    except (ContractError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        yield f"value: {error}"


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _short(content: bytes) -> str:
    return repr(content[:60].decode(errors="replace"))
