"""Read a packet's JSON so that nothing in it is guessed: no rounded number, no key of which only one value is kept.

A fraction stands in the tree as ``msgspec.Raw``, its text as sent, and is written back like that; whole numbers are
Python's and have no limit.
"""

import json
from collections.abc import Mapping
from typing import Any, Final, NoReturn

import msgspec

from processors.core.fastpath.findings import READ_ERRORS, RejectedError
from schemas.fastpath.codes import Code

MAX_DEPTH: Final = 64
"""Deepest packet taken; the vendor's go 6 deep. Fixed, since what Python's stack allows differs from run to run."""

_DECODER = msgspec.json.Decoder(float_hook=msgspec.Raw)
_SORTED = msgspec.json.Encoder(order="sorted")
_BOM: Final = b"\xef\xbb\xbf"
_ESCAPED_COLON: Final = b"\\u003"
"""How a colon (or one of its neighbours) looks when it is escaped; any such text takes the slow check."""


def read_object(value: bytes) -> dict[str, Any]:
    """Return the JSON object in ``value``; a byte order mark in front is passed over (RFC 8259 §8.1).

    Raises:
        RejectedError: It is none, or cannot be read without a guess.
    """
    value = value.removeprefix(_BOM)
    try:
        tree = _DECODER.decode(value)
        if type(tree) is not dict:
            raise RejectedError(Code.NOT_AN_OBJECT, f"JSON of type {type(tree).__name__}")
        if value.count(b"{") + value.count(b"[") > MAX_DEPTH:
            _check_depth(tree)
        # A reader keeps one of two equal keys, so written back the tree lacks a colon. That count is exact as long as
        # no colon of the text is escaped: every other colon stands in a string and comes back as it was.
        if _ESCAPED_COLON in value or value.count(b":") != canonical(tree).count(b":"):
            _check_keys(value)
    except READ_ERRORS as error:
        raise RejectedError(_why(value, error), str(error) or type(error).__name__) from error
    return tree


def canonical(tree: Any) -> bytes:
    """Return ``tree`` as JSON with sorted keys and no space; fractions keep their text."""
    return _SORTED.encode(tree)


def spelling(tree: Mapping[str, Any], name: str) -> str | None:
    """Return how ``tree`` spells the key ``name``: the vendor's tables print some in other cases (§6, §7)."""
    if name in tree:
        return name
    folded = name.casefold()
    for key in tree:
        if len(key) == len(name) and key.casefold() == folded:
            return key
    return None


def _check_depth(tree: dict[str, Any]) -> None:
    level: list[Any] = [tree]
    depth = 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise RejectedError(Code.TOO_DEEP, f"more than {MAX_DEPTH} deep")
        level = [
            child
            for node in level
            for child in (node.values() if type(node) is dict else node)
            if type(child) is dict or type(child) is list
        ]


def _check_keys(value: bytes) -> None:
    def note(pairs: list[tuple[str, Any]]) -> None:
        if len({key for key, _ in pairs}) != len(pairs):
            raise RejectedError(Code.DUPLICATE_KEY, "an object names a key twice")

    json.loads(value, object_pairs_hook=note, parse_int=str, parse_float=str)


def _why(value: bytes, error: Exception) -> Code:
    """Return what is wrong with bytes that could not be read: broken text, too deep, or no JSON."""
    if isinstance(error, RecursionError):
        return Code.TOO_DEEP
    try:
        json.loads(value.decode(), parse_constant=_no_constant, parse_int=str)
    except UnicodeDecodeError:
        return Code.BAD_UTF8
    except (ValueError, RecursionError):
        return Code.NOT_JSON
    # The standard library takes what ours does not: half a surrogate pair, numbers of thousands of digits.
    return Code.BAD_UTF8 if b"\\u" in value else Code.NOT_JSON


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
