"""Take a bulk apart: one finding per child, in array order. A bad child never costs its siblings."""

from collections.abc import Sequence
from typing import Any, Union

import msgspec

from processors.core.json_array import split_array
from processors.core.kambi.exact import is_plain, read_object, read_tree
from processors.core.kambi.findings import READ_ERRORS, PassedOver, RejectedError, Unreadable
from schemas.kambi.codes import Code, Count
from schemas.kambi.wire import CHILDREN, ELEMENTS, Child

_CHILDREN: msgspec.json.Decoder[list[Child]] = msgspec.json.Decoder(
    list[Union[*CHILDREN.values()]]  # type: ignore[misc]  # known when it runs
)
_PARTS = msgspec.json.Decoder(list[msgspec.Raw])
_RAW = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ELEMENTS = {mt: (name, msgspec.json.Decoder(model)) for mt, (name, model) in ELEMENTS.items()}


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

    @classmethod
    def of_child(cls, part: bytes) -> "Bulk":
        """Return a bulk of one child, whose exact bytes are ``part``."""
        bulk = cls.__new__(cls)
        bulk._text, bulk._parts, bulk.children = "", [part], [read_child(part)]
        return bulk

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
        return _typed(read_object(part), _RAW.decode(part))
    except RejectedError as rejected:
        return rejected.finding


def _read_at_once(text: str) -> Sequence[Child] | None:
    """Read all children in one go; ``None`` when anything about any of them needs a closer look."""
    if not text.startswith("["):
        return None
    try:
        # Every check of the slow way that the typed read does not do itself: numbers, escapes, UTF-8, keys.
        return _CHILDREN.decode(text) if is_plain(text) else None
    except READ_ERRORS:
        return None


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
        tree = read_tree(text)
    except READ_ERRORS:
        return False
    return isinstance(tree, dict) and "code" in tree and "topic" in tree and "mt" not in tree


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
        element = decoder.decode(exact[key])
    except READ_ERRORS as error:
        raise RejectedError(Code.BAD_ELEMENT, f"{name}: {error}") from error
    return CHILDREN[mt](element, tree.get("t"))
