"""What follows when the vendor refuses a connection (fact sheet §5), and who is told."""

import logging
from typing import assert_never

from connectors.clock import Clock
from connectors.recorder import LineRecorder
from connectors.retry_after import retry_after_s
from connectors.rms.config import RmsSettings
from connectors.rms.ports import Bearer, Tokens
from connectors.rms.protocol import Refusal, Why
from connectors.runner import ConnectFailed
from schemas.errors import ConfigurationError, TricastError

log = logging.getLogger(__name__)


class Refusals:
    """The refusals of one line.

    Args:
        settings: How long to wait after them.
        recorder: Puts them on record, where their reason is another than the last one's.
        tokens: Told of refused tokens.
        clock: What ``Retry-After`` counts from.

    Attributes:
        why: Why the last attempt was refused; ``None`` when it was not.
    """

    def __init__(self, settings: RmsSettings, *, recorder: LineRecorder, tokens: Tokens, clock: Clock) -> None:
        self._settings = settings
        self._recorder = recorder
        self._tokens = tokens
        self._clock = clock
        self._withdrawn: Bearer | None = None
        self.why: Why | None = None

    def accepted(self) -> None:
        """A connection was accepted."""
        self.why = None

    def healthy(self) -> None:
        """A connection held: rights that are withdrawn now are withdrawn anew."""
        self._withdrawn = None

    def error(
        self, refusal: Refusal, message: str, *, bearer: Bearer, retry_after: str = "", on_record: bool = False
    ) -> TricastError:
        """Take note of a refusal, and return what to raise.

        Args:
            refusal: What the vendor said.
            message: What happened.
            bearer: What was sent.
            retry_after: Header of that name.
            on_record: Whether the ``closed`` of a connection tells it already.
        """
        text = self._tokens.redacted(refusal.text)
        message = self._tokens.redacted(message)
        if refusal.why != self.why:
            self.why = refusal.why
            if not on_record:
                self._recorder.refused(refusal.status, refusal.why, facts={"heard_ns": None})
            self._tell(refusal.why, refusal.status, text)
        after_s = retry_after_s(retry_after, now_ns=self._clock.now_ns())
        match refusal.why:
            case "bad-customer" | "unknown-customer":
                return ConfigurationError(
                    f"RMS refuses customer {self._settings.customer_id}: {refusal.status} {text}",
                    action="correct TRICAST_RMS__CUSTOMER_ID: digits only, and the customer of the API token",
                )
            # The same token again: its exchange was not answered yet, and says nothing.
            case "rights-withdrawn" if self._withdrawn not in (None, bearer):
                return ConfigurationError(
                    f"RMS withdrew the rights of the API token, and a new exchange did not help: {text}",
                    action="give the API token the role DEFEND Admin in ARENA360, or make another one there",
                )
            case "rights-withdrawn":
                self._withdrawn = bearer
                self._tokens.refused(bearer, rights=True)
            case "unauthorised":
                self._tokens.refused(bearer)
            case "account-inactive":
                after_s = max(after_s, self._settings.inactive_probe_s)
            case "too-many-requests":
                after_s = max(after_s, self._settings.limited_s)
            case "server-error" | "forbidden" | "refused":
                pass
            case _:
                assert_never(refusal.why)
        return ConnectFailed(message, retry_after_s=after_s)

    def _tell(self, why: Why, status: int, text: str) -> None:
        said = (self._recorder.line, why, status, text)
        if why == "account-inactive":
            log.error(
                "rms.refused line=%s why=%s status=%d said=%s Operator action: the account is inactive or its "
                "subscription has ended; ask LSports' support. It is tried again each %g s",
                *said,
                self._settings.inactive_probe_s,
            )
        elif why == "forbidden":
            log.error(
                "rms.refused line=%s why=%s status=%d said=%s Operator action: what stands in front of the "
                "service refuses us; check TRICAST_RMS__SOCKET_URL and …_SOCKET_PATH, and whether LSports lets us in",
                *said,
            )
        else:
            log.warning("rms.refused line=%s why=%s status=%d said=%s", *said)
