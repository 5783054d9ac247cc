"""What a FastPath message means for liveness and resuming. Pure; rubbish means nothing, and is never an error.

Everything else about messages is the processor's work: here a few fields are looked at, and nothing is judged.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec

from connectors.shown import without_secrets

ACCEPT: Final = "application/vnd.imggaming.dde.api+json;version=1"
"""The header without which the server refuses the handshake (fact sheet §2)."""

POLICY_VIOLATION: Final = 1008
MESSAGE_TOO_BIG: Final = 1009
_UNKNOWN_FIXTURE: Final = 4404
_REDIRECT, _TOO_MANY, _SERVER_ERROR = 300, 429, 500

_LARGEST: Final = 2**63 - 1
# The documented texts, and what else a server would say of a token; only looked for in what names itself an error.
_AUTH = re.compile(r"auth|token|credential|denied|forbidden|licen[cs]e|permission", re.IGNORECASE)
_UNKNOWN = re.compile(r"could not find|not found|unknown fixture", re.IGNORECASE)
# Texts that mean a refused token wherever the server puts them.
_REFUSED_TOKEN = re.compile(
    r"authentication (is invalid|message had incorrect format)|could not be authenticated|\bunauthori[sz]ed\b",
    re.IGNORECASE,
)
_REFUSING_CODES: Final = frozenset({POLICY_VIOLATION, 3000, 3003, 4401, 4403})  # IANA's two, and HTTP's as servers do
_REFUSING_STATUSES: Final = frozenset({401, 403})
_ERROR_LEVELS: Final = frozenset({"ERROR", "FATAL", "CRITICAL"})
_LONGEST_PLAIN_TEXT: Final = 1024
"""A message that is no JSON object is looked through for a refusal up to this size."""

Why = Literal["unauthorised", "not-started", "unknown-fixture", "bad-request", "too-many-requests", "unavailable"]

_STATUSES: Final[dict[int, Why]] = {
    204: "not-started",
    401: "unauthorised",
    403: "unauthorised",
    404: "unknown-fixture",
    407: "unauthorised",
    408: "unavailable",  # this and the next are of the moment, not of what was asked for
    410: "unknown-fixture",
    425: "unavailable",
    429: "too-many-requests",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A packet that counts as an event of its feed.

    Attributes:
        stream: Whose numbers these are: of actions or of another packet, of which fixture.
        number: As sent.
        finished: What the packet says of its fixture; ``None``: nothing.
    """

    stream: tuple[str, str]
    number: int
    finished: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The server does not give this feed: ``text`` is what it said."""

    why: Why
    text: str


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Sent to those only whose token was accepted."""


@dataclass(frozen=True, slots=True)
class Other:
    """A status, an acknowledgement, rubbish: the socket lives, no more."""


Said = Event | Refusal | Heartbeat | Other
_HEARTBEAT: Final = Heartbeat()
_OTHER: Final = Other()


class _Action(msgspec.Struct):
    fixtureId: Any = None  # noqa: N815 - the vendor's names
    fixtureSeqNum: Any = None  # noqa: N815


class _Packet(msgspec.Struct):
    fixtureAction: msgspec.Raw = msgspec.Raw()  # noqa: N815
    fixtureId: Any = None  # noqa: N815
    seqNum: Any = None  # noqa: N815
    SeqNum: Any = None  # as one table of the vendor spells it
    finished: Any = None
    message: Any = None
    level: Any = None
    eventElementType: Any = None  # noqa: N815
    eventelementType: Any = None  # noqa: N815 - as golf's table prints it
    dataType: Any = None  # noqa: N815 - of the multiplexer
    errorMessage: Any = None  # noqa: N815
    error: Any = None
    status: Any = None
    statusCode: Any = None  # noqa: N815 - as gateways name it


_PACKETS = msgspec.json.Decoder(_Packet)
_ACTIONS = msgspec.json.Decoder(_Action)


def auth_frame(token: str) -> str:
    """Return the client's first and only message."""
    return json.dumps({"authToken": token})


def url_of(stream_url: str, path: str, position: int | None) -> str:
    """Return the URL of a feed; a query that it has stays."""
    if position is None:
        return f"{stream_url}/{path}"
    return f"{stream_url}/{path}{'&' if '?' in path else '?'}startPosition={position}"


def shown(text: str, token: str) -> str:
    """Return ``text`` of the server for people: without the token, should it repeat it, in one line, and short."""
    return without_secrets(text, (token,))


