"""Two records of one identity, field by field, for people."""

import json
from collections.abc import Iterator
from typing import Any

from tricast.replay.written import VERSION_HEADER, Written

SHOWN_LETTERS = 120
"""Of one side of one field."""


def differences(expected: Written, actual: Written) -> list[str]:
    """Return what differs, one line a field: the replay's on the left, what is in Kafka on the right."""
    return [
        f"{name}: {_shown(left)} -> {_shown(right)}"
        for name, left, right in _fields(expected, actual)
        if left is not right and left != right
    ]


class _Absent:
    pass


_ABSENT = _Absent()


def _fields(expected: Written, actual: Written) -> Iterator[tuple[str, object, object]]:
    yield "key", _text(expected.key), _text(actual.key)
    yield "partition", expected.partition, actual.partition
    yield "timestamp", expected.timestamp, actual.timestamp
    left, right = dict(expected.headers), dict(actual.headers)
    for name in left.keys() | right.keys() - {VERSION_HEADER}:
        if name != VERSION_HEADER:
            yield f"header {name}", _header(left, name), _header(right, name)
    if [name for name, _ in expected.headers] != [name for name, _ in actual.headers]:
        yield "order of headers", [name for name, _ in expected.headers], [name for name, _ in actual.headers]
    if expected.value != actual.value:
        yield from _values(expected.value, actual.value)


def _header(headers: dict[str, bytes], name: str) -> object:
    return _text(headers[name]) if name in headers else _ABSENT


def _values(expected: bytes | None, actual: bytes | None) -> Iterator[tuple[str, object, object]]:
    left, right = _parsed(expected), _parsed(actual)
    if isinstance(left, dict | list) and isinstance(right, dict | list):
        found = list(_inside("value", left, right))
        if found:
            yield from found
            return
    yield "value", _text(expected), _text(actual)  # also where only the spelling of the JSON differs


def _inside(path: str, left: Any, right: Any) -> Iterator[tuple[str, object, object]]:
    if isinstance(left, dict) and isinstance(right, dict):
        for name in [*left, *(name for name in right if name not in left)]:
            yield from _inside(f"{path}.{name}", left.get(name, _ABSENT), right.get(name, _ABSENT))
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for index, (one, other) in enumerate(zip(left, right, strict=True)):
            yield from _inside(f"{path}[{index}]", one, other)
    elif left != right:
        yield path, left, right


def _parsed(value: bytes | None) -> Any:
    try:
        return None if value is None else json.loads(value)
    except (ValueError, RecursionError):
        return None


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode(errors="backslashreplace")


def _shown(side: object) -> str:
    if side is _ABSENT:
        return "(absent)"
    text = side if isinstance(side, str) else json.dumps(side)
    return text if len(text) <= SHOWN_LETTERS else text[: SHOWN_LETTERS - 1] + "…"
