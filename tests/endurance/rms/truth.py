"""What the simulator's desk decided, against what consumers got: equal, or unverified inside a recorded gap."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulators.rms.ledger import read_ledger
from tests.endurance.rms.reader import Place

SLACK_NS = 2_000_000_000
"""How far two clocks' words of one thing may be apart: what was said just before a deadline may have come after it."""
_SAYS = {"accepted": "accept", "rejected": "reject"}


@dataclass
class Bet:
    """What the ledger has about a bet; ``said`` in order: outcome, when (UTC ns), how many heard it."""

    code: str
    disposition: str
    placed_ns: int
    said: list[tuple[str, int, int]] = field(default_factory=list)

    @property
    def stands(self) -> str | None:
        return self.said[0][0] if self.said else None


def bets(ledger: Path) -> dict[Place, Bet]:
    """Return the bets of a ledger that have a slip id."""
    found: dict[Place, Bet] = {}
    for line in read_ledger(ledger):
        if line.slip is None:
            continue
        place = (line.customer or "", line.slip)
        if line.kind == "bet":
            found[place] = Bet(line.bet or "", line.disposition or "", line.at_ns)
        elif line.kind == "decision" and line.outcome != "ignore" and place in found:
            found[place].said.append((line.outcome or "", line.at_ns, line.reached or 0))
    return found


def differences(
    truth: Mapping[Place, Bet],
    written: Mapping[Place, str],
    found: Mapping[Place, Sequence[Mapping[str, Any]]],
    gaps: Sequence[tuple[int, int]],
) -> list[str]:
    """Return in words what is not as promised.

    Args:
        truth: By the ledger.
        written: Bets in ``rms.bets``: the disposition of the answer there; empty when none was written.
        found: Decisions that consumers got.
        gaps: Intervals in which the customer's sockets were away, as told by the product.
    """
    words = []
    for place, disposition in written.items():
        decisions = found.get(place, ())
        if disposition not in ("accepted", "rejected") and not decisions:
            words.append(f"{place} has no outcome")
        if len(decisions) > 1:
            words.append(f"{place} has {len(decisions)} outcomes")
        bet = truth.get(place)
        if bet is not None:
            words += [f"{place}: {text}" for one in decisions for text in _of(bet, disposition, one, gaps)]
        else:  # the platform does not know whether it was placed
            words += [f"{place}: {one['outcome']}, never placed" for one in decisions if not _is_open(one)]
    words += [f"{place} was never written" for place in found.keys() - written.keys()]
    return words


def _is_open(decision: Mapping[str, Any]) -> bool:
    return bool(decision["outcome"] == "expired_unverified")


def _of(bet: Bet, disposition: str, decision: Mapping[str, Any], gaps: Sequence[tuple[int, int]]) -> Iterator[str]:
    outcome, deadline_ns = decision["outcome"], decision["deadline_ns"]
    brief = f"{outcome} by {decision['evidence']}, why {decision.get('why')}"
    match outcome:
        case "accepted" | "rejected":
            # A bet that was not referred is looked up when its answer did not say so.
            right = bet.stands or {"accepted": "accept", "rejected": "reject"}.get(bet.disposition)
            if _SAYS[outcome] != right:
                yield f"{brief}; the vendor says {right}"
        case "expired":
            if any(at_ns < deadline_ns - SLACK_NS for _, at_ns, _ in bet.said) or bet.disposition != "referred":
                yield f"{brief}; the vendor said {bet.said or bet.disposition}"
        case "expired_unverified":
            # It is in doubt from when the platform says that it was placed: just before the vendor had it.
            in_gap = any(since <= deadline_ns and bet.placed_ns - SLACK_NS <= until for since, until in gaps)
            if not in_gap and disposition in ("referred", "accepted", "rejected"):
                yield f"{brief}; no gap between {bet.placed_ns} and {deadline_ns}"
        case _:
            yield f"{brief} is no outcome"
