"""When to ask for which token: exchange, refresh, or wait. Pure; time and chance are passed in (fact sheet §2.3).

A refresh token gives the next pair, so a chain of refreshes hangs on each exchange. The vendor says that a refresh
token holds for seven days, not whether a chain may be longer: a new one is begun a day ahead. When that cannot be had
it is an alarm, and the old chain goes on as long as it does. Only a refused exchange without such a chain behind it is
the end.
"""

import math
from dataclasses import dataclass, field
from random import Random
from typing import Final

from connectors.rms.grants import Answer, Denied, Failed, Grant, Limited
from connectors.rms.ports import Bearer
from connectors.runner import Ladder

CHAIN_S: Final = 7 * 86_400.0
"""How long the vendor says a refresh token holds."""
_RENEW_S: Final = (5.75 * 86_400.0, 6 * 86_400.0)
"""Age of a chain at which a new one is begun, drawn between these: replicas do not stay in step."""
_RENEW_AGAIN_S: Final = 1_800.0
"""When to try that again, were it refused or not answered."""
_REFRESH_AT: Final = (0.8, 0.9)
"""Part of its life after which an access token is replaced, drawn between these."""
_ROW: Final = 3
"""Refusals of access tokens in a row after which they are replaced by an exchange; likewise failed refreshes."""
_HELD_S: Final = 60.0
"""A token that was accepted and not refused for so long was good."""
_LIMITED_S: Final = 60.0
_LONGEST_S: Final = 900.0
_FLOOR_S: Final = 1.0
_BACKOFF: Final = Ladder(steps_s=(1, 2, 4, 8, 16, 32, 60), healthy_s=60)
_REFUSING: Final = frozenset({400, 401})


@dataclass(frozen=True, slots=True)
class Exchange:
    """Ask for a pair with id and secret."""


