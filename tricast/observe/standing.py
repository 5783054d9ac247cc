"""How a process stands: ready, degraded or not ready, and why. Pure; times are monotonic seconds."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

State = Literal["ready", "degraded", "unready"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that is not as it should be now.

    Attributes:
        code: What, in a word, stable over releases.
        text: For people, a sentence.
        severity: What it makes of the process.
        patience_s: How long it may last before it counts: what mends itself in a moment is none.
    """

    code: str
    text: str
    severity: Literal["degraded", "unready"]
    patience_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Standing:
    """The answer of ``/readyz``: the worst of the reasons that count."""

    state: State
    reasons: tuple[Fault, ...] = ()


STARTING = Standing("unready", (Fault(code="starting", text="it has only just begun", severity="unready"),))


class Judge:
    """Remembers since when each fault has held; there is no patience before all was well for a first time."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}
        self._was_well = False

    def judge(self, faults: Iterable[Fault], now_s: float) -> Standing:
        """Return how the process stands, given all faults of this moment."""
        held = tuple(faults)
        self._since = {fault.code: self._since.get(fault.code, now_s) for fault in held}
        self._was_well = self._was_well or not held
        reasons = tuple(
            fault for fault in held if not self._was_well or now_s - self._since[fault.code] >= fault.patience_s
        )
        return standing_of(reasons)


def standing_of(reasons: Iterable[Fault]) -> Standing:
    """Return the standing that ``reasons`` make."""
    told = tuple(sorted(reasons, key=lambda fault: fault.severity == "degraded"))
    return Standing(told[0].severity if told else "ready", told)
