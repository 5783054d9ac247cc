"""Settings of the engine, one docstring a field."""

import socket

from pydantic import BaseModel, ConfigDict, Field, model_validator

JOIN_MARGIN_S = 5.0
"""What a join may take beyond the slowest member."""


class EngineSettings(BaseModel):
    """How a worker takes part in its group and how large its cycles are (``TRICAST_ENGINE__…``)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    worker_name: str = Field(default_factory=socket.gethostname, pattern=r"^[A-Za-z0-9._-]{1,100}$")
    """Stable name of this worker, unique in the group: a restarted worker ends its own torn transaction by it."""
    session_timeout_s: float = Field(default=10.0, gt=0, le=1800)
    """After this long without a heartbeat the group takes the tasks away."""
    heartbeat_interval_s: float = Field(default=1.0, gt=0)
    """How often the worker says it is alive."""
    rebalance_timeout_s: float = Field(default=15.0, gt=0)
    """How long a running cycle may take when the group rebalances; its transaction ends before."""
    transaction_timeout_s: float = Field(default=10.0, ge=1, le=900)
    """After this long Kafka aborts a transaction whose worker is gone."""
    max_cycle_records: int = Field(default=3_000, ge=1)
    """Most source records of one transaction, which a worker takes that is behind; one that keeps up has few a time."""
    max_poll_records: int = Field(default=500, ge=1)
    """Most records of one fetched batch."""
    max_partition_fetch_bytes: int = Field(default=4 * 1024 * 1024, ge=1024)
    """Bytes fetched ahead of one partition; a larger single record still passes."""
    dead_letter_window: int = Field(default=1_000, ge=1)
    """How many recent records of a task the stop ratio looks at."""
    dead_letter_stop_ratio: float = Field(default=0.5, gt=0, le=1)
    """Share of those that may fail by exception before the worker stops; vendor data never counts."""

    @property
    def group_request_timeout_s(self) -> float:
        """How long a request of the group's member may take: joining waits for all others, or their session's end."""
        return max(self.rebalance_timeout_s, self.session_timeout_s) + JOIN_MARGIN_S

    @model_validator(mode="after")
    def _ordered(self) -> "EngineSettings":
        if self.heartbeat_interval_s * 3 > self.session_timeout_s:
            raise ValueError("heartbeat_interval_s must be at most a third of session_timeout_s")
        return self
