"""Records of ``rms.health``."""

import re
from typing import Final, Literal

from msgspec import UNSET

from processors.core.control import Overflow
from processors.core.processor import Hole
from processors.core.rms.approvals.control import Closed, Tick
from processors.core.rms.approvals.entries import Line
from schemas.rms.health import Budget, LineHealth

State = Literal["live", "suspect", "down"]

_REASON: Final = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_LONGEST_REASON: Final = 40


def reason_of(closed: Closed) -> str:
    """Return the connector's word for the end; a server's free text is no such word."""
    reason = closed.reason or ""
    return reason if len(reason) <= _LONGEST_REASON and _REASON.fullmatch(reason) else "closed"


def standing(name: str, line: Line, state: State, reason: str, tick: Tick | None) -> LineHealth:
    """Return how a line stands; ``tick``: what its connector told with it."""
    return LineHealth(
        customer=line.customer,
        line=name,
        state=state,
        reason=reason,
        since_ns=line.state_ns,
        connection=line.connection,
        joined=line.is_open and line.joined,
        token_age_s=UNSET if tick is None or tick.token_age_s is None else tick.token_age_s,
        refresh_age_s=UNSET if tick is None or tick.refresh_age_s is None else tick.refresh_age_s,
        budget=UNSET
        if tick is None or tick.connects_left is None or tick.requests_left is None or tick.lookups_waiting is None
        else Budget(
            connects_left=tick.connects_left, requests_left=tick.requests_left, lookups_waiting=tick.lookups_waiting
        ),
    )


def gap(name: str, line: Line, since_ns: int, until_ns: int) -> LineHealth:
    """Return that nothing was heard of a line between two connections."""
    return LineHealth(
        customer=line.customer,
        line=name,
        state="gapped",
        reason="reconnected",
        since_ns=since_ns,
        until_ns=until_ns,
        connection=line.connection,
    )


def overflow(name: str, line: Line, since_ns: int, until_ns: int, said: Overflow) -> LineHealth:
    """Return that the connector had no room for some frames."""
    return LineHealth(
        customer=line.customer,
        line=name,
        state="gapped",
        reason="overflow",
        since_ns=since_ns,
        until_ns=until_ns,
        connection=line.connection,
        ours=True,
        first_frame=UNSET if said.first_frame is None else said.first_frame,
        last_frame=UNSET if said.last_frame is None else said.last_frame,
    )


def hole(told: Hole, customer: str, since_ns: int) -> LineHealth:
    """Return that frames of the line never reached the raw topic."""
    return LineHealth(
        customer=customer,
        line=told.line,
        state="gapped",
        reason="hole",
        since_ns=since_ns,
        until_ns=max(since_ns, told.received_ns),
        connection=told.connection,
        ours=True,
        first_frame=told.first,
        last_frame=told.last,
    )
