"""Words of a server in logs and records: for people, and without anything that is to stay ours. Pure."""

import json
from collections.abc import Iterable
from typing import Final

_LOOKED_AT: Final = 4096
_LONGEST: Final = 200
_TELLING: Final = 12
"""So much of the beginning of a secret is not there by chance: servers cut what they repeat."""
_LONG: Final = 16
"""Shorter secrets may well be words of what is recorded."""


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """Return ``text`` without ``secrets``, should the server repeat them, in one line, and short."""
    forms = _written(secrets)
    for form in forms:
        text = text.replace(form, "***")  # before anything is cut: a part of it is too much, too
    text = text[:_LOOKED_AT]
    for form in forms:
        while len(form) > _TELLING and (at := text.find(form[:_TELLING])) >= 0:
            text = f"{text[:at]}***{text[at + _common(form, text[at:]) :]}"
    text = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(text.split())[:_LONGEST]


def masked(payload: bytes, secrets: Iterable[str]) -> bytes:
    """Return ``payload`` with ``secrets`` blotted out, should the server repeat them; otherwise every byte stays."""
    for form in _written(secret for secret in secrets if len(secret) >= _LONG):
        written = form.encode()
        if written in payload:
            payload = payload.replace(written, b"*" * len(written))
    return payload


def _written(secrets: Iterable[str]) -> list[str]:
    """Return the forms that secrets are written in, longest first: one may hold another."""
    forms = {form for secret in secrets if secret for form in (secret, json.dumps(secret)[1:-1])}
    return sorted(forms, key=len, reverse=True)


def _common(one: str, other: str) -> int:
    """Return the length of what both begin with."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