def read(payload: bytes) -> Said:
    """Return what ``payload`` means."""
    try:
        packet = _PACKETS.decode(payload)
        action = _ACTIONS.decode(packet.fixtureAction) if packet.fixtureAction else None
    except (msgspec.DecodeError, ValueError, RecursionError):
        return _plain(payload)
    if action is not None:
        return _event(("action", _name(action.fixtureId)), action.fixtureSeqNum, packet.finished)
    if packet.seqNum is not None or packet.SeqNum is not None:
        number = packet.SeqNum if packet.seqNum is None else packet.seqNum
        return _event(("packet", _name(packet.fixtureId)), number, packet.finished)
    return _control(packet)


def refused_status(status: int, text: str = "") -> Why:
    """Return why a handshake was answered with HTTP ``status`` and ``text`` in place of the upgrade."""
    if status < _SERVER_ERROR and status != _TOO_MANY and _REFUSED_TOKEN.search(text):
        return "unauthorised"
    return _STATUSES.get(status, "bad-request" if _REDIRECT <= status < _SERVER_ERROR else "unavailable")


def refused_close(code: int, reason: str, *, heard: bool) -> Why | None:
    """Return why the server refused the feed by closing, ``None`` when it merely closed.

    Args:
        code: Close code.
        reason: Close reason.
        heard: Whether an event or heartbeat came before: then the token was accepted, and 1008 says something else.
    """
    if not heard and code in _REFUSING_CODES:
        return "unknown-fixture" if _UNKNOWN.search(reason) else "unauthorised"
    if not heard and _REFUSED_TOKEN.search(reason):
        return "unauthorised"
    return "unknown-fixture" if code == _UNKNOWN_FIXTURE else None


def _event(stream: tuple[str, str], said: Any, finished: Any) -> Said:
    number = _number(said)
    if number is None:
        return _OTHER
    return Event(stream=stream, number=number, finished=finished if isinstance(finished, bool) else None)


def _control(packet: _Packet) -> Said:
    if _is_heartbeat(packet):
        return _HEARTBEAT
    level = packet.level.upper() if isinstance(packet.level, str) else ""
    inner = packet.error if isinstance(packet.error, dict) else {}
    texts = (packet.message, packet.errorMessage, packet.error, inner.get("message"))
    text = next((text for text in texts if isinstance(text, str) and text), None)
    numbers = (packet.status, packet.statusCode, inner.get("code"), inner.get("status"))
    status = next((number for number in map(_number, numbers) if number is not None), None)
    if text is None or level == "INFO" or packet.eventElementType or packet.dataType:
        return _OTHER
    if status in _REFUSING_STATUSES or _REFUSED_TOKEN.search(text):
        return Refusal(why="unauthorised", text=text)
    if level in _ERROR_LEVELS or level in {"WARN", "WARNING"}:
        return _refusal(text, error=level in _ERROR_LEVELS)
    if text == packet.errorMessage or (text == packet.error and status is not None):
        return _refusal(text, error=True)
    return _OTHER


def _plain(payload: bytes) -> Said:
    text = payload[:_LONGEST_PLAIN_TEXT].decode("utf-8", "replace") if len(payload) <= _LONGEST_PLAIN_TEXT else ""
    return Refusal(why="unauthorised", text=text) if _REFUSED_TOKEN.search(text) else _OTHER


def _is_heartbeat(packet: _Packet) -> bool:
    """Return whether it is a heartbeat in one of the documented shapes (fact sheet §6)."""
    kind = packet.eventElementType or packet.eventelementType
    return (
        (isinstance(kind, str) and kind.lower() == "heartbeat")
        or packet.dataType == "heartbeats"
        or (isinstance(packet.message, str) and packet.message.startswith("Heartbeat"))
    )


def _refusal(text: str, *, error: bool) -> Said:
    if _UNKNOWN.search(text):
        return Refusal(why="unknown-fixture", text=text)
    if error and _AUTH.search(text):
        return Refusal(why="unauthorised", text=text)
    return _OTHER


def _name(fixture: Any) -> str:
    return fixture if isinstance(fixture, str) else ""


def _number(said: Any) -> int | None:
    """Return the number, as a bare integer, as digits or as a fraction of zero; ``None`` for everything else."""
    digits = isinstance(said, str) and said.isascii() and said.isdecimal() and len(said) <= 19
    if digits or (isinstance(said, float) and said.is_integer()):
        said = int(said)
    if isinstance(said, int) and not isinstance(said, bool) and 0 <= said <= _LARGEST:
        return said
    return None
