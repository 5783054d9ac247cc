"""Settings of metrics and health endpoints, one docstring a field."""

from ipaddress import ip_address
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from schemas.errors import ConfigurationError


class ObserveSettings(BaseModel):
    """Where a process serves ``/metrics``, ``/livez`` and ``/readyz`` (``TRICAST_OBSERVE__…``)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    """Address to listen on. One that is not this machine's own needs a token."""
    port: int | None = Field(default=None, ge=0, le=65535)
    """Port; 0 takes any that is free, and nothing is served when unset. `tricast work` gives each of its processes one:
    this for the first of all processors there are, the next for the second, and so on."""
    token: SecretStr = SecretStr("")
    """Asked for as `Authorization: Bearer …` when set; also `TRICAST_OBSERVE__TOKEN_FILE`."""
    address_dir: Path | None = None
    """Folder where each process writes its address, as `<process>.json`; `tricast up` sets it."""
    stuck_s: float = Field(default=20.0, gt=0)
    """A worker that has work and commits nothing for so long is not ready; after three times that, not alive."""

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def check(settings: ObserveSettings) -> None:
    """Refuse what would show the process to the network without a token.

    Raises:
        ConfigurationError: It is to be reached from elsewhere, and there is no token.
    """
    if settings.port is not None and not settings.is_loopback and not settings.token.get_secret_value():
        raise ConfigurationError(
            f"observe.host {settings.host} can be reached from other machines, and there is no token",
            action="set TRICAST_OBSERVE__TOKEN_FILE to a file that holds one, or leave the host at 127.0.0.1",
        )
