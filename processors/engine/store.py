"""The state store of one stream task: bytes to bytes, in memory, journalled for the changelog."""

from collections.abc import Iterator

from schemas.errors import ContractError
from schemas.topics import RAW_MESSAGE_BYTES

MAX_VALUE_BYTES = RAW_MESSAGE_BYTES - 64 * 1024
"""What fits into a changelog record beside its key and framing."""


class MemoryStore:
    """A dict that can take back the writes of one record and tells the writes of one cycle.

    The changelog is the store's truth; this is a cache of it, so a write counts only once the cycle committed.
    """

    __slots__ = ("_changed", "_entries", "_undo")

    def __init__(self) -> None:
        self._entries: dict[bytes, bytes] = {}
        self._changed: dict[bytes, bytes | None] = {}
        self._undo: list[tuple[bytes, bytes | None]] = []

    def __len__(self) -> int:
        return len(self._entries)

    # What a processor may do.

    def get(self, key: bytes) -> bytes | None:
        """Return the value of ``key`` or ``None``."""
        return self._entries.get(key)

    def put(self, key: bytes, value: bytes) -> None:
        """Set ``key``.

        Raises:
            ContractError: The value is larger than a changelog record may be.
        """
        if len(value) > MAX_VALUE_BYTES:
            raise ContractError(f"state value of {len(value)} bytes is larger than a changelog takes")
        self._undo.append((key, self._entries.get(key)))
        self._entries[key] = value
        self._changed[key] = value

    def delete(self, key: bytes) -> None:
        """Remove ``key``; removing what is not there writes nothing."""
        old = self._entries.pop(key, None)
        if old is not None:
            self._undo.append((key, old))
            self._changed[key] = None

    def items(self, prefix: bytes = b"") -> Iterator[tuple[bytes, bytes]]:
        """Yield entries by key prefix; walks the whole store."""
        for key, value in self._entries.items():
            if key.startswith(prefix):
                yield key, value

    # What the engine does.

    def keep(self) -> None:
        """Accept the writes since the last ``keep`` or ``rollback``: the record is done."""
        self._undo.clear()

    def rollback(self) -> None:
        """Take back the writes since the last ``keep``: the record failed."""
        for key, old in reversed(self._undo):
            if old is None:
                self._entries.pop(key, None)
            else:
                self._entries[key] = old
            self._changed[key] = old
        self._undo.clear()

    def take_changes(self) -> dict[bytes, bytes | None]:
        """Return what the cycle changed, last value per key (``None`` deletes), and forget it."""
        changed, self._changed = self._changed, {}
        return changed

    def restore(self, key: bytes, value: bytes | None) -> None:
        """Apply one changelog record; nothing is journalled."""
        if value is None:
            self._entries.pop(key, None)
        else:
            self._entries[key] = value

    def clear(self) -> None:
        """Forget everything, for a restore from the changelog's beginning."""
        self._entries.clear()
        self._changed.clear()
        self._undo.clear()
