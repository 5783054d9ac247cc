"""RMS records: typed, with units. Absent stays absent; ``null`` never occurs in what tricast writes.

A model is one version of one CloudEvents type. It changes only by a new version with a new model, or by an optional
field. This module names them all; they stand in one module a topic.
"""

from schemas.normalized import Normalized
from schemas.rms.approvals import Approval
from schemas.rms.bets import BetAnswered, BetPlaced
from schemas.rms.decisions import Conflict, Decision, Late, Orphan
from schemas.rms.health import LineHealth
from schemas.rms.lookups import LookUp

MODELS: tuple[type[Normalized], ...] = (
    BetPlaced,
    BetAnswered,
    Approval,
    Decision,
    Late,
    Conflict,
    Orphan,
    LookUp,
    LineHealth,
)
