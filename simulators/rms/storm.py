"""A storm: for a while every handshake, and authentication if wanted, meets one trouble after the other. Pure."""

from random import Random
from typing import Final, get_args

from pydantic import BaseModel, ConfigDict, Field

from simulators.rms.config import StormKind

_S: Final = 1_000_000_000


class StormSettings(BaseModel):
    """How long, of what, over whom."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    for_s: float = Field(default=60.0, ge=0, le=86_400)
    """How long it lasts, seconds; 0 ends the one that is on."""
    phase_s: float = Field(default=10.0, gt=0)
    """How long one trouble lasts; at its end all connections are cut and the next one is drawn, seconds."""
    kinds: tuple[StormKind, ...] = Field(default=get_args(StormKind), min_length=1)
    """Troubles: refusals with 429, 500 or 401, by CONNECT_ERROR and by HTTP in turn; connections that are half-open
    once they are upgraded; handshakes that are answered late."""
    auth: bool = True
    """Whether authentication fails with the same 429, 500 and 401; a 401 for refreshes only: to an exchange it would
    say that the secret is wrong for good."""


class Storm:
    """One storm.

    Args:
        settings: See ``StormSettings``.
        seed: What decides.
        now_ns: When it begins.
    """

    def __init__(self, settings: StormSettings, *, seed: int, now_ns: int) -> None:
        self.settings = settings
        self._seed = seed
        self._begun_ns = now_ns

    def phase(self, now_ns: int) -> int | None:
        """Return which phase it is in, from 0; none before and after."""
        elapsed_ns = now_ns - self._begun_ns
        if not 0 <= elapsed_ns < self.settings.for_s * _S:
            return None
        return int(elapsed_ns / (self.settings.phase_s * _S))

    def kind(self, now_ns: int) -> StormKind | None:
        """Return the trouble that is on."""
        phase = self.phase(now_ns)
        if phase is None:
            return None
        return Random(f"{self._seed}/storm/{phase}").choice(self.settings.kinds)  # noqa: S311  # faults, not secrets


class Weather:
    """The storm that is on, if one is; one for the whole simulator.

    Args:
        seed: What decides.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._storm: Storm | None = None

    def begin(self, settings: StormSettings, now_ns: int) -> None:
        """Begin a storm in place of the one that is on."""
        self._storm = Storm(settings, seed=self._seed, now_ns=now_ns)

    def phase(self, now_ns: int) -> int | None:
        """Return the phase of the storm that is on."""
        return None if self._storm is None else self._storm.phase(now_ns)

    def kind(self, now_ns: int) -> StormKind | None:
        """Return the trouble of sockets that is on."""
        return None if self._storm is None else self._storm.kind(now_ns)

    def auth_kind(self, now_ns: int) -> StormKind | None:
        """Return the trouble of authentication that is on."""
        return self.kind(now_ns) if self._storm is not None and self._storm.settings.auth else None
