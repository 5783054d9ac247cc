"""Words of a server in logs and records: for people, and without anything that is to stay ours. Pure."""

import json
from collections.abc import Iterable
from typing import Final

_LOOKED_AT: Final = 4096
_LONGEST: Final = 200


def without_secrets(text: str, secrets: Iterable[str]) -> str:
    """Return ``text`` without ``secrets``, should the server repeat them, in one line, and short."""
    written = {form for secret in secrets if secret for form in (secret, json.dumps(secret)[1:-1])}
    for form in sorted(written, key=len, reverse=True):  # one may hold another
        text = text.replace(form, "***")  # before anything is cut: a part of it is too much, too
    text = "".join(character if character.isprintable() else " " for character in text[:_LOOKED_AT])
    return " ".join(text.split())[:_LONGEST]
