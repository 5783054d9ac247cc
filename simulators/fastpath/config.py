"""Settings of the FastPath simulator.

Where the vendor's documents are silent or contradict each other, a setting chooses; the default is the reading that
the fact sheet assumes.
"""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator

Every = Annotated[int, Field(ge=0)]
"""A fault that strikes each n-th time on average, drawn by the seed; always when 1, never when 0."""
EveryNth = Annotated[int, Field(ge=0)]
"""A fault that strikes each n-th connection exactly, counted as they come; never when 0."""
Seconds = Annotated[float, Field(ge=0, le=86_400)]

Sport = Literal[
    "soccer",
    "basketball",
    "ice-hockey",
    "american-football",
    "cricket",
    "snooker",
    "volleyball",
    "tabletennis",
    "tennis",
    "golf",
    "mma",
]
SPORTS: tuple[Sport, ...] = get_args(Sport)


class FastpathFaultSettings(BaseModel):
    """What the simulated vendor does wrong; all off by default."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    hole_every: Every = 0
    """Keep the n-th packet from a connection, silently: it is in the feed's list and comes when asked for again."""
    hole_run: int = Field(default=1, ge=1, le=1_000)
    """How many packets in a row one hole takes."""
    hole_numbers: tuple[int, ...] = ()
    """Numbers of the feed's list that are kept from connections, on top of ``hole_every``."""
    hole_connections: int = Field(default=1, ge=0)
    """Only the first so many connections of a feed have the holes of ``hole_numbers``; 0 = all."""
    skip_every: Every = 0
    """Let the numbering of the feed's list leave numbers out: nobody ever gets them."""
    skip_run: int = Field(default=1, ge=1, le=1_000)
    """How many numbers in a row are left out."""
    swap_every: Every = 0
    """Send the n-th packet up to ``swap_within`` packets later than its turn."""
    swap_within: int = Field(default=3, ge=1, le=1_000)
    """How far a swapped packet slips, in packets; it goes out after half a second in any case."""
    duplicate_every: Every = 0
    """Send the n-th packet twice, the second time at once or a few packets later."""
    conflict_every: Every = 0
    """Send the n-th packet once more with another body, under the same number."""
    reset_every: Every = 0
    """Let numbers begin again before the n-th packet of a connection; until it ends they count from there."""
    odd_number_every: Every = 0
    """Send the n-th packet with an odd number value, see ``ODD_NUMBERS`` in ``faults``, by turns."""

    stall_every_s: Seconds = 0
    """Let all connections go silent each so many seconds, sockets open, pings answered; 0 = never."""
    stall_for_s: float = Field(default=5.0, gt=0)
    """How long one silence lasts, seconds."""
    stall_loses: bool = True
    """Whether packets of a silence are lost to the connection, or follow when it ends. Heartbeats are lost anyway."""
    half_open_every_s: Seconds = 0
    """Turn a connection half-open each so many seconds, oldest first: TCP stays, nothing is sent, read or answered."""
    cut_every_s: Seconds = 0
    """Cut a connection without closing handshake each so many seconds, oldest first; 0 = never."""
    close_every_s: Seconds = 0
    """Close a connection with ``close_code`` each so many seconds, oldest first; 0 = never."""
    close_code: int = Field(default=1011, ge=1000, le=4999)
    """Code of ``close_every_s``: 1000 normal end, 1001 restart of the server, 1011 internal error."""

    refuse_every: EveryNth = 0
    """Refuse every n-th connection, whatever its token, in the style that is set."""
    refuse_status: Literal[429, 503] | None = None
    """Refuse those with this HTTP status on the handshake instead."""
    slow_every: EveryNth = 0
    """Answer every n-th handshake ``slow_s`` late."""
    slow_s: Seconds = 5.0
    """How late slow handshakes are answered, seconds."""
    flood_factor: float = Field(default=1.0, ge=1, le=1_000)
    """How many times as many packets the matches have; looked at before each packet."""
    close_after_auth_every: EveryNth = 0
    """Close every n-th connection right after its auth frame."""
    mute_every: EveryNth = 0
    """Accept every n-th connection and never speak to it: no ack, no heartbeat, nothing; pings are answered."""

    late_connected: int = Field(default=0, ge=0, le=1_000)
    """Send the status ``Connected`` so many packets after the one it belongs before."""
    repeat_status_every: Every = 0
    """Send the n-th status twice."""
    binary_every: Every = 0
    """Send the n-th packet as a binary frame."""
    junk_every: Every = 0
    """Send a malformed frame (see ``JUNK`` in ``faults``, by turns) after the n-th packet."""
    oversized_every: Every = 0
    """Send a frame of ``oversized_bytes`` after the n-th packet."""
    oversized_bytes: int = Field(default=2_000_000, ge=1, le=100_000_000)
    """Size of such a frame; it tells nothing."""

    silence_every_s: Seconds = 0
    """Let the upstream go silent each so many simulated seconds, so that §7 of the sheet strikes; 0 = never."""
    silence_for_s: float = Field(default=45.0, gt=0)
    """How long the upstream is silent, simulated seconds."""
    offline_every_s: Seconds = 0
    """Let the scorer go offline each so many simulated seconds: the collection is suspended, and what was collected
    meanwhile comes in one burst with ``delayStatus``; 0 = never."""
    offline_for_s: float = Field(default=60.0, gt=0)
    """How long the scorer is offline, simulated seconds."""
    drop_collection_every: EveryNth = 0
    """Let every n-th suspension end in a dropped collection instead of a burst."""

    rest_fail_every: EveryNth = 0
    """Every n-th REST answer fails, by turns: see ``REST_FAILURES`` in ``http``."""
    rest_slow_s: float = Field(default=10.0, ge=0, le=600)
    """How long the slow failure takes, seconds."""

    @model_validator(mode="after")
    def _pauses_fit(self) -> Self:
        for name in ("stall", "silence", "offline"):
            every, lasting = getattr(self, f"{name}_every_s"), getattr(self, f"{name}_for_s")
            if 0 < every <= lasting:
                raise ValueError(f"{name}_every_s {every} must exceed {name}_for_s {lasting}")
        return self


