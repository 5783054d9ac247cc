"""Settings of RMS (``TRICAST_RMS__…``): the connector's, and at the end the processors'."""

from pathlib import Path
from typing import Annotated, Any, Final, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from connectors.trust import readable
from connectors.urls import checked_url
from schemas.topics import RAW_MESSAGE_BYTES

_RECORD_OVERHEAD_BYTES: Final = 64 * 1024  # headers, batch header and framing of one record; they need a few hundred
_LONGEST_CUSTOMER: Final = 20
_SOCKET_PATH: Final = "/rms-socket/socket.io"


def _socket_url(url: str) -> str:
    # With the documented path behind it, too: that is socket_path, and meant once.
    return checked_url(url, ("wss", "ws"), "wss://rms.lsports.eu").removesuffix(_SOCKET_PATH)


def _auth_url(url: str) -> str:
    return checked_url(url, ("https", "http"), "https://authentication.lsports.eu")


def _bets_url(url: str) -> str:
    return url and checked_url(url, ("https", "http"), "https://rms.lsports.eu/rms-bet/v1")


def _secret(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value().strip()  # a file's line end, a copy's blanks
    if not text.isprintable():
        # Nothing of it is shown: this text goes to logs.
        raise ValueError("the secret holds a line break or a control character; is it two lines?")
    return SecretStr(text)


class RmsSettings(BaseModel):
    """Where RMS is, who we are there, and within which limits."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)

    socket_url: Annotated[str, AfterValidator(_socket_url)] = "wss://rms.lsports.eu"
    """Host of the approval socket; ``wss://rms.lsports.cloud`` in older documents."""
    socket_path: Annotated[str, Field(pattern=r"^(/[A-Za-z0-9._~-]+)+/?$")] = _SOCKET_PATH
    """Path of Socket.IO there."""
    ca_file: Annotated[Path | None, AfterValidator(readable)] = None
    """CA certificates (PEM) to trust beside the system's, for a gateway of your own. Nothing turns the checks off."""
    auth_url: Annotated[str, AfterValidator(_auth_url)] = "https://authentication.lsports.eu"
    """Host that exchanges the API token for access tokens."""
    bets_url: Annotated[str, AfterValidator(_bets_url)] = ""
    """Bet API, path included, for look-ups; unset: ``/rms-bet/v1`` on the host of ``socket_url``, so that no token goes
    to a host that nobody named."""
    customer_id: str = ""
    """Customer id at LSports, digits only; needed."""
    client_id: Annotated[str, Field(max_length=200)] = ""
    """Client ID of the API token made in ARENA360; needed. Blanks around it do not matter."""
    secret: Annotated[SecretStr, AfterValidator(_secret)] = SecretStr("")
    """Secret Key of the API token; this or ``secret_file`` is needed. Blanks around it do not matter."""
    secret_file: Path | None = None
    """File that holds the Secret Key: read at the start, on SIGHUP, and when the vendor refuses what it held."""
    replica: Annotated[str, Field(pattern=r"^[a-z0-9]{0,8}$")] = ""
    """Name of this hot standby, e.g. ``b``: ends the names of its lines; empty for a customer's first connector."""
    replicas_behind_ip: Annotated[int, Field(ge=1)] = 1
    """How many RMS connectors the vendor sees under our address: each keeps to its part of the limits below."""
    connects_per_minute: Annotated[int, Field(ge=1)] = 10
    """WebSocket handshakes within any 60 seconds that the vendor grants one address."""
    requests_per_15_min: Annotated[int, Field(ge=1)] = 100
    """HTTP requests within any 15 minutes that the vendor grants one address; a handshake is one."""
    lookups_per_15_min: Annotated[int, Field(ge=1)] = 50
    """How many of those look-ups may take; the rest is for coming back."""
    state_dir: Path = Path(".tricast/rms")
    """Where attempts are remembered, so that a process that starts again keeps to the limits; one file a replica."""
    reconnect_on_refresh: bool = False
    """Whether to change to a new socket after each refresh of the token; the old one closes once the new one joined."""
    join_timeout_s: Annotated[float, Field(gt=0)] = 10.0
    """How long the acknowledgement of ``join`` may take before that is an alarm, seconds."""
    handshake_timeout_s: Annotated[float, Field(gt=0)] = 10.0
    """From dialling to the accepted Socket.IO connect, seconds."""
    http_timeout_s: Annotated[float, Field(gt=0)] = 10.0
    """From an HTTP request to the last byte of its answer, seconds."""
    tick_interval_s: Annotated[float, Field(gt=0)] = 1.0
    """How often each line writes a ``tick``, seconds."""
    backoff_s: Annotated[tuple[Annotated[float, Field(ge=0)], ...], Field(min_length=1)] = (1, 2, 4, 8, 16, 32, 60)
    """Upper bounds of the reconnect delays after 1, 2, … failures in a row, seconds; the last one goes on."""
    backoff_floor_s: Annotated[float, Field(ge=0)] = 1.0
    """Shortest reconnect delay, seconds."""
    healthy_s: Annotated[float, Field(gt=0)] = 60.0
    """How long a connection has to be joined for the delays to start again, seconds."""
    limited_s: Annotated[float, Field(ge=0)] = 60.0
    """No attempt for so long after a 429, or for longer if the server says so, seconds."""
    inactive_probe_s: Annotated[float, Field(gt=0)] = 900.0
    """How often to try again while the account is inactive (402), seconds."""
    max_message_bytes: Annotated[int, Field(ge=1024, le=RAW_MESSAGE_BYTES - _RECORD_OVERHEAD_BYTES)] = (
        RAW_MESSAGE_BYTES - _RECORD_OVERHEAD_BYTES
    )
    """Largest message after decompression; a larger one closes the connection (1009), as Kafka could not keep it."""
    queue_bytes: Annotated[int, Field(ge=1024 * 1024)] = 32 * 1024 * 1024
    """Frames waiting for Kafka in memory, bytes; past it the socket is pushed back."""
    spool_dir: Path = Path(".tricast/spool")
    """Where frames wait on disk while Kafka is away; it has to outlive the process. One writer a file."""
    spool_bytes: Annotated[int, Field(ge=0)] = 1024 * 1024 * 1024
    """Bound of what they take of the disk, bytes; past it frames are dropped and counted; 0: no spool."""
    push_back_s: Annotated[float, Field(ge=0)] = 5.0
    """How long a socket is left unread when Kafka is slow before frames are dropped and counted, seconds."""
    grace_s: Annotated[float, Field(gt=0)] = 10.0
    """On SIGTERM: time to close the socket and flush to Kafka, seconds."""
    window_prematch_s: Annotated[float, Field(gt=0)] = 600.0
    """For the join: how long a referred prematch bet waits for its decision, seconds."""
    window_live_s: Annotated[float, Field(gt=0)] = 120.0
    """For the join: how long any other referred bet waits, seconds."""
    orphan_s: Annotated[float, Field(gt=0)] = 600.0
    """For the join: how long a decision waits for its bet before it is told as an orphan, seconds."""
    verify_s: Annotated[float, Field(gt=0)] = 900.0
    """For the join: how long a bet in doubt waits for its look-up, seconds."""
    unanswered_s: Annotated[float, Field(gt=0)] = 3600.0
    """For the join: how long a bet waits for the answer of place-bet, seconds."""
    remember_s: Annotated[float, Field(gt=0)] = 21_600.0
    """For the processors: how long bets, decisions and aliases are remembered; older bets are refused, seconds."""

    @property
    def bet_api(self) -> str:
        """Where look-ups go: ``bets_url``, or what follows from ``socket_url``."""
        socket = urlsplit(self.socket_url)
        return self.bets_url or f"http{socket.scheme.removeprefix('ws')}://{socket.netloc}/rms-bet/v1"

    @property
    def connects_share(self) -> int:
        """This process's part of ``connects_per_minute``."""
        return self.connects_per_minute // self.replicas_behind_ip

    @property
    def requests_share(self) -> int:
        """This process's part of ``requests_per_15_min``."""
        return self.requests_per_15_min // self.replicas_behind_ip

    @property
    def lookups_share(self) -> int:
        """This process's part of ``lookups_per_15_min``."""
        return self.lookups_per_15_min // self.replicas_behind_ip

    @field_validator("customer_id", mode="before")
    @classmethod
    def _customer(cls, value: Any) -> Any:
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)  # TOML has numbers
        if not isinstance(value, str):
            return value
        text = value.strip()
        if text and not (text.isascii() and text.isdecimal() and len(text) <= _LONGEST_CUSTOMER):
            raise ValueError(f"{text!r:.40} is no customer id: digits only, at most {_LONGEST_CUSTOMER}")
        return text

    @field_validator("client_id")
    @classmethod
    def _client(cls, value: str) -> str:
        return value.strip()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for share, limit in (
            (self.connects_share, "connects_per_minute"),
            (self.requests_share, "requests_per_15_min"),
            (self.lookups_share, "lookups_per_15_min"),
        ):
            if not share:
                raise ValueError(f"{limit} shared by replicas_behind_ip {self.replicas_behind_ip} leaves none for each")
        if self.lookups_per_15_min > self.requests_per_15_min:
            raise ValueError("lookups_per_15_min is more than requests_per_15_min, which it is a part of")
        if 0 < self.spool_bytes < self.queue_bytes:
            raise ValueError("spool_bytes is below queue_bytes: the disk could not take what memory holds; 0: no spool")
        if self.remember_s < max(self.window_prematch_s, self.window_live_s, self.unanswered_s) + self.verify_s:
            raise ValueError("remember_s is below the longest window and verify_s: bets would be forgotten undecided")
        return self
