"""What RMS' topics say to somebody who watches: decisions, what a person should look at."""

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

from schemas.record import KafkaRecord

KEPT_DECISIONS = 8
"""Decisions kept for the live view."""
_DECISION = "tricast.rms.decision.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenDecision:
    """One record of ``rms.decisions``.

    Attributes:
        time_ms: When it was written, UTC.
        said: The outcome; for other records what they are.
        why: What it rests on, or what is odd.
        took_ms: From placing the bet to hearing of its decision, where both are known.
    """

    time_ms: int
    bet: str
    said: str
    why: str
    took_ms: int | None


class RmsNews:
    """Last decisions and how many there were of each kind.

    Attributes:
        decisions: Last decisions, newest first.
        counts: How many final outcomes, late and orphaned decisions, and conflicts since the watch began.
    """

    topics: ClassVar[Mapping[str, bool]] = MappingProxyType({"rms.decisions": False})

    def __init__(self) -> None:
        self.decisions: deque[SeenDecision] = deque(maxlen=KEPT_DECISIONS)
        self.counts: Counter[str] = Counter()

    def observe(self, topic: str, record: KafkaRecord, value: dict[str, Any]) -> None:
        """Take in one record of ``topic`` (registry name)."""
        seen = _decision(record, value)
        self.counts[seen.said] += 1
        self.decisions.appendleft(seen)


def _decision(record: KafkaRecord, value: Mapping[str, Any]) -> SeenDecision:
    ce_type = next((text.decode() for name, text in record.headers if name == "ce_type"), "")
    is_final = ce_type == _DECISION
    took = value.get("latency", {}).get("placed_to_received_ms")
    return SeenDecision(
        time_ms=record.timestamp,
        bet=str(value.get("bet_slip_id") or value.get("bet_code")),
        said=str(value.get("outcome")) if is_final else ce_type.split(".")[-2] if ce_type else "",
        why=str(value.get("why") or value.get("evidence") or ""),
        took_ms=took if isinstance(took, int) else None,
    )
