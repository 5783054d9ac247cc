"""Settings of the Kambi simulator."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Every = Annotated[int, Field(ge=0)]
"""A fault counter: the fault strikes each n-th time, never when 0."""


class KambiFaultSettings(BaseModel):
    """What the simulated vendor does wrong; all off by default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    drop_every_s: float = Field(default=0.0, ge=0)
    """Cut one connection without a closing handshake each so many seconds, oldest first, by turns; 0 = never."""
    refuse_every: Every = 0
    """Refuse every n-th push handshake with HTTP ``refuse_status``."""
    refuse_status: Literal[429, 503] = 429
    """What refused handshakes are told; 429 with ``Retry-After``."""
    mute_every: Every = 0
    """Accept every n-th push connection and never say a word of Engine.IO to it."""
    slow_every: Every = 0
    """Answer every n-th push handshake ``slow_ms`` late."""
    slow_ms: int = Field(default=5_000, ge=0, le=600_000)
    """How late slow handshakes are answered, milliseconds."""
    flood_frames_per_s: float = Field(default=0.0, ge=0)
    """Frames of odds changes per second on top of all others, as ``load_frames_per_s``."""
    stall_every_s: float = Field(default=0.0, ge=0)
    """Go silent each so many seconds: sockets and pings stay, what is published meanwhile is lost; 0 = never."""
    stall_for_s: float = Field(default=5.0, gt=0)
    """How long one silence lasts, seconds."""
    duplicate_every: Every = 0
    """Hand every n-th bulk over twice."""
    unknown_mt_every: Every = 0
    """Append a message of an unknown type to every n-th bulk."""
    bare_object_every: Every = 0
    """Send every n-th bulk as single messages outside an array."""
    junk_every: Every = 0
    """Send one malformed packet (see ``JUNK`` in ``frames``, by turns) after every n-th bulk."""
    missing_odds_every: Every = 0
    """Leave the odds out of the first outcome of every n-th odds change."""

    no_event_id_every: Every = 0
    """Leave the event id out of every n-th removal of a bet offer and every n-th settlement, as the vendor may."""
    odd_time_every: Every = 0
    """Send every n-th message, on all its channels, with a ``t`` that is missing, in seconds or an hour ahead, by
    turns."""
    flicker_every: Every = 0
    """Publish every n-th odds change three times at one ``t``: as it is, with other odds, as it is."""

    delay_ms: int = Field(default=0, ge=0, le=600_000)
    """How much later delayed connections deliver, in order, milliseconds; 0 = not at all."""
    delay_every_line: int = Field(default=2, ge=1)
    """Every n-th connection, counted as they come, is a delayed one; 1 = all."""
    reorder_every: Every = 0
    """Deliver every n-th frame 300 ms later than those that follow it on its connection."""
    drop_message_every: Every = 0
    """Keep every n-th delivery of a frame from its connection, silently; other holders of its key get it."""
    never_deliver_every: Every = 0
    """Every n-th connection, counted as they come, is acknowledged and never gets a message."""

    copy_skew_ms: int = Field(default=0, ge=0, le=60_000)
    """How much later than on general channels ``t`` is on event channels, milliseconds."""
    filtered_copies: bool = False
    """Gather odds messages of one event that follow each other, channel by channel: the general copy then holds the
    listed offers only, the event's copy all of them. Otherwise copies of one message are the same everywhere."""
    contradict_every: Every = 0
    """In every n-th odds message that general channels carry, too: the event's copy names other odds at the same
    ``t``. The general copy is the true one."""

    http_fail_every: Every = 0
    """Every n-th HTTP answer fails, by turns: see ``HTTP_FAILURES`` in ``http``."""
    http_slow_ms: int = Field(default=15_000, ge=0, le=600_000)
    """How long the slow failure takes, milliseconds."""
    http_delay_ms: int = Field(default=0, ge=0, le=60_000)
    """How much later HTTP answers come, milliseconds; what they say is as old."""
    http_stale_ms: int = Field(default=0, ge=0, le=600_000)
    """HTTP answers show the offering as it was that long ago or up to twice as long, as a cache in front of it would,
    with ``Age``; milliseconds, 0 = as it is."""

    @model_validator(mode="after")
    def _stall_fits(self) -> Self:
        if 0 < self.stall_every_s <= self.stall_for_s:
            raise ValueError(f"stall_every_s {self.stall_every_s} must exceed stall_for_s {self.stall_for_s}")
        return self


