"""Take a bulk apart: one finding per child, in array order. A bad child never costs its siblings."""

import json
from collections.abc import Sequence
from typing import Any

import msgspec

from processors.core.kambi.findings import READ_ERRORS, InexactError, PassedOver, RejectedError, Unreadable
from processors.core.kambi.split import split_array
from schemas.kambi.codes import Code, Count
from schemas.kambi.wire import ELEMENTS, Child

_EXACT_FLOAT = 2.0**53
"""From here on a float has no room for every integer, so an id written as one may be another id."""


def _exact_float(text: str) -> float:
    number = float(text)
    if abs(number) >= _EXACT_FLOAT:
        raise InexactError(text[:40])
    return number


_CHILDREN = msgspec.json.Decoder(list[Child])
_PARTS = msgspec.json.Decoder(list[msgspec.Raw])
_PLAIN = msgspec.json.Decoder(float_hook=_exact_float)
_RAW = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ENCODER = msgspec.json.Encoder()
_ELEMENTS = {mt: (name, msgspec.json.Decoder(model)) for mt, (name, model) in ELEMENTS.items()}
_ESCAPED_COLON = "\\u003"
"""How a colon (or one of its neighbours) looks when it is escaped; any such text takes the slow check."""


class Bulk:
    """The children of one message.

    Attributes:
        children: One per element of the array: what it says, or why it cannot be read.
    """

    __slots__ = ("_parts", "_text", "children")

    def __init__(self, text: str) -> None:
        self._text = text
        self._parts: Sequence[bytes] | None = None
        self.children: Sequence[Child | Unreadable] = _read_at_once(text) or [read_child(part) for part in self.parts()]

    def parts(self) -> Sequence[bytes]:
        """Return the exact bytes of every child."""
        if self._parts is None:
            self._parts = _cut(self._text)
        return self._parts


def open_bulk(text: str) -> Bulk | PassedOver:
    """Return the bulk in ``text``, an array, or an object taken as an array of one (fact sheet §5)."""
    if text.startswith("{") and _is_subscription_error(text):
        return PassedOver(Count.SUBSCRIPTION_ERROR)
    bulk = Bulk(text)
    return bulk if bulk.children else PassedOver(Count.EMPTY_BULK)


def read_child(part: bytes) -> Child | Unreadable:
    """Read one child by itself, the slow and exact way; agrees with the fast way wherever that one succeeds."""
    try:
        return _typed(_tree(part), _RAW.decode(part))
    except RejectedError as rejected:
        return rejected.finding


def _tree(part: bytes) -> dict[str, Any]:
    try:
        text = part.decode()
        tree = _PLAIN.decode(text)
        twice = _names_a_key_twice(text, tree)
    except UnicodeDecodeError as error:
        raise RejectedError(Code.BAD_UTF8, str(error)) from error
    except RecursionError as error:
        raise RejectedError(Code.TOO_DEEP, "nested too deeply") from error
    except InexactError as error:
        raise RejectedError(Code.INEXACT_NUMBER, f"{error} cannot be read exactly") from error
    except READ_ERRORS as error:
        raise RejectedError(Code.CHILD_NOT_JSON, str(error)) from error
    if not isinstance(tree, dict):
        raise RejectedError(Code.NOT_AN_OBJECT, f"a child of type {type(tree).__name__}")
    if twice:
        raise RejectedError(Code.DUPLICATE_KEY, "an object names a key twice")
    return tree


def _read_at_once(text: str) -> Sequence[Child] | None:
    """Read all children in one go; ``None`` when anything about any of them needs a closer look."""
    if not text.startswith("["):
        return None
    try:
        # Every check of the slow way that the typed read does not do itself: numbers, escapes, UTF-8, keys.
        if _ESCAPED_COLON in text or text.count(":") != _ENCODER.encode(_PLAIN.decode(text)).count(b":"):
            return None
        children = _CHILDREN.decode(text)
    except READ_ERRORS:
        return None
    for child in children:
        element = _ELEMENTS.get(child.mt)
        if element is None or getattr(child, element[0]) is None:
            return None
    return children


def _cut(text: str) -> Sequence[bytes]:
    if text.startswith("{"):
        return [_bytes(text)]
    try:
        return [bytes(part) for part in _PARTS.decode(text)]
    except READ_ERRORS:
        return [_bytes(part) for part in split_array(text)]


def _bytes(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half a pair that the vendor's own escapes made, not one that stands for a bad byte
        return text.encode("utf-8", "surrogatepass")


def _is_subscription_error(text: str) -> bool:
    try:
        tree = _PLAIN.decode(text)
    except READ_ERRORS:
        return False
    return isinstance(tree, dict) and "code" in tree and "topic" in tree and "mt" not in tree


def _names_a_key_twice(text: str, tree: Any) -> bool:
    """Tell whether any object in ``text``, read as ``tree``, has a key twice.

    A reader keeps one of two equal keys, so written back the tree lacks a colon. That count is exact as long as no
    colon of the text is escaped: every other colon stands in a string and comes back as it was.
    """
    if _ESCAPED_COLON not in text:
        return text.count(":") != _ENCODER.encode(tree).count(b":")
    twice = False

    def note(pairs: list[tuple[str, Any]]) -> None:
        nonlocal twice
        twice = twice or len({key for key, _ in pairs}) != len(pairs)

    json.loads(text, object_pairs_hook=note, parse_int=str, parse_float=str)
    return twice


def _typed(tree: dict[str, Any], exact: dict[str, msgspec.Raw]) -> Child:
    """Return the child in ``tree``; its element is read from the ``exact`` bytes: the tree has rounded fractions."""
    mt = tree.get("mt")
    if isinstance(mt, float) and mt.is_integer():
        mt = int(mt)
    if not isinstance(mt, int) or isinstance(mt, bool):
        raise RejectedError(Code.NO_TYPE, "mt is missing" if mt is None else f"mt is a {type(mt).__name__}")
    if mt not in _ELEMENTS:
        raise RejectedError(Code.UNKNOWN_TYPE, f"mt {mt}"[:40])
    name, decoder = _ELEMENTS[mt]
    key = name
    if tree.get(name) is None:
        others = [other for other in tree if other not in ("t", "mt", name)]
        if len(others) != 1 or not isinstance(tree[others[0]], dict):
            raise RejectedError(Code.NO_ELEMENT, f"mt {mt} without {name}")
        key = others[0]  # fact sheet §5: else the single key that is not t or mt
    try:
        fields: dict[str, Any] = {name: decoder.decode(exact[key])}
    except READ_ERRORS as error:
        raise RejectedError(Code.BAD_ELEMENT, f"{name}: {error}") from error
    return Child(mt=mt, t=tree.get("t"), **fields)
