"""Settings of the RMS simulator.

Where the vendor's documents are silent, a setting chooses; the default is the reading that the fact sheet assumes.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator

EveryNth = Annotated[int, Field(ge=0)]
"""A fault that strikes each n-th time exactly, counted as they come; never when 0."""
Seconds = Annotated[float, Field(ge=0, le=86_400)]
Share = Annotated[float, Field(ge=0, le=1)]
CloseCode = Annotated[int, Field(ge=1000, le=4999)]
CustomerId = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,20}$")]

Area = Literal["socket", "auth", "bets"]
Refusal = Literal["400", "401", "402", "403", "429", "500"]
AuthFailure = Literal["429", "500", "401", "html", "no-expiry", "no-refresh-token", "cut", "slow"]
"""429 (with ``Retry-After`` if that is set), 500, 401; 200 with HTML; without any expiry; without a refresh token; the
connection ends half-way through the body; the answer, but ``slow_s`` later. The first four change nothing over here,
the others have used up the refresh token."""
BetsFailure = Literal["404", "429", "500", "503", "html", "half", "cut", "slow"]
StormKind = Literal["429", "500", "401", "half-open", "slow"]

Shape = Literal["object", "string", "list", "two-arguments", "two-elements"]
"""What an event's arguments are: an object; its JSON text; a list with the object in it; the object twice as two
arguments; a list with the object twice. The last two are more than a client has to take."""
Ids = Literal["both", "slip", "code", "short", "none", "disagree"]
"""Which ids an approval has: slip id and bet code; one of them; the short code alone, which is not unique; none; the
slip id with the code of another bet."""
Spelling = Literal["documented", "camel", "snake", "code"]
"""Names of the ids: as in the sheet's samples, all in one case, or ``code`` for the bet code."""
Time = Literal["iso", "iso7", "epoch-ms", "none", "future"]
"""When it was decided: ISO 8601 with 3 or 7 decimals, epoch milliseconds, not told, an hour ahead."""


class RmsFaultSettings(BaseModel):
    """What the simulated vendor does wrong; all off by default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    drop_every_s: Seconds = 0
    """Cut a connection without closing handshake each so many seconds, oldest first; 0 = never."""
    half_open_every_s: Seconds = 0
    """Turn a connection half-open each so many seconds, oldest first: TCP stays, nothing is sent, read or answered."""
    close_every_s: Seconds = 0
    """Close a connection with ``close_code`` each so many seconds, oldest first; 0 = never."""
    close_code: CloseCode = 1001
    """Code of ``close_every_s`` and ``close_joined_every``: 1000 normal, 1001 maintenance, 4401 token, 4403 rights."""
    disconnect_every_s: Seconds = 0
    """Send a connection the Socket.IO disconnect packet each so many seconds, oldest first; the WebSocket stays."""

    refuse_every: EveryNth = 0
    """Refuse every n-th handshake with one of ``refusals``, by turns."""
    refusals: tuple[Refusal, ...] = Field(default=("429", "500", "401"), min_length=1)
    """What refused handshakes are told."""
    refuse_by: Literal["socket", "http"] = "socket"
    """Whether by a Socket.IO CONNECT_ERROR or by an HTTP status before the upgrade."""
    slow_every: EveryNth = 0
    """Answer every n-th handshake ``slow_s`` late."""
    slow_s: Seconds = 15.0
    """How late slow answers come, those of HTTP too, seconds."""
    mute_every: EveryNth = 0
    """Turn every n-th connection half-open as soon as it is upgraded."""
    unheard_join_every: EveryNth = 0
    """Pass over every n-th ``join``: no acknowledgement, no room."""
    hollow_join_every: EveryNth = 0
    """Acknowledge every n-th ``join`` and let it into no room: nothing ever comes."""

    close_joined_every: EveryNth = 0
    """Close every n-th connection that joins with ``close_code`` right after; 4403: rights are gone for good."""

    duplicate_every: EveryNth = 0
    """Send every n-th approval twice."""
    flood_factor: int = Field(default=1, ge=1, le=1_000)
    """Send every approval so many times."""
    stalled: bool = False
    """Keep what is said in rooms and follow with it when this is off again; pings go on."""
    unknown_event_every: EveryNth = 0
    """Send an event of an unknown name after every n-th approval."""
    junk_every: EveryNth = 0
    """Send a malformed packet (see ``JUNK`` in ``approvals``, by turns) after every n-th approval."""

    auth_fail_every: EveryNth = 0
    """Every n-th answer of the authentication fails with one of ``auth_failures``, by turns."""
    auth_failures: tuple[AuthFailure, ...] = Field(default=get_args(AuthFailure), min_length=1)
    """How authentication fails."""
    bets_fail_every: EveryNth = 0
    """Every n-th answer of the bet API fails with one of ``bets_failures``, by turns."""
    bets_failures: tuple[BetsFailure, ...] = Field(default=get_args(BetsFailure), min_length=1)
    """How the bet API fails."""


@dataclass(slots=True)
class FaultSwitch:
    """The fault settings in force: one for the whole simulator, so that they can be replaced while it runs."""

    current: RmsFaultSettings


class RmsCredentialSettings(BaseModel):
    """One API token of ARENA360, and whose it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    client_id: Annotated[str, StringConstraints(min_length=1)] = "simulated"
    """Client ID."""
    secret: SecretStr = SecretStr("simulated")
    """Secret Key."""
    customer_id: CustomerId = "90210"
    """The customer whose gates it opens; the header ``customerid`` has to name the same."""
    platform_ids: tuple[int, ...] = Field(default=(4021,), min_length=1)
    """Platforms whose rooms its connections join."""
    active: bool = True
    """Whether the account is active; otherwise connections are refused with 402."""