@dataclass(slots=True)
class FaultSwitch:
    """The fault settings in force: one for the whole simulator, so that they can be replaced while it runs."""

    current: KambiFaultSettings


class KambiSimulatorSettings(BaseModel):
    """The simulated vendor: where it listens, how lively it is, how it limits, what it does wrong."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = Field(default=0, ge=0, lt=65_536)
    """Port for both push and HTTP; 0 takes a free one."""
    seed: int = 1
    """Same seed and same steps give the same offering."""
    first_id: int | None = Field(default=None, ge=1, lt=1 << 62)
    """Let the ids of everything start here, e.g. beyond 2^53; real-looking ones when unset."""
    offering: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+$")] = "kambi"
    """Offering identifier, part of routing keys and HTTP paths."""
    languages: tuple[Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(_[A-Z]{2})?$")], ...] = ("en_GB", "en")
    """Languages that have channels."""
    extended_channels: bool = False
    """Whether the extended general channels are enabled for the offering."""

    events_live: int = Field(default=8, ge=1, le=2_000)
    """Events live at once; sports by turns, half of them football."""
    changes_per_second: float = Field(default=20.0, ge=0)
    """Odds moves and small suspensions over all events; goals, points and their bursts come on top."""
    match_duration_s: float = Field(default=240.0, gt=0)
    """How long a match lasts, seconds; ninety minutes of football are squeezed into it."""
    speed: float = Field(default=1.0, gt=0, le=100)
    """Simulated seconds per real one: matches, changes per second, pauses. Not sped up are ``t``, which is the real
    time of publishing, bulk windows, pings and faults."""
    step_ms: int = Field(default=20, ge=1, le=1_000)
    """How often the offering advances, milliseconds."""

    bulk_window_ms: int = Field(default=100, ge=0, le=1_000)
    """How long messages to one routing key are gathered, milliseconds; 0 sends each alone."""
    bulk_max: int = Field(default=50, ge=1)
    """Messages after which a bulk goes out before its window ends."""
    max_keys: int = Field(default=40, ge=1)
    """Routing keys one connection may hold."""
    refusal: Literal["error_event", "message_string", "ack", "error_packet"] = "error_event"
    """How the 429 object travels: event ``error``; event ``message`` with a JSON string; as the acknowledgement (only
    if the client asked for one); Socket.IO error packet."""
    engine_io_levels: tuple[Literal[3, 4], ...] = (4,)
    """Engine.IO protocol levels that are spoken; others are refused with 400. The vendor has spoken both."""
    ping_interval_s: float = Field(default=55.0, gt=0)
    """Engine.IO ping interval, seconds (the vendor's, as noted by a client's author)."""
    ping_timeout_s: float = Field(default=20.0, gt=0)
    """Engine.IO ping time-out, seconds."""
    send_queue_max: int = Field(default=20_000, ge=1)
    """Packets waiting for one connection before it is cut as a slow reader."""

    load_frames_per_s: float = Field(default=0.0, ge=0)
    """Extra frames of odds changes per second, over all connections, on event channels by turns; for load."""
    load_children: int = Field(default=4, ge=1)
    """Odds changes in one load frame; 4 give about 1.3 kB, 16,000 about 5 MB."""

    faults: KambiFaultSettings = KambiFaultSettings()
    """What goes wrong on purpose."""
    ledger: Path | None = None
    """JSON-lines file that every frame and fact is appended to; none when unset."""
