"""The last gaps, findings, conflicts and dead letters: what a person may want to look at. Pure."""

from bisect import insort
from collections.abc import Mapping
from typing import Any, Final

from schemas.record import KafkaRecord
from tricast.monitor.picture import MOST_RECENT, Recent, RecentKind

_FINDINGS: Final[Mapping[str, RecentKind]] = {
    "gap_suspected": "gap",
    "gap_closed": "finding",
    "gap_repaired": "finding",
    "not_repairable": "gap",
    "restarted": "finding",
    "conflict": "conflict",
}
"""Of ``fastpath.sequence``; a baseline, what was reordered and what was said twice need nobody."""
_DECISIONS: Final[Mapping[str, RecentKind]] = {
    "tricast.rms.conflict.v1": "conflict",
    "tricast.rms.late.v1": "finding",
    "tricast.rms.orphan.v1": "finding",
}
"""Of ``rms.decisions``, which holds ordinary outcomes as well."""
_TITLE: Final = 200


class RecentDesk:
    """Keeps the newest ``MOST_RECENT`` by their time, whatever order they come in."""

    def __init__(self) -> None:
        self._kept: list[tuple[int, str, int, int, Recent]] = []

    def observe(self, registry: str, record: KafkaRecord, value: Mapping[str, Any] | None) -> None:
        """Take in one record.

        Args:
            registry: Registry name of its topic.
            record: Where it lies, its key and headers.
            value: What it says, if it is a JSON object.
        """
        feed, _, what = registry.rpartition(".")
        said = _said(what, record, value or {})
        if said is None:
            return
        kind, title = said
        recent = Recent(
            kind=kind,
            feed=feed,
            at_ms=record.timestamp,
            title=title[:_TITLE],
            key=(record.key or b"").decode(errors="replace"),
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
        )
        insort(self._kept, (recent.at_ms, recent.topic, recent.partition, recent.offset, recent))
        if len(self._kept) > MOST_RECENT:
            del self._kept[0]

    def newest(self) -> tuple[Recent, ...]:
        """Return what is kept, newest first."""
        return tuple(entry[-1] for entry in reversed(self._kept))


def _said(what: str, record: KafkaRecord, value: Mapping[str, Any]) -> tuple[RecentKind, str] | None:
    match what:
        case "dead-letters":
            headers = {name: text.decode(errors="replace") for name, text in record.headers if text is not None}
            return "dead-letter", f"{headers.get('tc-code', 'no code')}: {headers.get('tc-detail', '')}"
        case "health":
            return _gap(record, value)
        case "sequence":
            finding = str(value.get("finding"))
            kind = _FINDINGS.get(finding)
            return (
                None if kind is None else (kind, f"{value.get('fixture_id')}: {finding}{_numbers(value)}{_why(value)}")
            )
        case "decisions":
            ce_type = next((text.decode(errors="replace") for name, text in record.headers if name == "ce_type"), "")
            kind = _DECISIONS.get(ce_type)
            bet = value.get("bet_slip_id") or value.get("bet_code")
            return None if kind is None else (kind, f"bet {bet}: {ce_type.split('.')[-2]}{_why(value)}")
    return None


def _gap(record: KafkaRecord, value: Mapping[str, Any]) -> tuple[RecentKind, str] | None:
    line = value.get("line")
    is_state = (record.key or b"").decode(errors="replace").removeprefix("line/") == str(line)
    if value.get("state") != "gapped" or line is None or is_state:
        return None
    lost = f", {value['lost_frames']} frames" if "lost_frames" in value else ""
    return "gap", f"{line}: {value.get('reason', 'gap')}{lost}{', ours' if value.get('ours') else ''}"


def _numbers(value: Mapping[str, Any]) -> str:
    missing = value.get("missing")
    if isinstance(missing, list) and missing:
        return " " + ", ".join(f"{first}-{last}" for first, last in missing[:5])
    return f" {value['first']}-{value['last']}" if "first" in value and "last" in value else ""


def _why(value: Mapping[str, Any]) -> str:
    why = value.get("why") or value.get("reason")
    return f" ({why})" if why else ""