class RmsTraderSettings(BaseModel):
    """What the trader does with bets that are referred."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    accept_share: Share = 0.6
    """Share of referred bets that are accepted."""
    reject_share: Share = 0.3
    """Share of referred bets that are rejected; the rest is ignored."""
    repeat_share: Share = 0.0
    """Share of decisions that are said once more."""
    contradict_share: Share = 0.0
    """Share of decisions that are followed by the opposite; the first stands."""
    amend_share: Share = 0.0
    """Share of decisions that name another stake or other odds."""
    decide_after_s: tuple[Seconds, Seconds] = (0.5, 5.0)
    """How long a decision takes, shortest and longest, seconds; a repeat or contradiction as long again."""
    shapes: tuple[Shape, ...] = Field(default=("object",), min_length=1)
    """What approvals look like, drawn evenly; likewise the next three."""
    ids: tuple[Ids, ...] = Field(default=("both",), min_length=1)
    """Which ids they have."""
    spellings: tuple[Spelling, ...] = Field(default=("documented",), min_length=1)
    """How the names of these are written."""
    times: tuple[Time, ...] = Field(default=("iso",), min_length=1)
    """How the time of the decision is written."""
    number_share: Share = 0.0
    """Share of approvals whose ids of digits are JSON numbers, not strings."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.accept_share + self.reject_share > 1:
            raise ValueError("accept_share and reject_share are more than everything")
        if self.decide_after_s[0] > self.decide_after_s[1]:
            raise ValueError(f"decide_after_s {self.decide_after_s} is not shortest, longest")
        return self


