"""How far back a processor remembers: what a replay must have processed before it can be compared."""

from dataclasses import dataclass

from tricast.settings import Settings

_HOUR_S = 3600
_KAMBI_S = 24 * _HOUR_S
_FASTPATH_S = 36 * _HOUR_S


@dataclass(frozen=True, slots=True)
class Memory:
    """Of one processor.

    Attributes:
        back_s: After so many seconds of records nothing older decides what is written, as a rule.
        beyond: What may, all the same.
        spread_s: How far from their neighbours' the times of records in its source may be, because what writes them
            was behind.
    """

    back_s: int
    beyond: str
    spread_s: int = 60


def memory_of(processor: str, settings: Settings) -> Memory:
    """Return how far back ``processor`` remembers."""
    rms = settings.rms
    match processor:
        case "kambi":
            return Memory(
                _KAMBI_S,
                "events open longer than that: lateness, the event of a bet offer, health, what a snapshot adds",
            )
        case "fastpath.audit":
            return Memory(_FASTPATH_S, "nothing: an account that was silent for 36 h is forgotten")
        case "rms.approvals":
            return Memory(int(rms.remember_s), "the health of a line, and coverage, until its next connection")
        case "rms.join":
            return Memory(
                int(rms.remember_s + rms.unanswered_s + rms.verify_s),
                "the mark of approvals by code alone, which counts from the first one ever",
                spread_s=_HOUR_S,
            )
        case _:
            return Memory(0, "nothing: it keeps no state")
