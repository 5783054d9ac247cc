"""Outcomes against what the simulator's trader decided (``simulators/rms/ledger.py`` says what its lines mean)."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from schemas.rms.decisions import Decision
from tricast.audit.ledger import IN_FLIGHT_NS, Sent
from tricast.audit.records import Raw
from tricast.audit.rms.case import Case
from tricast.audit.rms.facts import Truth
from tricast.audit.rms.verdict import SAYS, Find

PLACED = "placed"
"""Truth of a bet that the simulator knows begins so; what became of it at once follows."""
_AT_ONCE = {f"{PLACED} accepted": "accept", f"{PLACED} rejected": "reject"}
_UNHEARD = frozenset({"unanswered", "no-code", "unknown-disposition", "unordered"})
"""Reasons of an unverified outcome that are no gap's."""


class RmsLedger:
    """A connection's first packet names its ``sid``, and so does the ledger."""

    def sent(self, line: Mapping[str, Any]) -> Sent | None:
        """Return what was sent."""
        if line["kind"] != "frame":
            return None
        return line["connection"], line["n"], line["packet"].encode(), line["at_ns"]

    def connection_of(self, raw: Raw) -> str | None:
        """Return the session id of a connect packet."""
        if raw.kind != "frame" or not raw.value.startswith(b"0{"):
            return None
        try:
            sid = json.loads(raw.value[1:]).get("sid")
        except ValueError:
            return None
        return sid if isinstance(sid, str) else None


def truths(path: Path) -> Iterator[tuple[str, str, Truth]]:
    """Yield customer, slip, and what was decided, of every line that says so, and when a socket was first handed it."""
    unsent: dict[int | None, tuple[str, str, Truth]] = {}
    with path.open("rb") as file:
        for text in file:
            line = json.loads(text) if text.endswith(b"\n") else {}
            kind, number = line.get("kind"), line.get("decision")
            if kind in ("decision", "frame") and number in unsent:
                customer, slip, truth = unsent.pop(number)  # said again: by a simulator that began anew, from 1
                yield customer, slip, replace(truth, sent_ns=line["at_ns"]) if kind == "frame" else truth
            if kind in ("bet", "decision") and line.get("slip") is not None:
                outcome = line["outcome"] if kind == "decision" else f"{PLACED} {line.get('disposition')}"
                found = line["customer"], line["slip"], Truth(outcome=outcome, at_ns=line["at_ns"])
                if kind == "decision":
                    unsent[number] = found
                else:
                    yield found
    yield from unsent.values()


def judge_truth(case: Case, where: str, decision: Decision, find: Find) -> None:
    """Report an outcome that the trader did not decide."""
    if not any(truth.outcome.startswith(PLACED) for truth in case.truths):
        return  # of another run
    said = [truth for truth in case.truths if truth.outcome in SAYS.values()]
    at_once = [_AT_ONCE[truth.outcome] for truth in case.truths if truth.outcome in _AT_ONCE]
    stands = said[0] if said else None
    wanted = SAYS.get(decision.outcome)
    if wanted is not None:
        stood = stands.outcome if stands is not None else next(iter(at_once), "nothing")
        if stood != wanted:
            missed = stands is not None and case.coverage.is_in_gap(stands.at_ns, IN_FLIGHT_NS)
            where = f"{where} ({case.name}, {decision.outcome} by {decision.evidence})"
            find("untrue", f"{where}: the trader said {stood}{', while nobody listened' if missed else ''}")
        return
    if stands is None:
        return
    # What the vendor sat on could be heard when it was sent, and no sooner; a look-up tells what was said.
    known_ns = stands.at_ns if decision.evidence == "looked_up" or stands.sent_ns is None else stands.sent_ns
    if known_ns > decision.deadline_ns - IN_FLIGHT_NS:
        return
    if decision.outcome == "expired":
        find("untrue", f"{where}: the trader said {stands.outcome} in time")
    elif decision.why not in _UNHEARD and not case.coverage.is_in_gap(known_ns, IN_FLIGHT_NS):
        find("untrue", f"{where}: the trader said {stands.outcome} in time, and outside every recorded gap")
