"""Read the answer to a look-up: what bet/detail says of a bet that was asked for."""

from typing import Any, Final
from urllib.parse import parse_qs

import msgspec

from processors.core.exact import FlawedError, read_object
from processors.core.rms.approvals.findings import Unreadable
from processors.core.rms.ids import id_text
from schemas.rms.codes import Code
from schemas.rms.fields import Said

_PATH: Final = "bet/detail"
_FOUND: Final = 200
_SAID: Final[dict[str, Said]] = {
    "accepted": "accept",
    "approved": "accept",
    "accept": "accept",
    "rejected": "reject",
    "declined": "reject",
    "reject": "reject",
    "cancelled": "reject",
    "canceled": "reject",
}
_WAITING: Final = frozenset({"reserve", "reserved", "referred", "referral", "pending", "waiting", "open", "new"})
"""Nobody has decided. The vendor documents no word for it, and another may well mean a decision: won, void."""
_STATUS_DIGITS: Final = 3
_NS_DIGITS: Final = 19


class Answer(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The answer.

    Attributes:
        slip: Bet slip id that was asked for.
        code: Bet code that was asked for.
        said: ``None``: nobody has decided, or the answer is an error (``status``).
        status: HTTP status.
        requested_ns: The answer says nothing of what came after this, UTC ns.
    """

    slip: str
    code: str
    said: Said | None
    status: int
    requested_ns: int


def read_answer(value: bytes, headers: dict[str, bytes], received_ns: int) -> Answer | Unreadable:
    """Return what a snapshot says that came at ``received_ns``: nothing of what came after it."""
    try:
        asked = _asked(headers["tc-position"].decode())
        status, requested = headers["tc-status"], headers["tc-requested-ns"]
        if not (_is_number(status, _STATUS_DIGITS) and _is_number(requested, _NS_DIGITS)):
            raise ValueError(f"tc-status {status[:40]!r}, tc-requested-ns {requested[:40]!r}")
    except (AttributeError, KeyError, ValueError) as error:
        return Unreadable(Code.BAD_HEADERS, f"{type(error).__name__}: {error}"[:200])
    slip, code = asked
    answer = Answer(slip=slip, code=code, said=None, status=int(status), requested_ns=min(int(requested), received_ns))
    return _detail(value, answer) if answer.status == _FOUND else answer


def _is_number(text: bytes, most_digits: int) -> bool:
    return text.isdigit() and len(text) <= most_digits


def _asked(position: str) -> tuple[str, str]:
    path, _, query = position.partition("?")
    named = parse_qs(query, keep_blank_values=True, errors="strict", max_num_fields=8)
    if path != _PATH or sorted(named) != ["code", "slip"] or len(named["code"]) + len(named["slip"]) != 2:
        raise ValueError(f"tc-position {position[:80]!r}")
    slip, code = id_text(named["slip"][0]), id_text(named["code"][0])
    if slip is None or code is None:
        raise ValueError(f"tc-position {position[:80]!r}")
    return slip, code


def _detail(value: bytes, answer: Answer) -> Answer | Unreadable:
    try:
        tree = read_object(value)
    except FlawedError as error:
        return Unreadable(Code.LOOKUP_FAILED, f"{error.flaw}: {error.detail}"[:200])
    detail = tree.get("data")
    if tree.get("success", True) is not True or type(detail) is not dict:
        return Unreadable(Code.LOOKUP_FAILED, f"success {_shown(tree.get('success'))}, data of {type(detail).__name__}")
    if id_text(detail.get("code")) != answer.code:
        return Unreadable(Code.LOOKUP_MISMATCH, f"asked for another code than {_shown(detail.get('code'))}")
    return _standing(detail.get("status"), answer)


def _standing(status: Any, answer: Answer) -> Answer | Unreadable:
    if type(status) is not str or not status.strip():
        return Unreadable(Code.LOOKUP_FAILED, f"status of {type(status).__name__}, or empty")
    word = status.strip().casefold()
    if word in _SAID:
        return msgspec.structs.replace(answer, said=_SAID[word])
    return answer if word in _WAITING else Unreadable(Code.UNKNOWN_STATUS, f"status {_shown(status)}")


def _shown(value: Any) -> str:
    return repr(value)[:60] if isinstance(value, str | bool | int | None) else type(value).__name__
