"""What a processor wrote, from a replay or read from Kafka: what it is, and which source record it came from."""

import hashlib
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

from schemas.raw import Header
from schemas.replay import Position

VERSION_HEADER = "tc-version"
"""Of a dead letter: the code that wrote it. It differs by intention when a newer version processes again."""
_POSITIONS = ("ce_replayed", "tc-replay-request", "ce_id", "tc-source")
"""Headers that may name a source position, the closest to what was processed first."""
_NO_TYPE = "no type"


@dataclass(frozen=True, kw_only=True)
class Written:
    """A record of an output topic.

    Attributes:
        topic: Its registry name.
        partition: Where it is, or where its key takes it.
        timestamp: Milliseconds; a processor gives its records that of their source record.
    """

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[Header]
    timestamp: int

    @cached_property
    def _texts(self) -> dict[str, str]:
        return {name: (value or b"").decode(errors="replace") for name, value in self.headers}

    @cached_property
    def kind(self) -> str:
        """Message type, for people and for counting."""
        texts = self._texts
        for name in ("ce_type", "tc-code"):
            if name in texts:
                return texts[name]
        if self.value is None:
            return "tombstone"
        try:
            message = json.loads(self.value)
        except (ValueError, RecursionError):
            return _NO_TYPE
        return str(message.get("type", _NO_TYPE)) if isinstance(message, dict) else _NO_TYPE

    @cached_property
    def source(self) -> Position | None:
        """The source record that its headers name, if they do.

        Not named by: internal messages and tombstones, which carry no headers; what a hole caused (it has no record).
        """
        for name in _POSITIONS:
            with suppress(ValueError):
                return Position.read(self._texts.get(name, "")).record
        return None

    @cached_property
    def identity(self) -> bytes:
        """What makes a replayed and a real record the same one: its id where it has one, else all of it."""
        texts = self._texts
        named = [
            f"{name}={texts[name]}"
            for name in ("ce_id", "ce_replayed", "tc-source", "tc-replay-request")
            if name in texts
        ]
        return _hash("|".join(named).encode(), b"") if named else self.digest

    @cached_property
    def digest(self) -> bytes:
        """Of everything that has to be equal, byte for byte."""
        parts = [b"-" if self.key is None else b"+" + self.key, b"-" if self.value is None else b"+" + self.value]
        for name, value in self.headers:
            if name != VERSION_HEADER:
                parts += [name.encode(), value or b""]
        return _hash(*parts, b"%d %d" % (self.partition, self.timestamp))


def _hash(*parts: bytes) -> bytes:
    hashed = hashlib.blake2b(digest_size=12)
    for part in parts:
        hashed.update(b"%d:" % len(part))
        hashed.update(part)
    return hashed.digest()
