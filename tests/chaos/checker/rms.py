"""RMS: each outcome is what the desk said, or unverified inside a recorded gap; each announcement is an approval
(docs/rms.md, vendor's sheet: no stored payload, so every spelling counts)."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.chaos.checker import socketio
from tests.chaos.checker.kambi_accounts import kind_of
from tests.chaos.checker.record import Record, origin_of
from tests.chaos.checker.verdict import Verdict

Json = dict[str, Any]
Place = tuple[str, str]
"""Customer and bet slip."""

SLACK_NS = 2_000_000_000
"""Said just before a limit it may have come after it."""
_EVENTS = {"RESERVE_BET_ACCEPT": "accept", "RESERVE_BET_REJECT": "reject"}
_SAYS = {"accepted": "accept", "rejected": "reject"}
_NOT_REFERRED = frozenset({"accepted", "rejected"})


# What the desk knows, and what the platform wrote.


@dataclass(slots=True)
class Bet:
    """A bet by the desk's ledger; ``said`` in order: outcome and when (UTC ns)."""

    disposition: str
    placed_ns: int
    said: list[tuple[str, int]] = field(default_factory=list)


def desk(lines: Iterable[Mapping[str, Any]]) -> dict[Place, Bet]:
    """Return the bets of the desk's ledger that have a slip."""
    found: dict[Place, Bet] = {}
    for line in lines:
        if line.get("slip") is None:
            continue
        place = (str(line["customer"]), line["slip"])
        if line["kind"] == "bet":
            found[place] = Bet(line.get("disposition", ""), line["at_ns"])
        elif line["kind"] == "decision" and line["outcome"] != "ignore" and place in found:
            found[place].said.append((line["outcome"], line["at_ns"]))
    return found


@dataclass(slots=True)
class Written:
    """A bet in ``rms.bets``: when its first record came there, the disposition of its answer, and when the platform
    says that it was placed."""

    start_ns: int
    disposition: str = ""
    placed_ns: int | None = None


def written(records: Iterable[Record]) -> dict[Place, Written]:
    """Return the bets that the platform told of."""
    found: dict[Place, Written] = {}
    for record in records:
        value = json.loads(record.value or b"{}")
        place = (str(value["customer"]), str(value["bet_slip_id"]))
        bet = found.setdefault(place, Written(record.timestamp_ms * 1_000_000))
        bet.start_ns = min(bet.start_ns, record.timestamp_ms * 1_000_000)
        bet.disposition = value.get("disposition") or bet.disposition
        if "placed_at" in value:
            bet.placed_ns = round(datetime.fromisoformat(value["placed_at"]).timestamp() * 1_000_000) * 1_000
    return found


# Outcomes.


def judge_outcomes(
    truth: Mapping[Place, Bet],
    bets: Mapping[Place, Written],
    decisions: Mapping[Place, Sequence[Json]],
    gaps: Sequence[tuple[int, int]],
    verdict: Verdict,
    *,
    ended_before_ns: int,
    late: Mapping[Place, int] | None = None,
    stops: Sequence[tuple[int, int]] = (),
    unanswered_ns: int = 0,
) -> None:
    """Compare outcomes with what was said.

    Args:
        truth: By the desk.
        bets: By the platform.
        decisions: By ``rms.decisions``.
        gaps: Intervals in which the socket was away, as the health topic tells.
        verdict: Where findings go.
        ended_before_ns: A bet written before this has to have its outcome.
        late: Bets of which an approval was told as late, and after when that was sent, as far as is known (UTC ns).
        stops: When Kafka or the router of bets was away: an answer may then come to the join after ``unanswered_ns``,
            which has to be longer than any stop of the router (docs/rms.md, limits).
        unanswered_ns: See there.
    """
    verdict.count("rms: bets written", len(bets))
    for place, bet in bets.items():
        found, name = decisions.get(place, ()), "/".join(place)
        if len(found) > 1:
            verdict.find("duplicated", f"{name} has {len(found)} outcomes: {[one['outcome'] for one in found]}")
        if not found and bet.disposition not in _NOT_REFERRED:
            if bet.start_ns < ended_before_ns:
                verdict.find("lost", f"{name}, {bet.disposition or 'unanswered'}, has no outcome")
            else:
                verdict.count("rms: bets that were still open at the end")
        for one in found:
            brief = f"{one['outcome']} by {one['evidence']} {one.get('why', '')}".rstrip()
            verdict.count(f"rms: {brief}")
            said = truth.get(place)
            if said is None:
                if one["outcome"] != "expired_unverified":
                    verdict.find("final-state", f"{name}: {brief}, and it was never placed")
                continue
            waits = (bet.start_ns, bet.start_ns + unanswered_ns)
            if one.get("why") == "unanswered" and any(since < waits[1] and until > waits[0] for since, until in stops):
                verdict.count("rms: unanswered while the router was away")
                continue
            if one["outcome"] == "expired" and (late or {}).get(place, 0) > one["deadline_ns"]:
                # Said in time, and all had been read by the end: then it is late (docs/rms-join.md, J4), and this is
                # told. What was read late, and may be as old as a stall of the connector, is no excuse.
                verdict.count("rms: expired, and decided late")
                continue
            for text in _wrong(said, bet, one, gaps):
                verdict.find("final-state", f"{name}: {brief}; {text}")
    for place in decisions.keys() - bets.keys():
        verdict.find("duplicated", f"{'/'.join(place)} has an outcome, and nobody wrote it")


