"""What every examination answers with."""

import json
from dataclasses import dataclass
from typing import Any, Literal

Verdict = Literal["ok", "warning", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one question came to.

    Attributes:
        question: In a few words.
        verdict: ``failed`` is an exit code.
        found: What was found.
        action: What to do, when it is not ``ok``.
    """

    question: str
    verdict: Verdict
    found: str
    action: str = ""


def short(body: Any) -> str:
    """Return a body, shortened, for people."""
    text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    return text if len(text) <= 200 else text[:200] + "…"


def words(error: Exception) -> str:
    """Return what went wrong, for people."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
