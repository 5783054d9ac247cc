"""Read JSON so that nothing in it is guessed: no rounded number, no key of which only one value is kept.

A fraction stands in the tree as ``msgspec.Raw``, its text as sent, and is written back like that; whole numbers are
Python's and have no limit.
"""

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, NoReturn

import msgspec

MAX_DEPTH: Final = 64
"""Deepest text taken; vendors' go 6 deep. Fixed, since what Python's stack allows differs from run to run."""

READ_ERRORS: Final = (msgspec.DecodeError, UnicodeError, RecursionError, ValueError)
"""What msgspec and json raise on bytes that are not what they should be."""


class Flaw(StrEnum):
    """What is wrong with a text; the last word of each feed's dead-letter code for it."""

    NOT_JSON = "not-json"
    BAD_UTF8 = "bad-utf8"
    TOO_DEEP = "too-deep"
    DUPLICATE_KEY = "duplicate-key"
    NOT_AN_OBJECT = "not-an-object"


class FlawedError(Exception):
    """A text that is no object, or cannot be read without a guess."""

    def __init__(self, flaw: Flaw, detail: str) -> None:
        super().__init__(flaw, detail)
        self.flaw = flaw
        self.detail = detail


_DECODER = msgspec.json.Decoder(float_hook=msgspec.Raw)
_ENCODER = msgspec.json.Encoder()
_SORTED = msgspec.json.Encoder(order="sorted")
_BOM: Final = b"\xef\xbb\xbf"
_ESCAPED_COLON: Final = b"\\u003"
"""How a colon (or one of its neighbours) looks when it is escaped; any such text takes the slow check."""


def read_object(value: bytes) -> dict[str, Any]:
    """Return the JSON object in ``value``; a byte order mark in front is passed over (RFC 8259 §8.1).

    Raises:
        FlawedError: It is none, or cannot be read without a guess.
    """
    value = value.removeprefix(_BOM)
    try:
        tree = _DECODER.decode(value)
        if type(tree) is not dict:
            raise FlawedError(Flaw.NOT_AN_OBJECT, f"JSON of type {type(tree).__name__}")
        if value.count(b"{") + value.count(b"[") > MAX_DEPTH:
            _check_depth(tree)
        # A reader keeps one of two equal keys, so written back the tree lacks a colon. That count is exact as long as
        # no colon of the text is escaped: every other colon stands in a string and comes back as it was.
        written = _ENCODER.encode(tree)
        if written != value and (_ESCAPED_COLON in value or value.count(b":") != written.count(b":")):
            _check_keys(value)
    except READ_ERRORS as error:
        raise FlawedError(_why(value, error), str(error) or type(error).__name__) from error
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
            raise FlawedError(Flaw.TOO_DEEP, f"more than {MAX_DEPTH} deep")
        level = [
            child
            for node in level
            for child in (node.values() if type(node) is dict else node)
            if type(child) is dict or type(child) is list
        ]


def _check_keys(value: bytes) -> None:
    def note(pairs: list[tuple[str, Any]]) -> None:
        if len({key for key, _ in pairs}) != len(pairs):
            raise FlawedError(Flaw.DUPLICATE_KEY, "an object names a key twice")

    json.loads(value, object_pairs_hook=note, parse_int=str, parse_float=str)


def _why(value: bytes, error: Exception) -> Flaw:
    """Return what is wrong with bytes that could not be read: broken text, too deep, or no JSON."""
    if isinstance(error, RecursionError):
        return Flaw.TOO_DEEP
    try:
        json.loads(value.decode(), parse_constant=_no_constant, parse_int=str)
    except UnicodeDecodeError:
        return Flaw.BAD_UTF8
    except (ValueError, RecursionError):
        return Flaw.NOT_JSON
    # The standard library takes what ours does not: half a surrogate pair, numbers of thousands of digits.
    return Flaw.BAD_UTF8 if b"\\u" in value else Flaw.NOT_JSON


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