class RmsPlatformSettings(BaseModel):
    """The operator's bet platform, which places bets by itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bets_per_second: float = Field(default=2.0, ge=0, le=10_000)
    """Bets per second, over all credentials and platforms by turns; 0 = only those that are placed from outside."""
    slip_ids: Literal["uuid", "digits", "big"] = "uuid"
    """Slip ids: UUIDs, digits, digits beyond 2^53."""
    same_slip_ids: bool = False
    """Whether customers have the same slip ids, each once."""
    live_share: Share = 0.5
    """Share of bets that are placed live; the rest is prematch."""


class RmsSimulatorSettings(BaseModel):
    """The simulated vendor: where it listens, whom it knows, how it speaks, what it does wrong."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = Field(default=0, ge=0, lt=65_536)
    """Port for authentication, socket and bet API; 0 takes a free one."""
    seed: int = 1
    """Same seed and same bets give the same decisions."""
    step_ms: int = Field(default=20, ge=1, le=1_000)
    """How often time passes over here, milliseconds."""
    credentials: tuple[RmsCredentialSettings, ...] = Field(default=(RmsCredentialSettings(),), min_length=1)
    """All API tokens there are."""
    client_ip_header: str | None = None
    """Header that names the IP address of a client, as a proxy would (the first of a list counts); the peer's when
    unset or missing."""

    access_token_s: int = Field(default=1_800, ge=1)
    """Life of an access token, seconds."""
    refresh_token_s: float = Field(default=604_800.0, gt=0)
    """Life of a refresh token, seconds."""
    refresh_tokens_max: int = Field(default=100, ge=1)
    """Refresh tokens of one API token that live at once; one more drops the oldest."""
    refresh_case: Literal["camel", "snake"] = "camel"
    """Names in the answer to a refresh; the exchange answers in camel case."""
    expires: Literal["date", "empty"] = "date"
    """``expires`` is an RFC 1123 date, or empty as Frontegg's mocks have it."""

    bad_token: Literal["gateway_401", "socket_401", "close_4401"] = "gateway_401"  # noqa: S105  # no password
    """A handshake whose bearer is missing, wrong or expired: HTTP 401; CONNECT_ERROR 401; close 4401 after upgrade."""
    close_expired: bool = False
    """Whether a socket whose token expires is closed with 4401."""
    connect_error: Literal["status", "bare", "text"] = "status"
    """CONNECT_ERROR packets: with ``data.statusCode``; with the message alone; a text instead of an object."""
    join_ack: bool = True
    """Whether ``join`` is acknowledged, if that was asked for."""
    ping_interval_s: float = Field(default=25.0, gt=0)
    """Engine.IO ping interval, seconds."""
    ping_timeout_s: float = Field(default=20.0, gt=0)
    """Engine.IO ping time-out, seconds."""
    connect_timeout_s: float = Field(default=45.0, gt=0)
    """How long a client may take to send its Socket.IO CONNECT, or to go after a refusal, seconds."""
    send_queue_max: int = Field(default=20_000, ge=1)
    """Packets waiting for one connection before it is cut as a slow reader."""

    connects_max: int = Field(default=10, ge=1)
    """WebSocket handshakes of one IP address in any ``connects_window_s``."""
    connects_window_s: float = Field(default=60.0, gt=0)
    """Length of that sliding window, seconds."""
    http_max: int = Field(default=100, ge=1)
    """HTTP requests of one IP address in any ``http_window_s``; a handshake is one."""
    http_window_s: float = Field(default=900.0, gt=0)
    """Length of that sliding window, seconds."""
    http_limit_covers: frozenset[Area] = frozenset({"socket"})
    """Which requests the second limit is about."""
    refused_tries_count: bool = True
    """Whether what a limit refused counts for it, too."""
    limit_refusal: Literal["socket", "http"] = "socket"
    """A handshake over a limit: CONNECT_ERROR 429, or HTTP 429 before the upgrade."""
    retry_after: bool = False
    """Whether HTTP 429 tells by ``Retry-After`` when there is room again."""

    referred_share: Share = 0.5
    """Share of placed bets that are referred to the trader."""
    rejected_share: Share = 0.1
    """Share of placed bets that are rejected at once; the rest is accepted at once."""
    rejected_answer: Literal["409", "200"] = "409"
    """What such a bet is answered: 409, or 200 with ``result`` false and a bet code."""
    waiting_status: Literal["reserve", "pending"] = "reserve"
    """Status of a referred bet in bet/detail until it is decided."""
    bets_kept: int = Field(default=100_000, ge=1)
    """Bets that are known at once; the oldest are forgotten, undecided ones are then never decided."""
    trader: RmsTraderSettings = RmsTraderSettings()
    """The trader."""
    platform: RmsPlatformSettings = RmsPlatformSettings()
    """The bet platform."""

    faults: RmsFaultSettings = RmsFaultSettings()
    """What goes wrong on purpose."""
    ledger: Path | None = None
    """JSON-lines file that every frame, request and decision is appended to; none when unset."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.referred_share + self.rejected_share > 1:
            raise ValueError("referred_share and rejected_share are more than everything")
        if len({credential.client_id for credential in self.credentials}) < len(self.credentials):
            raise ValueError("two credentials have the same client_id")
        return self