def _wrong(bet: Bet, told: Written, decision: Json, gaps: Sequence[tuple[int, int]]) -> Iterator[str]:
    deadline_ns, disposition = decision["deadline_ns"], told.disposition
    match decision["outcome"]:
        case "accepted" | "rejected":
            # What was not referred has its answer from the book: bet/detail tells it where the platform did not know.
            right = bet.said[0][0] if bet.said else {"accepted": "accept", "rejected": "reject"}.get(bet.disposition)
            if _SAYS[decision["outcome"]] != right:
                yield f"the desk said {right}"
        case "expired":
            if bet.disposition != "referred":
                yield f"the vendor answered {bet.disposition}"
            elif any(at_ns < deadline_ns - SLACK_NS for _, at_ns in bet.said):
                yield f"the desk said {bet.said}, before {deadline_ns}"
        case "expired_unverified":
            # In doubt from when the platform says it was placed: before the vendor had it, and long before while Kafka
            # is away, as a platform writes first and asks then.
            placed_ns = min(bet.placed_ns, bet.placed_ns if told.placed_ns is None else told.placed_ns)
            around = any(since <= deadline_ns and placed_ns - SLACK_NS <= until for since, until in gaps)
            if not around and disposition in {"referred", *_NOT_REFERRED}:
                yield f"no gap is on record between {placed_ns} and {deadline_ns}"
        case _:
            yield "that is no outcome"


# Announcements.


Announced = tuple[str, str, str]
"""Slip, code (one of them may be empty) and what was said."""


def announced(value: bytes) -> list[Announced | None] | None:
    """Return what a frame announces, ``None`` where one cannot be read; ``None``: it is about nothing of that."""
    packet = socketio.read(value)
    if isinstance(packet, str) or packet.name not in _EVENTS:
        return None
    found: list[Announced | None] = []
    for argument in packet.arguments or (None,):
        found += [_announcement(body, _EVENTS[packet.name]) for body in _bodies(argument)]
    return found


def _bodies(argument: Any) -> list[Any]:
    if isinstance(argument, str):
        try:
            argument = json.loads(argument)
        except ValueError:
            return [None]
    return argument if isinstance(argument, list) else [argument]


def _announcement(body: Any, said: str) -> Announced | None:
    if not isinstance(body, dict):
        return None
    names = {key.replace("_", "").casefold(): value for key, value in body.items()}
    slip = names.get("betslipid") or ""
    code = names.get("betcode") or names.get("code") or ""
    return (str(slip), str(code), said) if slip or code else None


