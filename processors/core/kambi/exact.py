"""Read JSON so that nothing in it is guessed: no rounded number, no key of which only one value is kept."""

import json
from typing import Any

import msgspec
import orjson

from processors.core.kambi.findings import READ_ERRORS, InexactError, RejectedError
from schemas.kambi.codes import Code

_EXACT_FLOAT = 2.0**53
"""From here on a float has no room for every integer, so an id written as one may be another id."""


def _exact_float(text: str) -> float:
    number = float(text)
    if abs(number) >= _EXACT_FLOAT:
        raise InexactError(text[:40])
    return number


_PLAIN = msgspec.json.Decoder(float_hook=_exact_float)
_ENCODER = msgspec.json.Encoder()
_ESCAPED_COLON = "\\u003"
"""How a colon (or one of its neighbours) looks when it is escaped; any such text takes the slow check."""


def read_tree(text: str) -> Any:
    """Return what the JSON ``text`` says.

    Raises:
        READ_ERRORS: It is no JSON, is nested too deeply, or has a number that cannot be held exactly.
    """
    return _PLAIN.decode(text)


def is_plain(text: str) -> bool:
    """Tell whether a typed read of ``text`` misses nothing; if not, a closer look may still find no harm.

    Raises:
        READ_ERRORS: As ``read_tree``.
    """
    written = _write(_PLAIN.decode(text))
    # What comes back as it was lacks nothing, and most does: vendors write no space, and few fractions.
    return written == text.encode() or (_ESCAPED_COLON not in text and written.count(b":") == text.count(":"))


def read_object(part: bytes) -> dict[str, Any]:
    """Return the JSON object in ``part``.

    Raises:
        RejectedError: It is none, or cannot be read without a guess.
    """
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
        raise RejectedError(Code.NOT_AN_OBJECT, f"a part of type {type(tree).__name__}")
    if twice:
        raise RejectedError(Code.DUPLICATE_KEY, "an object names a key twice")
    return tree


def _names_a_key_twice(text: str, tree: Any) -> bool:
    """Tell whether any object in ``text``, read as ``tree``, has a key twice.

    A reader keeps one of two equal keys, so written back the tree lacks a colon. That count is exact as long as no
    colon of the text is escaped: every other colon stands in a string and comes back as it was.
    """
    if _ESCAPED_COLON not in text:
        return text.count(":") != _write(tree).count(b":")
    twice = False

    def note(pairs: list[tuple[str, Any]]) -> None:
        nonlocal twice
        twice = twice or len({key for key, _ in pairs}) != len(pairs)

    json.loads(text, object_pairs_hook=note, parse_int=str, parse_float=str)
    return twice


def _write(tree: Any) -> bytes:
    try:
        return orjson.dumps(tree)  # half the time of msgspec's encoder, and this runs for every message
    except TypeError:  # an integer of more than 64 bits, or nested more than 254 deep
        return _ENCODER.encode(tree)
