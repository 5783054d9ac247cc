"""How long to wait before a crashed process is started again."""

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Doubling delay with jitter, capped; forgotten after a run that was long enough to call it healthy.

    Attributes:
        first_s: Delay after the first crash.
        cap_s: No delay is longer, so a processor comes back soon after its trouble is over.
        healthy_s: A run of this length starts the count anew.
    """

    first_s: float = 0.5
    cap_s: float = 30.0
    healthy_s: float = 60.0

    def crashes(self, before: int, ran_s: float) -> int:
        """Return the number of crashes in a row, after a run of ``ran_s`` that followed ``before`` of them."""
        return 1 if ran_s >= self.healthy_s else before + 1

    def delay_s(self, crashes: int, chance: random.Random) -> float:
        """Return the delay after ``crashes`` (≥ 1) in a row: half to all of the doubled one, so many do not march."""
        # 2**30 s is past any cap and keeps the power from growing without end.
        return min(self.cap_s, self.first_s * 2.0 ** min(crashes - 1, 30)) * chance.uniform(0.5, 1.0)
