"""What is said on the approval socket, and what refusals mean (fact sheet §3, §5). Pure."""

import re
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

JOIN: Final = '420["join"]'
"""Text message that joins the rooms. Its acknowledgement has the number 0 however often it is sent on a connection."""

_ACKNOWLEDGED: Final = b"30["
_EVENT: Final = re.compile(rb'2[0-9]*\["RESERVE_BET_')

Why = Literal[
    "bad-customer",
    "unauthorised",
    "account-inactive",
    "unknown-customer",
    "rights-withdrawn",
    "too-many-requests",
    "server-error",
    "forbidden",
    "refused",
]
"""Why a connection is not to be had: ``forbidden``: by a gateway in front of the vendor's service, which may know
nothing of customers; ``refused``: nobody said why."""

_WHY_BY_STATUS: Final[dict[int, Why]] = {
    400: "bad-customer",
    401: "unauthorised",
    402: "account-inactive",
    403: "unknown-customer",
    429: "too-many-requests",
}
_WHY_BY_CODE: Final[dict[int, Why]] = {4401: "unauthorised", 4403: "rights-withdrawn"}
_OF_CUSTOMERS: Final = frozenset[Why]({"bad-customer", "unknown-customer"})
_CLIENT_ERROR, _SERVER_ERROR = 400, 500
_STATUS_OF_CODE: Final = 4000  # 4401 is to a close code what 401 is to an HTTP status


@dataclass(frozen=True, slots=True)
class Refusal:
    """A connection was refused.

    Attributes:
        why: In a word.
        status: HTTP status or ``statusCode``; 0 when none was told.
        text: What the vendor said, as it said it.
    """

    why: Why
    status: int
    text: str


class _ConnectError(msgspec.Struct):
    message: object = ""
    data: object = None


def is_joined(payload: bytes) -> bool:
    """Return whether a Socket.IO packet shows that we are in the rooms: ``join`` acknowledged, or an approval."""
    return payload.startswith(_ACKNOWLEDGED) or _EVENT.match(payload) is not None


def refused_upgrade(status: int, text: str) -> Refusal:
    """Return what an HTTP status in place of the upgrade means."""
    why = _why(status)
    # The documented refusals that end us ride on connect_error; before it, it is some gateway's opinion.
    return Refusal("forbidden" if why in _OF_CUSTOMERS else why, status, text)


def refused_connect(packet: bytes) -> Refusal:
    """Return what a packet means that answered the connect and did not accept it, ``4{…}`` mostly."""
    try:
        error = msgspec.json.decode(packet[1:], type=_ConnectError)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Refusal(_why(0), 0, packet[1:].decode("utf-8", "replace"))
    status = _status(error.data.get("statusCode")) if isinstance(error.data, dict) else 0
    return Refusal(_why(status), status, str(error.message))


def refused_close(code: int, reason: str) -> Refusal | None:
    """Return what the close code of a connection means as a refusal; ``None``: it is none."""
    why = _WHY_BY_CODE.get(code)
    return None if why is None else Refusal(why, code - _STATUS_OF_CODE, reason)


def _why(status: int) -> Why:
    known = _WHY_BY_STATUS.get(status)
    if known is not None:
        return known
    if status >= _SERVER_ERROR:
        return "server-error"
    return "forbidden" if status >= _CLIENT_ERROR else "refused"


def _status(value: object) -> int:
    if isinstance(value, str) and re.fullmatch("[0-9]{3}", value):
        value = int(value)
    return value if isinstance(value, int) and _CLIENT_ERROR <= value < 600 else 0
