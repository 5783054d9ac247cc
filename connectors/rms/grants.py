"""What the authentication answered. Pure.

Names come in two spellings: the vendor prints camelCase, its identity product snake_case for the call that refreshes
(fact sheet §2.2); both are read from either. ``expires`` is not read at all: ages are measured from ``expiresIn``.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

LIFE_S: Final = 600.0
"""How long an access token counts as good when the answer does not say: a third of what is documented."""
_LONGEST_LIFE_S: Final = 86_400.0
_LONGEST_TOKEN: Final = 16 * 1024
"""More than servers take in a header line."""

_MOST_DIGITS: Final = 9

_OK: Final = range(200, 300)
_CLIENT_ERRORS: Final = range(400, 500)
_TOO_MANY: Final = 429
_OF_THE_MOMENT: Final = frozenset({408, 425})


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A new access token.

    Attributes:
        access: The token; shown nowhere.
        refresh: What the next one can be had for; ``None``: the answer had none, so the next one is exchanged for.
        life_s: How long the access token holds.
        is_told: Whether the answer said so.
    """

    access: str = field(repr=False)
    refresh: str | None = field(repr=False)
    life_s: float
    is_told: bool


@dataclass(frozen=True, slots=True)
class Denied:
    """A client error: what was sent is not accepted."""

    status: int


@dataclass(frozen=True, slots=True)
class Limited:
    """429; ``retry_after_s`` is 0 when the server named no time."""

    retry_after_s: float


@dataclass(frozen=True, slots=True)
class Failed:
    """No token, for a reason that may pass; ``reason`` says nothing of what was sent or answered beyond its form."""

    reason: str


Answer = Grant | Denied | Limited | Failed


def read_answer(status: int, body: bytes, *, retry_after_s: float) -> Answer:
    """Return what an answer of either call means; nothing of ``body`` is shown but the tokens in it."""
    if status == _TOO_MANY:
        return Limited(retry_after_s)
    if status in _CLIENT_ERRORS and status not in _OF_THE_MOMENT:
        return Denied(status)
    return _read_body(body) if status in _OK else Failed(f"status-{status}")


def _read_body(body: bytes) -> Grant | Failed:
    try:
        fields = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Failed("html" if body.lstrip()[:1] == b"<" else "not-json")
    if not isinstance(fields, dict):
        return Failed("not-an-object")
    access = _token(fields, "accessToken", "access_token")
    if access is None:
        return Failed("no-access-token")
    life_s = _seconds(_either(fields, "expiresIn", "expires_in"))
    return Grant(
        access=access,
        refresh=_token(fields, "refreshToken", "refresh_token"),
        life_s=LIFE_S if life_s is None else life_s,
        is_told=life_s is not None,
    )


def _token(fields: dict[str, Any], *names: str) -> str | None:
    """Return a token that a header and a JSON text can carry."""
    text = _either(fields, *names)
    usable = isinstance(text, str) and 0 < len(text) <= _LONGEST_TOKEN and text.isascii() and text.isprintable()
    return text if usable and " " not in text else None


def _either(fields: dict[str, Any], *names: str) -> Any:
    return next((value for name in names if (value := fields.get(name)) is not None), None)


def _seconds(said: Any) -> float | None:
    """Return a time above 0 that is a number, or digits as text; ``None`` for everything else."""
    if isinstance(said, str) and said.isascii() and said.isdecimal() and len(said) <= _MOST_DIGITS:
        said = int(said)
    if isinstance(said, bool) or not isinstance(said, int | float) or not said > 0:
        return None
    return float(min(said, _LONGEST_LIFE_S))
