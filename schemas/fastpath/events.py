"""Normalized FastPath records: closed, typed, with units. Absent stays absent; ``null`` never occurs.

A model is one version of one CloudEvents type. It changes only by a new version with a new model, or by an optional
field. This module names them all; they stand in one module a topic.
"""

from schemas.fastpath.actions import Action, EventElement, Period, Summary, Team
from schemas.fastpath.connections import ConnectionState, Repair
from schemas.fastpath.fields import (
    ACTIONS,
    COMMANDS,
    CONNECTIONS,
    HEALTH,
    SEQUENCE,
    STATE,
    STATISTICS,
    PacketRecord,
    Released,
    StateInForce,
)
from schemas.fastpath.health import FeedHealth, LineHealth
from schemas.fastpath.sequence import Finding
from schemas.fastpath.state import FixtureLatest
from schemas.fastpath.statistics import Statistics
from schemas.normalized import Normalized

MODELS: tuple[type[Normalized], ...] = (
    Action,
    EventElement,
    Statistics,
    Finding,
    ConnectionState,
    Repair,
    LineHealth,
    FeedHealth,
    FixtureLatest,
)

__all__ = [
    "ACTIONS",
    "COMMANDS",
    "CONNECTIONS",
    "HEALTH",
    "MODELS",
    "SEQUENCE",
    "STATE",
    "STATISTICS",
    "Action",
    "ConnectionState",
    "EventElement",
    "FeedHealth",
    "Finding",
    "FixtureLatest",
    "LineHealth",
    "Normalized",
    "PacketRecord",
    "Period",
    "Released",
    "Repair",
    "StateInForce",
    "Statistics",
    "Summary",
    "Team",
]