@dataclass(frozen=True, slots=True)
class Refresh:
    """Ask for the next pair with this token."""

    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to ask before this, monotonic seconds, unless something happens."""

    until_s: float


Step = Exchange | Refresh | Wait


@dataclass(frozen=True, slots=True)
class Renewed:
    """There is a new pair; ``lacking``: what the answer should have had beside the access token."""

    lacking: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PutOff:
    """To be asked again later.

    Attributes:
        reason: Why.
        delay_s: How much later.
        chain_left_s: How long the refresh token is good for when a new chain could not be begun; else ``None``.
    """

    reason: str
    delay_s: float
    chain_left_s: float | None


@dataclass(frozen=True, slots=True)
class ChainEnded:
    """The refresh token is not accepted any more; an exchange comes next."""

    status: int


@dataclass(frozen=True, slots=True)
class Refused:
    """Id or secret is not accepted, and there is nothing else to have a token for."""

    status: int


Outcome = Renewed | PutOff | ChainEnded | Refused


@dataclass(slots=True, kw_only=True)
class _Held:
    """The pair in force; times are monotonic seconds."""

    bearer: Bearer
    refresh: str | None = field(repr=False)
    since_s: float
    ends_s: float
    due_s: float


class TokenPlan:
    """The tokens of this process.

    Args:
        random: What jitters.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._held: _Held | None = None
        self._serial = 0
        self._began_s: float | None = None  # of the chain
        self._renew_s = math.inf
        self._must_exchange = False
        self._doubted = False
        self._doubt_failed = False
        self._row = 0
        self._accepted_s: float | None = None
        self._failures = 0
        self._limited = 0
        self._not_before_s = -math.inf

    # -- what there is -----------------------------------------------------------------------------------------------

    def bearer(self, now_s: float) -> Bearer | None:
        """Return the access token in force; ``None`` when there is none, or when a refused one is to be replaced first.

        When the first try to replace it leads nowhere it is handed out again: it may not have been the token's fault.
        """
        held = self._held
        if held is None or now_s >= held.ends_s or (self._doubted and not self._doubt_failed):
            return None
        return held.bearer

    def token_age_s(self, now_s: float) -> float | None:
        """Return the age of the access token."""
        return None if self._held is None else now_s - self._held.since_s

    def chain_age_s(self, now_s: float) -> float | None:
        """Return the age of the exchange that the refresh token stems from; ``None``: there is no refresh token."""
        if self._held is None or self._held.refresh is None or self._began_s is None:
            return None
        return now_s - self._began_s

    # -- what happens ------------------------------------------------------------------------------------------------

    def accepted(self, bearer: Bearer, now_s: float) -> None:
        """The vendor took ``bearer``."""
        if bearer.serial == self._serial:
            self._accepted_s = now_s if self._accepted_s is None else self._accepted_s

    def refused(self, bearer: Bearer, now_s: float, *, rights: bool) -> None:
        """The vendor did not take ``bearer``; ``rights``: it did, but its rights are gone."""
        if bearer.serial != self._serial:
            return  # replaced meanwhile
        self._must_exchange |= rights
        if self._doubted and not self._doubt_failed:
            return  # known, and being replaced
        if self._accepted_s is not None and now_s - self._accepted_s >= _HELD_S:
            self._row = 0
        self._accepted_s = None
        self._row += 1
        self._must_exchange |= self._row % _ROW == 0
        self._doubted, self._doubt_failed = True, False

    def renew(self, now_s: float) -> None:
        """There is another secret: begin a new chain with it, while the old one still is."""
        self._renew_s = min(self._renew_s, now_s)
        if not self._limited:
            self._not_before_s = min(self._not_before_s, now_s)

    # -- what to do --------------------------------------------------------------------------------------------------

    def next(self, now_s: float) -> Step:
        """Return what to do now; tell :meth:`answered` what came of it."""
        held = self._held
        due_s = -math.inf if held is None or self._doubted or self._must_exchange else min(held.due_s, self._renew_s)
        if (until_s := max(due_s, self._not_before_s)) > now_s:
            return Wait(until_s)
        if held is None or held.refresh is None or self._must_exchange or now_s >= self._renew_s:
            return Exchange()
        # Where refreshing leads nowhere an exchange may, and the other way round.
        return Exchange() if self._failures // _ROW % 2 else Refresh(held.refresh)

    def answered(self, step: Exchange | Refresh, answer: Answer, *, asked_s: float, now_s: float) -> Outcome:
        """Take the answer to ``step``, which was sent at ``asked_s``."""
        match answer:
            case Grant():
                return self._renewed(step, answer, asked_s)
            case Denied(status) if isinstance(step, Refresh):
                if self._held is not None:
                    self._held.refresh = None
                    self._held.due_s = min(self._held.due_s, now_s)
                self._not_before_s = now_s
                return ChainEnded(status)
            case Denied(status) if status in _REFUSING and not self._has_other_way:
                return Refused(status)
            case Denied(status):
                return self._put_off(step, f"status-{status}", now_s, at_least_s=0.0)
            case Limited(retry_after_s):
                self._limited += 1
                wait_s = min(max(retry_after_s, _LIMITED_S) * 2 ** min(self._limited - 1, 8), _LONGEST_S)
                return self._put_off(step, "status-429", now_s, at_least_s=wait_s)
            case Failed(reason):
                return self._put_off(step, reason, now_s, at_least_s=0.0)

    # -- private -----------------------------------------------------------------------------------------------------

    @property
    def _has_other_way(self) -> bool:
        return self._held is not None and self._held.refresh is not None and not self._must_exchange

    def _renewed(self, step: Exchange | Refresh, grant: Grant, asked_s: float) -> Renewed:
        self._serial += 1
        ends_s = asked_s + grant.life_s
        self._held = _Held(
            bearer=Bearer(grant.access, self._serial),
            refresh=grant.refresh,
            since_s=asked_s,
            ends_s=ends_s if grant.is_told else math.inf,  # our guess makes no good token bad
            due_s=asked_s + max(grant.life_s * self._random.uniform(*_REFRESH_AT), _FLOOR_S),
        )
        if isinstance(step, Exchange):
            self._began_s = asked_s
            self._renew_s = asked_s + self._random.uniform(*_RENEW_S)
            self._must_exchange = False
        self._doubted = self._doubt_failed = False
        self._accepted_s = None
        self._failures = self._limited = 0
        self._not_before_s = -math.inf
        lacking = {"expiresIn": not grant.is_told, "refreshToken": grant.refresh is None}
        return Renewed(tuple(name for name, lacks in lacking.items() if lacks))

    def _put_off(self, step: Exchange | Refresh, reason: str, now_s: float, *, at_least_s: float) -> PutOff:
        self._failures += 1
        self._doubt_failed = True
        delay_s = max(_FLOOR_S, _BACKOFF.delay_s(self._failures, self._random)) + at_least_s
        chain_age_s = self.chain_age_s(now_s)
        if isinstance(step, Exchange) and now_s >= self._renew_s and self._has_other_way and chain_age_s is not None:
            self._renew_s = now_s + max(_RENEW_AGAIN_S * self._random.uniform(0.8, 1.2), delay_s)
            self._failures = 0  # of refreshes there was none
            self._not_before_s = now_s + (delay_s if at_least_s else 0.0)
            return PutOff(reason=reason, delay_s=self._renew_s - now_s, chain_left_s=CHAIN_S - chain_age_s)
        self._not_before_s = now_s + delay_s
        return PutOff(reason=reason, delay_s=delay_s, chain_left_s=None)
