"""Inputs from samples: their JSON is taken apart, changed and written again; or their text; or their bytes.

JSON inside a JSON string (a bulk of Kambi) is taken apart, too. All chance is an argument: an input is known by the
seed of its session.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Any

from tests.fuzz import nasty

_PREFIX = re.compile(rb"[0-9]*(?:/[a-z]*,)?")
"""What stands before the JSON of a Socket.IO packet."""
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|-?[0-9][0-9.eE+-]*|true|false|null|[\[\]{}:,]')
_TREES, _TEXTS = 0.55, 0.8
"""Shares (cumulative) of what is changed as a tree and as text; the rest is changed as bytes."""
_MORE = 0.4
"""Chance of one more change, after each."""


@dataclass(slots=True)
class _Nested:
    """JSON in a string."""

    tree: Any


@dataclass(frozen=True, slots=True)
class _Text:
    """JSON text that stands for itself, whether it is any or not."""

    text: str


def mutated(value: bytes, donors: Sequence[bytes], random: Random) -> bytes:
    """Return ``value`` changed in one way or in several; ``donors`` are other samples, for parts of theirs."""
    while True:
        value = _once(value, donors, random)
        if random.random() >= _MORE:
            return value


def mutated_header(content: bytes | None, random: Random) -> bytes | None:
    """Return another content of a header."""
    if content and content.isdigit() and len(content) < 30 and random.random() < 0.5:
        return b"%d" % max(0, int(content) + random.choice((-1, 1, 1000, -(10**9), 10**9, 10**12, 10**15)))
    if content and random.random() < 0.3:
        return _bytes(content, (content,), random)
    return random.choice(nasty.HEADERS)


def _once(value: bytes, donors: Sequence[bytes], random: Random) -> bytes:
    way = random.random()
    if way < _TREES:
        prefix, parsed = _parsed(value)
        if parsed is not None:
            return prefix + _dump(_changed(_load(parsed), donors, random)).encode("utf-8", "surrogatepass")
    if way < _TEXTS and value:
        return _tokens(value, donors, random)
    return _bytes(value, donors, random)


# -- trees -------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _parsed(value: bytes) -> tuple[bytes, str | None]:
    """Return what stands before the JSON of ``value``, and the JSON; ``None`` if it is none to be taken apart."""
    found = _PREFIX.match(value)
    prefix = found[0] if found else b""
    if len(value) > 200_000:
        return b"", None
    for before in (prefix, b""):
        text = value[len(before) :].decode("utf-8", "replace")
        try:
            tree = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(tree, dict | list):
            return before, text
    return b"", None


def _load(text: str) -> Any:
    return _opened(json.loads(text), 0)


def _opened(tree: Any, depth: int) -> Any:
    if depth > 60:
        return tree
    if isinstance(tree, dict):
        return {name: _opened(inner, depth + 1) for name, inner in tree.items()}
    if isinstance(tree, list):
        return [_opened(inner, depth + 1) for inner in tree]
    if isinstance(tree, str) and tree[:1] in {"[", "{"}:
        try:
            return _Nested(_opened(json.loads(tree), depth + 1))
        except (ValueError, RecursionError):
            return tree
    return tree


def _dump(tree: Any) -> str:
    texts: list[str] = []

    def written(inner: object) -> str:
        if isinstance(inner, _Nested):
            return _dump(inner.tree)
        assert isinstance(inner, _Text)
        texts.append(inner.text)
        return f"@@{len(texts) - 1}@@"

    try:
        whole = json.dumps(tree, default=written, separators=(",", ":"))
    except (RecursionError, ValueError):  # the latter: a number of more digits than Python writes
        return "[]"
    return re.sub(r'"@@(\d+)@@"', lambda found: texts[int(found[1])], whole) if texts else whole


_Slot = tuple[Any, Any]
"""A container and a key or index in it."""


def _slots(tree: Any) -> list[_Slot]:
    found: list[_Slot] = []
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, _Nested):
            waiting.append(node.tree)
            continue
        for key, inner in node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ():
            found.append((node, key))
            if isinstance(inner, dict | list | _Nested):
                waiting.append(inner)
    return found


def _changed(tree: Any, donors: Sequence[bytes], random: Random) -> Any:
    slots = _slots(tree)
    if not slots:
        return _value(donors, random)
    node, key = random.choice(slots)
    random.choice(_CHANGES)(node, key, donors, random)
    return tree


def _value(donors: Sequence[bytes], random: Random) -> Any:
    way = random.random()
    if way < 0.35:
        return _Text(random.choice(nasty.NUMBERS))
    if way < 0.65:
        return random.choice(nasty.TEXTS)
    if way < 0.75:
        return random.choice(([], {}, None, True, False, [[]], [None], {"": None}))
    if way < 0.83:
        return _Text(nasty.deep(random))
    if way < 0.88:
        return nasty.long(random)
    _, parsed = _parsed(random.choice(donors))
    slots = _slots(_load(parsed)) if parsed is not None else []
    if not slots:
        return None
    node, key = random.choice(slots)
    return node[key]


def _replace(node: Any, key: Any, donors: Sequence[bytes], random: Random) -> None:
    node[key] = _value(donors, random)


def _remove(node: Any, key: Any, donors: Sequence[bytes], random: Random) -> None:
    del node[key]


def _copy(node: Any, key: Any, donors: Sequence[bytes], random: Random) -> None:
    if isinstance(node, list):
        node[key:key] = [node[key]] * random.choice((1, 1, 2, 50))
    else:
        # The same name twice: which one holds is the parser's choice.
        node[key] = _Text(f"{json.dumps(None)},{json.dumps(key)}:{_dump(node[key])}")


def _rename(node: Any, key: Any, donors: Sequence[bytes], random: Random) -> None:
    if isinstance(node, dict):
        other = random.choice(list(node)) if random.random() < 0.5 else random.choice(nasty.NAMES)
        node[other] = node.pop(key)


def _wrap(node: Any, key: Any, donors: Sequence[bytes], random: Random) -> None:
    inner = node[key]
    node[key] = random.choice(([inner], {"id": inner}, [inner, inner], _Nested(inner), _Nested([inner])))


def _unwrap(node: Any, key: Any, donors: Sequence[bytes], random: Random) -> None:
    inner = node[key]
    if isinstance(inner, _Nested):
        node[key] = inner.tree
    elif isinstance(inner, dict | list) and inner:
        node[key] = random.choice(list(inner.values()) if isinstance(inner, dict) else inner)
    else:
        node[key] = _number(inner) if isinstance(inner, str) else f"{inner!r:.400}" if _is_short(inner) else ""


def _near(node: Any, key: Any, donors: Sequence[bytes], random: Random) -> None:
    inner = node[key]
    if isinstance(inner, bool) or not isinstance(inner, int | float):
        _replace(node, key, donors, random)
        return
    if abs(inner) > 2**70:
        return  # beyond floats, and far from everything
    node[key] = inner + random.choice((-1, 1, 2, -1000, 1000, 10**6, 10**12, -inner, -2 * inner, 0.5))


def _is_short(value: Any) -> bool:
    return not isinstance(value, int) or value.bit_length() < 10_000


def _number(text: str) -> Any:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 400 else 0


_CHANGES: tuple[Callable[[Any, Any, Sequence[bytes], Random], None], ...] = (
    _replace, _replace, _replace, _remove, _copy, _rename, _wrap, _unwrap, _near, _near,
)  # fmt: skip


# -- text and bytes ----------------------------------------------------------------------------------------------------


def _tokens(value: bytes, donors: Sequence[bytes], random: Random) -> bytes:
    """Replace, drop or double a token, escaped as deeply as it stands."""
    at = random.randrange(len(value))
    found = _TOKEN.search(value, at) or _TOKEN.search(value)
    if found is None or found.end() - found.start() > 100_000:
        return _bytes(value, donors, random)
    way = random.random()
    token = found[0]
    if way < 0.15:
        new = b""
    elif way < 0.3:
        new = token + b"," + token
    elif way < 0.65:
        new = random.choice(nasty.NUMBERS).encode()
    elif way < 0.85:
        new = json.dumps(random.choice(nasty.TEXTS), ensure_ascii=random.random() < 0.5).encode(
            "utf-8", "surrogatepass"
        )
    else:
        new = nasty.deep(random).encode()
    if b'\\"' in value and random.random() < 0.5:
        new = json.dumps(new.decode("utf-8", "replace"))[1:-1].encode()  # it stands in a string
    return value[: found.start()] + new + value[found.end() :]


def _bytes(value: bytes, donors: Sequence[bytes], random: Random) -> bytes:
    size = len(value)
    at = random.randrange(size + 1)
    to = min(size, at + random.choice((1, 1, 2, 8, 64, 1000)))
    match random.randrange(8):
        case 0:
            return value[:at] + bytes([random.randrange(256)]) + value[to:]
        case 1:
            return value[:at] + value[to:]
        case 2:
            return value[:at]
        case 3:
            return value[:at] + random.choice(nasty.BYTES) + value[at:]
        case 4:
            return value[:to] + value[at:]
        case 5:
            donor = random.choice(donors)
            return value[:at] + donor[random.randrange(len(donor) + 1) :]
        case 6:
            return random.randbytes(random.choice((0, 1, 3, 20, 300)))
        case _:
            flipped = value[at] ^ (1 << random.randrange(8)) if at < size else 0
            return value[:at] + bytes([flipped]) + value[at + 1 :]