class FaultSwitch:
    """The fault settings in force, so that they can be replaced while the simulator runs.

    Args:
        everywhere: Of every feed that no pattern names.
        feeds: By pattern of feed paths (``*`` and ``?``); the first that fits counts.
    """

    def __init__(
        self, everywhere: FastpathFaultSettings, feeds: Mapping[str, FastpathFaultSettings] | None = None
    ) -> None:
        self.everywhere = everywhere
        self.feeds = dict(feeds or {})
        self._known: dict[str, FastpathFaultSettings] = {}

    def of(self, path: str) -> FastpathFaultSettings:
        """Return the faults of the feed at ``path``."""
        faults = self._known.get(path)
        if faults is None:
            fits = (faults for pattern, faults in self.feeds.items() if fnmatchcase(path, pattern))
            faults = self._known[path] = next(fits, self.everywhere)
        return faults

    def groups(self) -> Iterator[tuple[str, FastpathFaultSettings]]:
        """Yield all settings in force with the patterns they are for; ``*`` is everywhere else."""
        yield from self.feeds.items()
        yield "*", self.everywhere

    def replace(self, faults: FastpathFaultSettings, pattern: str | None = None) -> None:
        """Put ``faults`` in force: on feeds that ``pattern`` fits, or everywhere, and then no pattern is left."""
        if pattern is None:
            self.everywhere = faults
            self.feeds.clear()
        else:
            self.feeds = {pattern: faults} | {known: held for known, held in self.feeds.items() if known != pattern}
        self._known.clear()


