"""What push missed and the poll found, by the hour, and how long odds would have been wrong without the poll.

Read off the normalized topics alone: a record from a snapshot says so, and why it had to come (``ce_tccause``). The
odds it corrected would have stayed wrong until push spoke of the same outcome again: that is the time that is counted.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from msgspec import UNSET

from schemas import codec
from schemas.errors import ContractError
from schemas.kambi.events import OddsChanged

HOUR_NS = 3_600_000_000_000
CAUSES: Mapping[str, str] = {
    "baseline": "first snapshot of an event: what was there before anybody listened",
    "repaired": "after a recorded gap: what was sent while no line was open, or lost by us",
    "push-missed": "no gap explains it: push never said it",
}
TOPICS = ("kambi.events", "kambi.offers", "kambi.scores")


@dataclass(slots=True)
class Hour:
    """One hour of receipt, UTC.

    Attributes:
        pushed: Records by push.
        late: Of those, the ones that came after something newer.
        differences: Records from snapshots by cause and type.
        stale_s: Per outcome whose odds a snapshot corrected, baselines aside: seconds until push spoke of it.
        open_s: The same where push has not spoken of it since: seconds until the newest record read.
    """

    pushed: int = 0
    late: int = 0
    differences: Counter[tuple[str, str]] = field(default_factory=Counter)
    stale_s: list[float] = field(default_factory=list)
    open_s: list[float] = field(default_factory=list)


class Reconciliation:
    """Fed with the records of the normalized topics; records of one key in their order.

    Attributes:
        hours: What was found, by hours since 1970.
        foreign: Records that are none of tricast's and were passed over.
    """

    def __init__(self) -> None:
        self.hours: dict[int, Hour] = {}
        self.foreign = 0
        self._corrected: dict[int, int] = {}
        """Outcome to when a snapshot corrected its odds, UTC ns; push has not spoken of it since."""
        self._newest_ns = 0

    def observe(self, headers: Mapping[str, bytes], value: bytes) -> None:
        """Take one record of a normalized topic."""
        try:
            ce_type, received_ns = headers["ce_type"].decode(), int(headers["ce_tcreceived"])
            record = codec.decode(ce_type, value)
            cause = headers["ce_tccause"].decode() if getattr(record, "source", UNSET) == "snapshot" else None
        except (KeyError, ValueError, ContractError):
            self.foreign += 1
            return
        self._newest_ns = max(self._newest_ns, received_ns)
        hour = self._hour(received_ns)
        outcomes = getattr(record, "outcomes", ())
        if cause is None:
            hour.pushed += 1
            hour.late += getattr(record, "late", UNSET) is True
            self._pushed(outcomes, received_ns)
            return
        hour.differences[cause, ce_type.removeprefix("tricast.kambi.").removesuffix(".v1")] += 1
        if isinstance(record, OddsChanged) and cause != "baseline":
            for outcome in outcomes:
                self._corrected.setdefault(outcome.id, received_ns)

    def finish(self) -> None:
        """Account for corrections that push never came back to."""
        for since_ns in self._corrected.values():
            self._hour(since_ns).open_s.append((self._newest_ns - since_ns) / 1e9)
        self._corrected.clear()

    def rows(self) -> list[dict[str, Any]]:
        """Return one row an hour, oldest first, for scripts."""
        return [_row(number, self.hours[number]) for number in sorted(self.hours)]

    def _pushed(self, outcomes: Iterable[Any], received_ns: int) -> None:
        for outcome in outcomes:
            since_ns = None if outcome.late is True else self._corrected.pop(outcome.id, None)
            if since_ns is not None:
                self._hour(since_ns).stale_s.append((received_ns - since_ns) / 1e9)

    def _hour(self, time_ns: int) -> Hour:
        return self.hours.setdefault(time_ns // HOUR_NS, Hour())


def _row(number: int, hour: Hour) -> dict[str, Any]:
    causes = dict.fromkeys(CAUSES, 0)
    kinds: Counter[str] = Counter()
    for (cause, kind), count in hour.differences.items():
        causes[cause] = causes.get(cause, 0) + count
        if cause != "baseline":
            kinds[kind] += count
    stale = sorted(hour.stale_s + hour.open_s)
    return {
        "hour": datetime.fromtimestamp(number * HOUR_NS / 1e9, UTC).isoformat(timespec="minutes"),
        "pushed": hour.pushed,
        "late": hour.late,
        **causes,
        "not_pushed_by_type": dict(sorted(kinds.items())),
        "odds_corrected": len(stale),
        "odds_never_pushed_again": len(hour.open_s),
        "stale_s": {name: quantile(stale, share) for name, share in (("p50", 0.5), ("p90", 0.9), ("max", 1.0))},
    }


def quantile(ordered: Sequence[float], share: float) -> float | None:
    """Return the value below which ``share`` of ``ordered`` lies; ``None`` of nothing."""
    if not ordered:
        return None
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)


def totals(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Return the sums over all hours."""
    sums: Counter[str] = Counter()
    for row in rows:
        sums.update({name: row[name] for name in ("pushed", "late", *CAUSES, "odds_corrected")})
    return dict(sums)
