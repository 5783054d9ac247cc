"""Settings of the Kambi connector (``TRICAST_KAMBI__…``)."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from connectors.trust import readable
from connectors.urls import checked_url
from schemas.topics import KAMBI_SHARDS, MOST_KAMBI_SHARDS, RAW_MESSAGE_BYTES

_RECORD_OVERHEAD_BYTES = 64 * 1024  # headers, batch header and framing of one record; they need a few hundred bytes


def _push_url(url: str) -> str:
    return checked_url(url, ("ws", "wss", "http", "https"), "wss://eu-push.kambicdn.com")


def _http_url(url: str) -> str:
    return checked_url(url, ("http", "https"), "https://eu-offering-api.kambicdn.com")


_LIST_VIEW = r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+){1,4}$"


class KambiSettings(BaseModel):
    """Where Kambi is, what to follow there, and within which limits."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    push_url: Annotated[str, AfterValidator(_push_url)] = "wss://eu-push.kambicdn.com"
    """Push server; without a path, ``/socket.io/`` is used."""
    offering_url: Annotated[str, AfterValidator(_http_url)] = "https://eu-offering-api.kambicdn.com"
    """Offering HTTP API, for the discovery of live events and for snapshots beside push."""
    ca_file: Annotated[Path | None, AfterValidator(readable)] = None
    """CA certificates (PEM) to trust beside the system's, for a gateway of your own. Nothing turns the checks off."""
    offering: Annotated[str, Field(pattern=r"^[a-z0-9]+$")] = "kambi"
    """Offering identifier, short and lower case, e.g. ``ub``."""
    language: Annotated[str, Field(pattern=r"^[a-z]{2}(_[A-Z]{2})?$")] = "en"
    """Language of the language channels: ``en`` or ``en_GB``, whichever the offering is configured for."""
    events: tuple[Annotated[int, Field(gt=0)], ...] | Literal["live"] = "live"
    """Event ids to follow, or ``live`` for all that the offering API lists as live."""
    max_keys_per_connection: Annotated[int, Field(ge=2)] = 40
    """Routing keys Kambi grants one connection; one over it is refused with 429."""
    max_connections: Annotated[int, Field(ge=1)] = 50
    """Connections this process may hold, those of general and settlement keys included; its shards have equal parts.
    Events past their room are followed on the general line only and wait for a free place."""
    extended: bool = False
    """Subscribe to the extended general channels in place of the general ones (Kambi enables them per offering)."""
    settlements: bool = True
    """Record the settled outcomes (``bh``) on a line of their own; done by the process that runs shard 0."""
    shards: Annotated[int, Field(ge=1, le=MOST_KAMBI_SHARDS)] = KAMBI_SHARDS
    """How many shards the events are spread over: shard = event id modulo this. ``kambi.raw`` has to have partitions
    for them (``partitions.kambi_shards``)."""
    shard: Annotated[int, Field(ge=0)] | Literal["all"] = "all"
    """Number of the one shard this process runs, or ``all``."""
    replica: Annotated[str, Field(pattern=r"^[a-z0-9]{0,8}$")] = ""
    """Name of this hot standby, e.g. ``b``: ends the names of its lines; empty for the first connector of a shard."""
    switch_timeout_s: Annotated[float, Field(gt=0)] = 300.0
    """When the shard count changes: how long the processors may take for what the old shards left, seconds."""
    ask_acknowledgements: bool = False
    """Ask the server to acknowledge each subscription: needed only where it refuses keys in no other way."""
    tick_interval_s: Annotated[float, Field(gt=0)] = 1.0
    """How often each open line writes a ``tick``, seconds."""
    discovery_interval_s: Annotated[float, Field(gt=0)] = 15.0
    """How often the live events are asked for, seconds (15 is the cadence seen beside push)."""
    snapshots: bool = True
    """Poll the offering API beside push and record its answers; without, it is only asked which events are live."""
    snapshot_interval_s: Annotated[float, Field(gt=0)] = 30.0
    """How often each followed event is asked for beside push, seconds; after a (re)subscribe it is asked at once."""
    snapshot_hold_s: Annotated[float, Field(ge=0, le=30)] = 2.0
    """How long an answer is held before it is recorded, so that messages about the same changes come first, seconds."""
    ids_per_request: Annotated[int, Field(ge=1, le=50)] = 5
    """Events asked for in one request; their answers come in one body, bounded by ``max_message_bytes``."""
    prematch: tuple[Annotated[str, Field(pattern=_LIST_VIEW)], ...] = ()
    """Pre-match lists to poll, as paths below ``listView``, e.g. ``football/all/all/all/matches``: push has none."""
    prematch_interval_s: Annotated[float, Field(gt=0)] = 60.0
    """How often each of them is asked for, seconds."""
    requests_per_minute: Annotated[int, Field(ge=1)] = 600
    """Budget of HTTP requests within any 60 seconds, all shards of the process together; evenly spread."""
    http_timeout_s: Annotated[float, Field(gt=0)] = 10.0
    """From an HTTP request to the last byte of its answer, seconds."""
    handshake_timeout_s: Annotated[float, Field(gt=0)] = 10.0
    """From dialling to the accepted Socket.IO connect, seconds."""
    backoff_base_s: Annotated[float, Field(gt=0)] = 0.5
    """Upper bound of the first reconnect delay, seconds; doubles per failure in a row."""
    backoff_cap_s: Annotated[float, Field(gt=0)] = 30.0
    """Upper bound of every reconnect delay, seconds."""
    connects_per_minute: Annotated[int, Field(ge=1)] = 60
    """Connection budget over all lines: attempts within any 60 seconds."""
    max_message_bytes: Annotated[int, Field(ge=1024, le=RAW_MESSAGE_BYTES - _RECORD_OVERHEAD_BYTES)] = (
        RAW_MESSAGE_BYTES - _RECORD_OVERHEAD_BYTES
    )
    """Largest message after decompression; a larger one closes the connection (1009), as Kafka could not keep it."""
    queue_bytes: Annotated[int, Field(ge=1024 * 1024)] = 64 * 1024 * 1024
    """Frames waiting for Kafka in memory, bytes per shard; past it the sockets are pushed back."""
    spool_dir: Path = Path(".tricast/spool")
    """Where frames wait on disk while Kafka is away; it has to outlive the process. One writer a file."""
    spool_bytes: Annotated[int, Field(ge=0)] = 2 * 1024 * 1024 * 1024
    """Bound of what they take of the disk, bytes per shard; past it frames are dropped and counted; 0: no spool."""
    push_back_s: Annotated[float, Field(ge=0)] = 5.0
    """How long a socket is left unread when Kafka is slow before frames are dropped and counted, seconds."""
    copy_skew_ms: Annotated[int, Field(ge=0, le=10_000)] = 0
    """For the processor: how far the ``t`` of copies on different routing keys may be apart, milliseconds. 0: they are
    equal, as is assumed; set it when line health says ``copies-unmatched``."""
    grace_s: Annotated[float, Field(gt=0)] = 10.0
    """On SIGTERM: time to close the sockets and flush to Kafka, seconds."""

    @property
    def own_shards(self) -> tuple[int, ...]:
        """Numbers of the shards this process runs."""
        return tuple(range(self.shards)) if self.shard == "all" else (self.shard,)

    @property
    def runs_settlements(self) -> bool:
        """Whether the settlements line is this process's: one process of all that share the shards has it."""
        return self.settlements and 0 in self.own_shards

    @property
    def fixed_lines(self) -> int:
        """Lines that are open whatever is live: one general line a shard, and the settlements line."""
        return len(self.own_shards) + self.runs_settlements

    @property
    def event_lines_per_shard(self) -> int:
        """Lines that each shard may open for keys of events: an equal part, as event ids spread evenly over shards."""
        return (self.max_connections - self.fixed_lines) // len(self.own_shards)

    @field_validator("events", mode="before")
    @classmethod
    def _events(cls, value: Any) -> Any:
        # The environment gives text or a list split at commas; `live` may arrive as either.
        if isinstance(value, str) and value != "live":
            value = [item for item in re.split(r"[,\s]+", value) if item]
        if value == ["live"]:
            return "live"
        for item in value if isinstance(value, list | tuple) else ():
            if isinstance(item, str) and not re.fullmatch("0*[1-9][0-9]{0,18}", item):
                raise ValueError(f"{item!r:.40} is no event id; give ids such as 1020000001,1020000002, or live")
        return value

    @field_validator("prematch", mode="before")
    @classmethod
    def _terms(cls, value: Any) -> Any:
        return [term for term in re.split(r"[,\s]+", value) if term] if isinstance(value, str) else value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.shard != "all" and self.shard >= self.shards:
            raise ValueError(f"shard {self.shard} is not one of {self.shards} shard(s), counted from 0 (see shards)")
        if self.max_connections < self.fixed_lines:
            raise ValueError(
                f"max_connections {self.max_connections} is too few: the general lines of the shard(s) and the "
                f"settlements line are {self.fixed_lines}; raise it, or set shard or settlements"
            )
        if 0 < self.spool_bytes < self.queue_bytes:
            raise ValueError("spool_bytes is below queue_bytes: the disk could not take what memory holds; 0: no spool")
        if self.backoff_base_s > self.backoff_cap_s:
            raise ValueError("backoff_base_s is above backoff_cap_s")
        return self
