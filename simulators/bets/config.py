"""Settings of the simulated bet platform."""

from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, field_validator

from simulators.rms.config import CustomerId, Share

_VENDOR: Final = ("lsports.eu", "lsports.cloud", "frontegg.com")


class BetCustomerSettings(BaseModel):
    """An account at the vendor that bets are placed with."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    client_id: Annotated[str, StringConstraints(min_length=1)] = "simulated"
    """Client ID of its API token."""
    secret: SecretStr = SecretStr("simulated")
    """Secret Key of its API token; never printed."""
    customer_id: CustomerId = "90210"
    """Customer id, digits."""
    platform_id: int = 4021
    """Platform that its bets are placed on."""


class BetPlatformSettings(BaseModel):
    """The simulated bet platform: where it places bets, for whom, how many."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    auth_url: str | None = None
    """Base URL of the authentication, e.g. the RMS simulator's; it has to be set to run, and must not be LSports'."""
    bets_url: str | None = None
    """Base URL of the bet API, up to ``/rms-bet/v1``; likewise."""
    customers: tuple[BetCustomerSettings, ...] = Field(default=(BetCustomerSettings(),), min_length=1)
    """For whom bets are placed, by turns."""
    bets_per_second: float = Field(default=2.0, ge=0, le=100)
    """Bets per second over all customers."""
    live_share: Share = 0.5
    """Share of bets that are placed live; the rest is prematch."""
    unknown_share: Share = 0.1
    """Share of bets that place-bet took and bet/detail is not asked about: written with disposition ``unknown``."""
    seed: int = 1
    """Same seed, same slips, save their ids."""
    request_timeout_s: float = Field(default=10.0, gt=0)
    """How long one call of the vendor may take, seconds."""
    give_up_s: float = Field(default=30.0, gt=0)
    """How long a bet is tried to be placed, seconds."""
    ledger: Path | None = None
    """JSON-lines file that every record and what was found out is appended to; none when unset."""

    @field_validator("auth_url", "bets_url")
    @classmethod
    def _no_vendor(cls, url: str | None) -> str | None:
        """Refuse what is no URL, and the vendor itself: there these bets would be real."""
        if url is None:
            return None
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
        if parts.scheme not in ("http", "https") or not host:
            raise ValueError(f"{url!r} is no http or https URL with a host")
        if any(host == vendor or host.endswith(f".{vendor}") for vendor in _VENDOR):
            raise ValueError(f"{host} is the vendor's own: invented bets would be placed there for real")
        return url.rstrip("/")
