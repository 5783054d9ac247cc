"""Take a packet apart into approvals: each argument is one, a list, or a JSON string of either (fact sheet §4)."""

from collections.abc import Sequence
from typing import Final, Literal

from processors.core.json_array import JSON_SPACE, split_array
from processors.core.rms.approvals.findings import Unreadable
from processors.core.socketio import read_string
from schemas.rms.codes import Code

SAID: Final[dict[str, Literal["accept", "reject"]]] = {
    "RESERVE_BET_ACCEPT": "accept",
    "RESERVE_BET_REJECT": "reject",
}
"""The two events; what they say comes from their names alone."""

MAX_PARTS: Final = 1_000
"""Most approvals of one packet; more are none of a trader's, and each would be a dead letter of its own."""
_MAX_LAYERS: Final = 4
"""Lists in strings in lists …; what is wrapped deeper is told as what it is, no object."""


def parts_of(arguments: Sequence[str]) -> list[bytes] | Unreadable:
    """Return the bytes of each approval in an event's ``arguments``, in order; each may be broken on its own."""
    parts: list[bytes] = []
    for argument in arguments:
        _unwrap(argument, argument.encode("utf-8", "surrogateescape"), parts, 0)
        if len(parts) > MAX_PARTS:
            return Unreadable(Code.TOO_MANY, f"more than {MAX_PARTS} arguments or elements")
    return parts or Unreadable(Code.BAD_PACKET, "the event has no argument")


def _unwrap(text: str, whole: bytes, parts: list[bytes], layer: int) -> None:
    bare = text.strip(JSON_SPACE)
    elements = split_array(bare) if bare.startswith("[") and bare.endswith("]") and layer < _MAX_LAYERS else []
    if elements:
        for element in elements[: MAX_PARTS + 1]:
            _unwrap(element, _encode(element), parts, layer + 1)
            if len(parts) > MAX_PARTS:
                return
        return
    held = read_string(bare) if bare.startswith('"') and layer < _MAX_LAYERS else None
    if held is not None and held.lstrip(JSON_SPACE).startswith(("{", "[", '"')):
        # Here a surrogate was written as an escape, or stands for a broken byte: either way it is refused.
        _unwrap(held, held.encode("utf-8", "surrogatepass"), parts, layer + 1)
        return
    parts.append(whole)


def _encode(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
