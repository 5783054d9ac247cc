"""Who is let in: the auth frame, and in what words a client is refused (fact sheet §2)."""

import hmac
from typing import Final, Literal

import orjson

Refusal = Literal["http", "json", "close", "error"]

ACCEPTED: Final = orjson.dumps({"message": "Authorisation accepted", "level": "INFO"})
INVALID: Final = "The supplied authentication is invalid"
MALFORMED: Final = "Authentication message had incorrect format"
NO_ACCEPT: Final = "Request is missing required HTTP header 'Accept'"


def why_refused(frame: bytes | str, token: str) -> str | None:
    """Return why the first frame of a client does not let it in; ``None`` when it does."""
    try:
        asked = orjson.loads(frame)
    except orjson.JSONDecodeError:
        return MALFORMED
    sent = asked.get("authToken") if isinstance(asked, dict) else None
    if not isinstance(sent, str):
        return MALFORMED
    return None if hmac.compare_digest(sent.encode(), token.encode()) else INVALID


def refusal(style: Refusal, why: str) -> bytes | None:
    """Return the message that goes before close 1008; ``None`` when nothing is said."""
    match style:
        case "close":
            return None
        case "error":
            return orjson.dumps({"message": why, "level": "ERROR"})
        case "json" | "http":  # on an open socket it is too late for a status
            return orjson.dumps({"error": why, "status": 401})


def no_fixture(path: str) -> bytes:
    """Return what is said on a socket that stays open though its fixture does not exist."""
    return orjson.dumps({"message": f"Could not find fixture topic {path}", "level": "WARN"})
