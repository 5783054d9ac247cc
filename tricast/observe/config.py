"""Settings of metrics and health endpoints, one docstring a field."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from tricast import reach


class ObserveSettings(BaseModel):
    """Where a process serves ``/metrics``, ``/livez`` and ``/readyz`` (``TRICAST_OBSERVE__…``)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    """Address to listen on. One that is not this machine's own needs a token."""
    port: int | None = Field(default=None, ge=0, le=65535)
    """Port; 0 takes any that is free, and nothing is served when unset. `tricast work` gives each of its processes one:
    this for the first of all processors there are, the next for the second, and so on."""
    token: SecretStr = SecretStr("")
    """Asked for as `Authorization: Bearer …` when set, 16 characters at least; also `TRICAST_OBSERVE__TOKEN_FILE`."""
    address_dir: Path | None = None
    """Folder where each process writes its address, as `<process>.json`; `tricast up` sets it."""
    stuck_s: float = Field(default=20.0, gt=0)
    """A worker that has work and commits nothing for so long is not ready; after three times that, not alive."""


def check(settings: ObserveSettings) -> None:
    """Refuse what would show the process to the network without a token; see :func:`tricast.reach.check`.

    Raises:
        ConfigurationError: So it is, or the token can be guessed.
    """
    if settings.port is not None:
        reach.check("what this process serves", settings.host, settings.token.get_secret_value() or None)
