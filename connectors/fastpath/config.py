"""Settings of FastPath (``TRICAST_FASTPATH__…``): the connector's, and at the end the processor's."""

import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import parse_qs, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from connectors.trust import readable
from connectors.urls import checked_url
from schemas.fastpath.feed import feed_of
from schemas.topics import RAW_MESSAGE_BYTES

_RECORD_OVERHEAD_BYTES: Final = 64 * 1024  # headers, batch header and framing of one record; they need a few hundred
# Printable ASCII; no `@`, which sets a replica's name off in the names of lines, and nothing a URL has to escape.
_PATH = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:%/-]+(\?[A-Za-z0-9._~!$&'()*+,;=:%/?-]*)?")
_LONGEST_PATH: Final = 512
_EXAMPLE: Final = "soccer/fixtures/<fixture id>/actions"

LEGACY_HOSTS: Final = ("imgarena.com", "imggaming.com")
"""Domains of the hosts that the vendor shuts down."""
LEGACY_UNTIL: Final = "30 September 2026"
"""When, as announced."""

FeedKind = Literal["actions", "statistics"]


def feed_path(path: str) -> str:
    """Return ``path`` as the name of a feed: without leading slash, query kept.

    Raises:
        ValueError: It cannot be a feed's path.
    """
    if "://" in path:
        raise ValueError(f"{path!r:.100}: give the path alone, e.g. {_EXAMPLE}; the host is stream_url")
    if len(path) > _LONGEST_PATH or not _PATH.fullmatch(path) or not path.partition("?")[0].strip("/"):
        raise ValueError(f"{path!r:.100} is no path of a feed such as {_EXAMPLE}")
    if "startposition" in (name.lower() for name in parse_qs(path.partition("?")[2], keep_blank_values=True)):
        raise ValueError(f"{path!r:.100}: startPosition is the connector's to choose; leave it out")
    return feed_of(path).path


def _stream_url(url: str) -> str:
    return checked_url(url, ("wss", "ws"), "wss://dde-streams.data.srarena.io")


def _api_url(url: str) -> str:
    return checked_url(url, ("https", "http"), "https://dde-api.data.srarena.io")


def _token(token: SecretStr) -> SecretStr:
    text = token.get_secret_value().strip()  # a file's line end, a copy's blanks
    if not text.isascii() or not text.isprintable():
        # Nothing of it is shown: this text goes to logs.
        raise ValueError("the token holds a line break, a control character or a non-ASCII one; is it two lines?")
    return SecretStr(text)


class FastpathSettings(BaseModel):
    """Where FastPath is, what to follow there, and within which limits."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    stream_url: Annotated[str, AfterValidator(_stream_url)] = "wss://dde-streams.data.srarena.io"
    """Stream host; the path of a feed is put after it."""
    api_url: Annotated[str, AfterValidator(_api_url)] = "https://dde-api.data.srarena.io"
    """REST host, for the list of live fixtures."""
    ca_file: Annotated[Path | None, AfterValidator(readable)] = None
    """CA certificates (PEM) to trust beside the system's, for a gateway of your own. Nothing turns the checks off."""
    token: Annotated[SecretStr, AfterValidator(_token)] = SecretStr("")
    """Access token from the vendor's support; needed. Blanks around it do not matter."""
    feeds: tuple[str, ...] = ()
    """Paths of feeds to follow whatever is live, e.g. ``soccer/fixtures/<fixture id>/actions``."""
    sports: tuple[Annotated[str, Field(pattern=r"^(v\d+/)?[a-z0-9-]+$")], ...] = ()
    """Sports whose live fixtures are followed, as in paths, e.g. ``soccer,v2/volleyball``; none: only ``feeds``."""
    kinds: Annotated[tuple[FeedKind, ...], Field(min_length=1)] = ("actions", "statistics")
    """Feeds to open of each fixture that is found live."""
    fixture_types: Annotated[tuple[Literal["official", "simulation", "training"], ...], Field(min_length=1)] = (
        "official",
    )
    """Which of them: the vendor lists simulated and training fixtures beside the official ones."""
    media: bool = False
    """Follow the media feeds of fixtures that are found live, in place of the betting feeds."""
    replica: Annotated[str, Field(pattern=r"^[a-z0-9]{0,8}$")] = ""
    """Name of this hot standby, e.g. ``b``: ends the names of its lines; empty for the first connector of a feed."""
    tick_interval_s: Annotated[float, Field(gt=0)] = 1.0
    """How often each line writes a ``tick``, seconds."""
    heartbeat_s: Annotated[float, Field(gt=0)] | None = None
    """How often the server sends heartbeats, seconds; unset: as documented, 10, of golf 20. After 2.5 of them without
    any frame a connection counts as dead."""
    ping_interval_s: Annotated[float, Field(gt=0)] = 20.0
    """How often to ping the server, seconds; an answer has the same time."""
    handshake_timeout_s: Annotated[float, Field(gt=0)] = 10.0
    """From dialling to the accepted upgrade, seconds."""
    backoff_s: Annotated[tuple[Annotated[float, Field(ge=0)], ...], Field(min_length=1)] = (1, 2, 4, 8, 15, 30)
    """Upper bounds of the reconnect delays after 1, 2, … failures in a row, seconds; the last one goes on."""
    healthy_s: Annotated[float, Field(gt=0)] = 60.0
    """How long a connection has to hold for the delays to start again, seconds."""
    unready_retry_s: Annotated[float, Field(gt=0)] = 30.0
    """When to ask again for a feed that is not started, not known or not understood by the server, seconds."""
    finished_grace_s: Annotated[float, Field(ge=0)] = 300.0
    """How long a feed is kept open after its first packet that says ``finished``, seconds."""
    requests_per_second: Annotated[int, Field(ge=1)] = 5
    """Handshakes and REST requests of this process within any second, together (the vendor's advice)."""
    discovery_interval_s: Annotated[float, Field(gt=0)] = 30.0
    """How often the live fixtures of each sport are asked for, seconds."""
    http_timeout_s: Annotated[float, Field(gt=0)] = 10.0
    """From a REST request to the last byte of its answer, seconds."""
    max_message_bytes: Annotated[int, Field(ge=1024, le=RAW_MESSAGE_BYTES - _RECORD_OVERHEAD_BYTES)] = (
        RAW_MESSAGE_BYTES - _RECORD_OVERHEAD_BYTES
    )
    """Largest message after decompression; a larger one closes the connection (1009), as Kafka could not keep it."""
    queue_bytes: Annotated[int, Field(ge=1024 * 1024)] = 32 * 1024 * 1024
    """Frames waiting for Kafka in memory, bytes per partition; past it the sockets are pushed back."""
    spool_dir: Path = Path(".tricast/spool")
    """Where frames wait on disk while Kafka is away; it has to outlive the process. One writer a file."""
    spool_bytes: Annotated[int, Field(ge=0)] = 1024 * 1024 * 1024
    """Bound of what they take of the disk, bytes per partition; past it frames are dropped and counted; 0: no spool."""
    push_back_s: Annotated[float, Field(ge=0)] = 5.0
    """How long a socket is left unread when Kafka is slow before frames are dropped and counted, seconds."""
    grace_s: Annotated[float, Field(gt=0)] = 10.0
    """On SIGTERM: time to close the sockets and flush to Kafka, seconds."""
    hold_ms: Annotated[int, Field(ge=0, le=60_000)] = 2000
    """For the processor: how long packets after a gap are held back for it to close, milliseconds of stream time."""
    hold_count: Annotated[int, Field(ge=1, le=10_000)] = 64
    """For the processor: how many packets of a fixture are held back at most."""
    repairs_per_fixture: Annotated[int, Field(ge=0)] = 4
    """For both: repairs within ``repair_window_s``, commands per fixture and reconnects for them per line."""
    repair_window_s: Annotated[float, Field(gt=0)] = 600.0
    """For both: the window of that budget, seconds."""
    repair_timeout_s: Annotated[float, Field(gt=0)] = 30.0
    """For both: how long a repair may take, seconds of stream time; how old a command may be, seconds."""

    @property
    def legacy_hosts(self) -> tuple[str, ...]:
        """Configured hosts that the vendor shuts down."""
        hosts = ((urlsplit(url).hostname or "").rstrip(".") for url in (self.stream_url, self.api_url))
        return tuple(h for h in hosts if any(h == domain or h.endswith("." + domain) for domain in LEGACY_HOSTS))

    @field_validator("feeds", "sports", "kinds", "fixture_types", mode="before")
    @classmethod
    def _terms(cls, value: Any) -> Any:
        return [term for term in re.split(r"[,\s]+", value) if term] if isinstance(value, str) else value

    @field_validator("feeds")
    @classmethod
    def _feeds(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(map(feed_path, value)))

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if 0 < self.spool_bytes < self.queue_bytes:
            raise ValueError("spool_bytes is below queue_bytes: the disk could not take what memory holds; 0: no spool")
        return self
