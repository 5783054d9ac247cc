"""The one owner of this process's tokens: has them exchanged and refreshed ahead of time, one call at a time."""

import asyncio
import logging
from collections import deque
from random import Random
from typing import Any, Final, Protocol

import aiohttp

from connectors.clock import Clock
from connectors.rms.auth import Authentication
from connectors.rms.config import RmsSettings
from connectors.rms.grants import Answer, Grant
from connectors.rms.ports import Bearer
from connectors.rms.secret import Secret
from connectors.rms.token_plan import ChainEnded, Exchange, PutOff, Refresh, Refused, Renewed, TokenPlan, Wait
from connectors.shown import masked, without_secrets
from schemas.errors import ConfigurationError

log = logging.getLogger(__name__)

_LOOK_S: Final = 5.0
"""How often the secret's file is looked at."""
_TOKENS_KNOWN: Final = 16
"""Tokens that are taken out of what is shown: a server may repeat one that was replaced."""
_SECRETS_KNOWN: Final = 4


class RequestBudget(Protocol):
    """What requests for tokens count for."""

    async def request(self) -> None:
        """Return when one may be made; it counts from then on."""


class TokenOwner:
    """Tokens for every part of the connector; :meth:`run` has to run for there to be any.

    Args:
        settings: Where the authentication is, id and secret.
        session: HTTP client session.
        budget: What requests count for.
        clock: Tells ages, and waits.
        random: What jitters.
    """

    def __init__(
        self,
        settings: RmsSettings,
        *,
        session: aiohttp.ClientSession,
        budget: RequestBudget,
        clock: Clock,
        random: Random,
    ) -> None:
        self._client_id = settings.client_id
        self._secret = Secret(settings.secret.get_secret_value(), settings.secret_file)
        self._authentication = Authentication(
            session,
            base_url=settings.auth_url,
            timeout_s=settings.http_timeout_s,
            redacted=self.redacted,
            clock=clock,
        )
        self._budget = budget
        self._clock = clock
        self._plan = TokenPlan(random)
        self._secrets: deque[str] = deque(maxlen=_SECRETS_KNOWN)
        self._tokens: deque[str] = deque(maxlen=_TOKENS_KNOWN)
        self._wake = asyncio.Event()
        self._news = asyncio.Event()
        self._was_put_off = False
        self._told_lacking: tuple[str, ...] = ()
        self._keep_secret()

    # -- what others need --------------------------------------------------------------------------------------------

    @property
    def token_age_s(self) -> int | None:
        """Age of the access token, whole seconds; ``None``: there is none."""
        age_s = self._plan.token_age_s(self._clock.monotonic_s())
        return None if age_s is None else int(age_s)

    @property
    def refresh_age_s(self) -> int | None:
        """Age of the exchange that the refresh token stems from, whole seconds; ``None``: there is none."""
        age_s = self._plan.chain_age_s(self._clock.monotonic_s())
        return None if age_s is None else int(age_s)

    @property
    def in_force(self) -> Bearer | None:
        """The access token in force; ``None`` while there is none, or while a refused one is being replaced."""
        return self._plan.bearer(self._clock.monotonic_s())

    async def bearer(self) -> Bearer:
        """Return the access token in force; wait while there is none, or while a refused one is being replaced."""
        return await self._later_than(0)

    async def newer(self, than: Bearer) -> Bearer:
        """Return the access token in force as soon as it is another than that."""
        return await self._later_than(than.serial)

    def accepted(self, bearer: Bearer) -> None:
        """The vendor took ``bearer``: once it has held for a minute refusals in a row start to count again."""
        self._plan.accepted(bearer, self._clock.monotonic_s())

    def refused(self, bearer: Bearer, *, rights: bool = False) -> None:
        """The vendor did not take ``bearer``: replace it, unless that was done meanwhile.

        Args:
            bearer: As it was sent.
            rights: It was understood, but its rights are gone: only a new exchange can help.
        """
        self._plan.refused(bearer, self._clock.monotonic_s(), rights=rights)
        self._wake.set()

    def reload(self) -> None:
        """Read the secret's file again; another one is taken at once, without a moment without a token."""
        if self._secret.look():
            log.info("rms.secret_changed")
            self._keep_secret()
            self._plan.renew(self._clock.monotonic_s())
            self._wake.set()

    def redacted(self, text: str) -> str:
        """Return ``text`` of the vendor for people: without any secret of ours, in one line, short."""
        return without_secrets(text, (*self._secrets, *self._tokens))

    def masked(self, payload: bytes) -> bytes:
        """Return what is to be recorded: every byte as it came, but for secrets of ours, which are blotted out."""
        return masked(payload, (*self._secrets, *self._tokens))

    # -- the work ----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Have tokens exchanged and refreshed until cancelled.

        Raises:
            ConfigurationError: There is no id or secret, or the vendor does not accept them and there is nothing left
                to have a token for.
        """
        self._secret.look()
        self._keep_secret()
        if not (self._client_id and self._secret.text):
            raise ConfigurationError(
                "RMS needs the Client ID and the Secret Key of an API token",
                action="set TRICAST_RMS__CLIENT_ID, and TRICAST_RMS__SECRET or TRICAST_RMS__SECRET_FILE",
            )
        while True:
            self._wake.clear()
            self.reload()
            step = self._plan.next(self._clock.monotonic_s())
            if isinstance(step, Wait):
                await self._until(step.until_s)
                continue
            await self._budget.request()
            step = self._plan.next(self._clock.monotonic_s())  # that may have taken a while
            if not isinstance(step, Wait):
                await self._ask(step)

    # -- private -----------------------------------------------------------------------------------------------------

    async def _later_than(self, serial: int) -> Bearer:
        while True:
            bearer = self.in_force
            if bearer is not None and bearer.serial > serial:
                return bearer
            await self._news.wait()

    async def _until(self, until_s: float) -> None:
        wait_s = until_s - self._clock.monotonic_s()
        waits: list[asyncio.Future[Any]] = [
            asyncio.ensure_future(self._wake.wait()),
            asyncio.ensure_future(self._clock.sleep(min(wait_s, _LOOK_S) if self._secret.is_followed else wait_s)),
        ]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _ask(self, step: Exchange | Refresh) -> None:
        asked_s = self._clock.monotonic_s()
        match step:
            case Exchange():
                answer: Answer = await self._authentication.exchange(self._client_id, self._secret.text)
            case Refresh(token):
                answer = await self._authentication.refresh(token)
        if isinstance(answer, Grant):
            self._tokens.extend(filter(None, (answer.access, answer.refresh)))
        match self._plan.answered(step, answer, asked_s=asked_s, now_s=self._clock.monotonic_s()):
            case Renewed(lacking):
                self._tell_renewed(lacking)
            case PutOff() as put_off:
                self._tell_put_off(step, put_off)
            case ChainEnded(status):
                log.warning("rms.refresh_refused status=%d what follows is an exchange", status)
            case Refused(status):
                self._start_over_or_end(status)
        self._news.set()
        self._news = asyncio.Event()  # who waits from now on waits for the next

    def _start_over_or_end(self, status: int) -> None:
        refused = self._secret.text
        self._secret.look()
        if self._secret.text == refused:
            raise ConfigurationError(
                f"the RMS authentication refused Client ID and Secret Key (HTTP {status})",
                action="check TRICAST_RMS__CLIENT_ID and TRICAST_RMS__SECRET or TRICAST_RMS__SECRET_FILE: was the API "
                "token deleted in ARENA360? Then make a new one there, and start the connector again",
            )
        log.warning("rms.secret_changed status=%d the one before was refused", status)
        self._keep_secret()

    def _keep_secret(self) -> None:
        if self._secret.text and self._secret.text not in self._secrets:
            self._secrets.append(self._secret.text)

    def _tell_renewed(self, lacking: tuple[str, ...]) -> None:
        if lacking and lacking != self._told_lacking:
            log.warning("rms.token_answer_lacks fields=%s", ",".join(lacking))
        self._told_lacking = lacking
        if self._was_put_off:
            log.info("rms.token_had_again")
        self._was_put_off = False

    def _tell_put_off(self, step: Exchange | Refresh, put_off: PutOff) -> None:
        self._was_put_off = True
        call = "exchange" if isinstance(step, Exchange) else "refresh"
        if put_off.chain_left_s is not None:
            log.error(
                "rms.chain_not_renewed reason=%s retry_in_s=%.0f chain_left_s=%.0f Operator action: refreshing goes on "
                "until the vendor ends it, documented are 7 days from the last exchange; before that one has to work: "
                "check TRICAST_RMS__CLIENT_ID, the Secret Key and TRICAST_RMS__AUTH_URL",
                put_off.reason,
                put_off.delay_s,
                put_off.chain_left_s,
            )
        elif self.in_force is None:
            log.error(
                "rms.no_token call=%s reason=%s retry_in_s=%.1f Operator action: no socket can be opened and nothing "
                "be looked up until the authentication answers: check TRICAST_RMS__AUTH_URL and the network",
                call,
                put_off.reason,
                put_off.delay_s,
            )
        else:
            log.warning("rms.token_put_off call=%s reason=%s retry_in_s=%.1f", call, put_off.reason, put_off.delay_s)