class Accounts:
    """Of one partition of ``rms.raw``: each announcement is an approval, or equal to one."""

    def __init__(self, verdict: Verdict) -> None:
        self._verdict = verdict
        self._known: set[tuple[str, str]] = set()
        self._last: defaultdict[str, int] = defaultdict(int)

    def take(self, raw: Record, made: Iterable[Record]) -> None:
        """Account for one raw record."""
        approvals = [one for one in made if one.topic == "rms.approvals"]
        dead = [one for one in made if one.topic == "rms.dead-letters"]
        for one in dead:
            self._verdict.count(f"rms: dead letters {one.header('tc-code')}")
        kind = raw.header("tc-kind")
        if kind in {"frame", "snapshot"}:
            if raw.number <= self._last[raw.header("tc-connection")]:
                for one in approvals:
                    self._verdict.find("duplicated", f"{raw.place} is a repeat in raw, and made {one.place}")
                return
            self._last[raw.header("tc-connection")] = raw.number
        found = announced(raw.value or b"") if kind == "frame" else None
        told = [_told(one) for one in approvals]
        for one, ids in zip(approvals, told, strict=True):
            if found is None or not any(said is not None and ids & _ids(said) for said in found):
                self._verdict.find("not-normalized", f"{raw.place} does not announce what {one.place} says")
        left = len(dead)
        for said in found or ():
            self._verdict.count("rms: announcements")
            if said is None:
                left -= 1
                if left < 0:
                    self._verdict.find("not-normalized", f"{raw.place} cannot be read, and is no dead letter")
            elif any(ids & _ids(said) for ids in told):
                self._known |= _ids(said)
            elif _ids(said) & self._known:
                self._verdict.count("rms: announcements that are equal to an earlier one")
            elif left > 0:
                left -= 1
            else:
                self._verdict.find("not-normalized", f"{raw.place}: {said} is in no approval")


def _ids(said: Announced) -> set[tuple[str, str]]:
    slip, code, word = said
    return {(name, word) for name in (slip and f"slip {slip}", code and f"code {code}") if name}


def _told(record: Record) -> set[tuple[str, str]]:
    value = json.loads(record.value or b"{}")
    return _ids((value.get("bet_slip_id", ""), value.get("bet_code", ""), value["said"]))


def uncovered(health: Iterable[Record]) -> list[tuple[int, int]]:
    """Return when a bet may have been decided unheard, as the health topic tells (UTC ns).

    Gaps; what was before the first coverage ever (docs/rms-join.md, J6); and what a line that is not joined now has not
    come back from. Of two lines of a customer each may cover for the other, which is not judged here.
    """
    gaps: list[tuple[int, int]] = []
    joined: set[str] = set()
    away: dict[str, int] = {}
    for record in sorted(health, key=lambda record: (record.origin or (), record.partition, record.offset)):
        if record.value is None or kind_of(record) != "line.health":
            continue
        value = json.loads(record.value)
        line, since_ns = value["line"], value["since_ns"]
        if value["state"] == "gapped":
            gaps.append((since_ns, value.get("until_ns", since_ns)))
        elif value["state"] == "live":
            if line not in joined:
                gaps.append((0, since_ns))
            joined.add(line)
            away.pop(line, None)
        else:
            away.setdefault(line, since_ns)
    return gaps + [(since_ns, 1 << 62) for since_ns in away.values()]


def told_late(records: Iterable[Record]) -> dict[Place, tuple[int, int]]:
    """Return partition and offset in raw of the late approval of a bet; a look-up is none."""
    found: dict[Place, tuple[int, int]] = {}
    for record in records:
        if kind_of(record) == "late":
            value = json.loads(record.value or b"{}")
            raw = origin_of(value["raw"])
            if "bet_slip_id" in value and value["evidence"] == "approval" and raw is not None:
                found[value["customer"], value["bet_slip_id"]] = raw.partition, raw.offset
    return found


def sent_after(raw: Record) -> int:
    """Return after when the vendor sent a frame, by what the connector says of it (UTC ns)."""
    text = raw.header("tc-after-ns")
    return min(int(text), raw.received_ns) if text.isdecimal() else raw.received_ns


def decided(records: Iterable[Record]) -> dict[Place, list[Json]]:
    """Return the final outcomes by bet; late ones, conflicts and orphans are none."""
    found: defaultdict[Place, list[Json]] = defaultdict(list)
    for record in records:
        if kind_of(record) == "decision":
            value = json.loads(record.value or b"{}")
            found[value["customer"], value["bet_slip_id"]].append(value)
    return dict(found)
