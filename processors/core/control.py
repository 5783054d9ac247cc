"""What the control records of connectors have in common, whatever the feed."""

from collections.abc import Mapping
from typing import Annotated, Generic, TypeVar

import msgspec
from msgspec import Meta

Natural = Annotated[int, Meta(ge=0, le=2**63 - 1)]

Control = TypeVar("Control")


class Overflow(msgspec.Struct, frozen=True):
    """The connector had no room for some frames."""

    lost: Natural
    first_frame: Natural | None = None
    last_frame: Natural | None = None


class ControlReader(Generic[Control]):
    """Reads the control records of a feed.

    Args:
        models: What each kind of them says, by ``tc-kind``.
    """

    def __init__(self, models: Mapping[str, type[Control]]) -> None:
        self._decoders = {kind: msgspec.json.Decoder(model) for kind, model in models.items()}
        self.kinds = frozenset(models)

    def read(self, kind: str, value: bytes) -> Control | str:
        """Return what a record of ``kind``, one of :attr:`kinds`, says, or why it cannot be read."""
        try:
            return self._decoders[kind].decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return f"{kind}: {error}"