class FastpathSimulatorSettings(BaseModel):
    """The simulated vendor: where it listens, what it plays, how it speaks, what it does wrong."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = Field(default=0, ge=0, lt=65_536)
    """Port for both WebSockets and REST; 0 takes a free one."""
    seed: int = 1
    """Same seed and same steps give the same matches and the same faults."""
    token: SecretStr = SecretStr("simulated")
    """The one token that is accepted, on sockets and by REST."""

    fixtures: Mapping[Sport, Annotated[int, Field(ge=0, le=1_000)]] = {
        "soccer": 2,
        "basketball": 1,
        "tennis": 1,
        "golf": 1,
        "mma": 1,
    }
    """How many fixtures of each sport are live at once."""
    actions_per_second: float = Field(default=5.0, ge=0, le=20_000)
    """Packets of the actions feeds per second, over all live fixtures."""
    match_duration_s: float = Field(default=240.0, gt=0)
    """How long a match lasts, simulated seconds; its clock is stretched to the sport's own length."""
    speed: float = Field(default=1.0, gt=0, le=1_000)
    """Simulated seconds per real one: matches, packets per second, the rule of §7 with its grid of 10 s. Not sped up
    are timestamps, which are the real time of sending, heartbeats, deadlines and the faults of sockets."""
    step_ms: int = Field(default=20, ge=1, le=1_000)
    """How often the matches advance, milliseconds."""

    require_accept: bool = True
    """Whether a request without the header ``Accept`` is refused with 400."""
    auth_deadline_s: float = Field(default=10.0, gt=0)
    """How long a client may take to send its auth frame, seconds."""
    refusal: Literal["http", "json", "close", "error"] = "json"
    """How a connection is refused: HTTP 401 on the handshake (where the token cannot be known yet: only
    ``refuse_every`` does that, a wrong token is refused as ``json``); a JSON message, then close 1008; close 1008
    alone; a message of level ERROR as tracking feeds send it, then close 1008."""
    ack: bool = True
    """Whether an accepted token is acknowledged in words."""
    scope: Literal["fixture", "connection"] = "fixture"
    """Whether numbers are the fixture's, or begin anew on each connection."""
    position_events: Literal["skip", "start_at"] = "skip"
    """``startPosition=5`` of family A: skip 5 events, or start at the 5th."""
    position_sequence: Literal["start_at", "skip"] = "start_at"
    """``startPosition=5`` of family B: start at number 5, or after it."""
    status_on_connect: bool = True
    """Whether a client that comes while its feed is Disconnected is told so."""
    heartbeat: Literal["auto", "message", "event", "event-lower", "multiplexer"] = "auto"
    """Shape of heartbeats: ``message`` and ``level``; ``eventElementType``; ``eventelementType``; the multiplexer's.
    By sport when ``auto``."""
    heartbeat_s: float | None = Field(default=None, gt=0)
    """Interval of heartbeats, seconds; the sport's when unset: 10, golf 20."""
    pace_finished: bool = False
    """Whether a finished match is replayed at the pace of its packets, unless ``speed=fast`` asks for all at once."""
    not_started: Literal["204", "placeholder", "open"] = "204"
    """A tennis match that has not begun: HTTP 204, a packet with number 0, or an open socket with nothing."""
    unknown_fixture: Literal["404", "4404", "warn"] = "404"
    """A fixture that does not exist: HTTP 404, close 4404 after auth, or a message of level WARN on an open socket."""
    close_finished_s: Seconds = 0
    """Close sockets so many seconds after full time, code 1000; 0 = never."""
    send_queue_max: int = Field(default=20_000, ge=1)
    """Live packets a client may be behind before it is cut as a slow reader."""

    rest_list: Literal["array", "content", "cursor"] = "array"
    """Shape of fixture lists: a bare array, unless ``paged=true`` asks for a page; always a page; a named array with
    a cursor."""
    rest_error: Literal["message", "status"] = "message"
    """Shape of REST errors: ``errorMessage``, or ``error`` and ``status``."""
    rest_per_s: float = Field(default=5.0, gt=0)
    """REST requests per second before 429."""

    faults: FastpathFaultSettings = FastpathFaultSettings()
    """What goes wrong on purpose on feeds that ``feed_faults`` does not name."""
    feed_faults: Mapping[Annotated[str, StringConstraints(min_length=1)], FastpathFaultSettings] = {}
    """What goes wrong on the feeds whose paths a pattern (``*``, ``?``) fits; the first that fits counts."""
    ledger: Path | None = None
    """JSON-lines file that every frame is appended to; none when unset."""
