"""Ids: the same one is text in one place and a number in another (fact sheet §12), so all of them are text here."""

from typing import Any, Final

MAX_ID: Final = 200
"""Longest id in characters: they go into keys, state and every record that follows."""
_MAX_CUSTOMER: Final = 20


def id_text(value: Any) -> str | None:
    """Return the id in ``value``, as :func:`processors.core.exact.read_object` gives it; ``None`` if it is none.

    Text stays as it is, spaces included; a whole number becomes its digits, whatever its size. A fraction is none, even
    ``123.0``, since nobody knows how many digits a float has cost; nor are text with control characters and booleans.
    """
    if type(value) is int:
        text = str(value) if 0 <= value < 10**MAX_ID else ""
    elif type(value) is str:
        text = value
    else:
        return None
    return text if 0 < len(text) <= MAX_ID and not _has_control(text) else None


def customer_text(value: Any) -> str | None:
    """Return the customer id in ``value``, digits only; ``None`` if it is none."""
    text = id_text(value)
    return text if text is not None and len(text) <= _MAX_CUSTOMER and text.isascii() and text.isdecimal() else None


def _has_control(text: str) -> bool:
    return not text.isprintable() and any(
        letter < " " or "\x7f" <= letter <= "\x9f" or "\ud800" <= letter <= "\udfff" for letter in text
    )
