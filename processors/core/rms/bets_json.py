"""The JSON of a bet record, read without a guess: no rounded number, no key of which only one value is kept."""

import json
from collections.abc import Sequence
from typing import Any, Final, NoReturn

from processors.core.rms.bets_fields import Fraction, Whole
from schemas.rms.codes import Code

MAX_DEPTH: Final = 32
"""Deepest record taken; a bet is 3 deep. Fixed, since what Python's stack allows differs from run to run."""

_BOM: Final = b"\xef\xbb\xbf"


class RejectedError(Exception):
    """A record becomes a dead letter: the code and, for people, what was wrong; leaves a deep place."""

    def __init__(self, code: Code, detail: str) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail


def read_object(value: bytes) -> dict[str, Any]:
    """Return the JSON object in ``value``; its numbers are ``Whole`` and ``Fraction``.

    Raises:
        RejectedError: It is none, or cannot be read without a guess.
    """
    try:
        tree = json.loads(
            value.removeprefix(_BOM).decode(),
            parse_int=Whole,
            parse_float=Fraction,
            parse_constant=_no_constant,
            object_pairs_hook=_object,
        )
    except RecursionError as error:
        raise RejectedError(Code.TOO_DEEP, f"more than {MAX_DEPTH} deep") from error
    except ValueError as error:
        raise RejectedError(Code.NOT_JSON, str(error)) from error
    if type(tree) is not dict:
        raise RejectedError(Code.NOT_AN_OBJECT, f"JSON of type {type(tree).__name__}")
    if value.count(b"{") + value.count(b"[") > MAX_DEPTH:
        _check_depth(tree)
    return tree


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    tree = dict(pairs)
    if len(tree) != len(pairs):
        raise RejectedError(Code.DUPLICATE_KEY, "an object names a key twice")
    return tree


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _check_depth(tree: dict[str, Any]) -> None:
    level: list[Any] = [tree]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for node in level
            for child in (node.values() if type(node) is dict else node)
            if type(child) in (dict, list)
        ]
    if level:
        raise RejectedError(Code.TOO_DEEP, f"more than {MAX_DEPTH} deep")
