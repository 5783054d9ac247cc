"""What checkers ask of the simulator beside the vendor's paths: bets, decisions, state, faults, storms, closings."""

from dataclasses import dataclass
from typing import Annotated, Any, Final, Protocol, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from simulators.rms.admission import Admission
from simulators.rms.bets import Bet, Disposition
from simulators.rms.circumstances import Circumstances
from simulators.rms.config import CloseCode, CustomerId, RmsFaultSettings
from simulators.rms.connections import Connections
from simulators.rms.desk import Desk
from simulators.rms.failures import json
from simulators.rms.gate import Gate
from simulators.rms.ledger import Line
from simulators.rms.platform import BetPlatform
from simulators.rms.storm import StormSettings
from simulators.rms.trader import Move

T = TypeVar("T")

_PAGE: Final = 1_000


class PlacedBet(BaseModel):
    """A bet that is placed from outside; what is left out is drawn."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    customer: CustomerId | None = None
    """Whose; the first one's when left out."""
    platform: int | None = None
    """Where; the customer's first one when left out."""
    slip: dict[str, Any] = {}
    """Fields of the place-bet request that differ from those drawn; one that is null is left out."""
    disposition: Disposition | None = None
    """What becomes of it at once."""
    moves: tuple[Move, ...] | None = None
    """What the trader will say when it is referred."""


class DecidedNow(BaseModel):
    """A decision that is said at once."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bet: str
    """Bet code."""
    move: Move
    """What, and how; ``after_s`` is passed over."""


class Ending(BaseModel):
    """Which connections are ended, and how."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    how: CloseCode | Annotated[str, Field(pattern=r"^(cut|half-open|disconnect)$")] = "cut"
    """Without closing handshake, half-open, by a Socket.IO disconnect packet, or with a close code."""
    customer: CustomerId | None = None
    """Only this customer's."""
    connection: str | None = None
    """Only this one."""


class Clock(Protocol):
    """What stands still."""

    paused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """``GET /simulator/state``, ``/bets``, ``/decisions``, ``/faults``; ``POST /simulator/bets``, ``/decisions``,
    ``/faults``, ``/storm``, ``/close``, ``/pause``, ``/resume``. All answer JSON; none counts for a limit.
    """

    desk: Desk
    platform: BetPlatform
    connections: Connections
    admission: Admission
    gate: Gate
    around: Circumstances
    clock: Clock
    default: tuple[str, dict[str, int]]
    """Customer of bets that name none, and the platform of bets that name none, by customer."""

    def attach(self, app: web.Application) -> None:
        """Serve it in ``app``."""
        app.router.add_get("/simulator/state", self._state)
        app.router.add_get("/simulator/bets", self._bets)
        app.router.add_get("/simulator/decisions", self._decisions)
        app.router.add_post("/simulator/bets", self._place)
        app.router.add_post("/simulator/decisions", self._decide)
        app.router.add_get("/simulator/faults", self._tell_faults)
        app.router.add_post("/simulator/faults", self._set_faults)
        app.router.add_post("/simulator/storm", self._begin_storm)
        app.router.add_post("/simulator/close", self._close)
        app.router.add_post("/simulator/pause", self._pause)
        app.router.add_post("/simulator/resume", self._resume)

    async def _state(self, _: web.Request) -> web.Response:
        now_ns = self.around.clock()
        return json(
            {
                "paused": self.clock.paused,
                "waiting": self._waiting,
                "bets": len(self.desk.book),
                "decisions": self.desk.decisions,
                "storm": self.around.weather.kind(now_ns),
                "connects_used": self.admission.window.used(now_ns),
                "http_used": self.gate.window.used(now_ns),
                "connections": [
                    {
                        "connection": client.name,
                        "customer": client.customer,
                        "ip": client.ip,
                        "rooms": sorted(f"{customer}:{platform}" for customer, platform in client.rooms),
                        "half_open": client.half_open_ns is not None,
                    }
                    for client in self.connections.clients
                ],
            }
        )

    async def _bets(self, request: web.Request) -> web.Response:
        """Tell bets with request and answer, in order; ``?after=`` a number."""
        after = _number(request.query.get("after"))
        return json({"bets": [_placed(bet) for bet in self.desk.book.after(after, _PAGE)]})

    async def _decisions(self, request: web.Request) -> web.Response:
        """Tell what was decided about the referred bets among those that ``/bets`` tells: the truth."""
        after = _number(request.query.get("after"))
        bets = self.desk.book.after(after, _PAGE)
        return json({"bets": [_decided(bet) for bet in bets if bet.disposition == "referred"]})

    async def _place(self, request: web.Request) -> web.Response:
        """Place one bet, or a list of them; answer as ``/bets`` does."""
        wanted = await _read(_PLACED, request)
        if isinstance(wanted, web.Response):
            return wanted
        return json(
            {"bets": [_placed(self._placed(bet)) for bet in ([wanted] if isinstance(wanted, PlacedBet) else wanted)]}
        )

    def _placed(self, wanted: PlacedBet) -> Bet:
        first, platforms = self.default
        customer = wanted.customer or first
        platform = wanted.platform if wanted.platform is not None else platforms.get(customer, 0)
        slip = {name: value for name, value in (self.platform.slip() | wanted.slip).items() if value is not None}
        return self.desk.place(customer, platform, slip, disposition=wanted.disposition, moves=wanted.moves)

    async def _decide(self, request: web.Request) -> web.Response:
        wanted = await _read(_DECIDED, request)
        if isinstance(wanted, web.Response):
            return wanted
        bet = self.desk.book.by_code(wanted.bet)
        if bet is None:
            return json({"error": f"no bet {wanted.bet}", "status": 404}, 404)
        self.desk.decide(bet, wanted.move)
        return json(_decided(bet))

    async def _tell_faults(self, _: web.Request) -> web.Response:
        """Tell the fault settings in force."""
        return json(self.around.faults.current.model_dump())

    async def _set_faults(self, request: web.Request) -> web.Response:
        """Replace all fault settings: what is not named is off again."""
        faults = await _read(_FAULTS, request)
        if isinstance(faults, web.Response):
            return faults
        self.around.faults.current = faults
        return json(faults.model_dump())

    async def _begin_storm(self, request: web.Request) -> web.Response:
        settings = await _read(_STORM, request)
        if isinstance(settings, web.Response):
            return settings
        self.around.weather.begin(settings, self.around.clock())
        if settings.for_s:
            self.connections.change_weather()
        self._note(f"for {settings.for_s} s", fault="storm")
        return json(settings.model_dump())

    async def _close(self, request: web.Request) -> web.Response:
        ending = await _read(_ENDING, request)
        if isinstance(ending, web.Response):
            return ending
        struck = [
            client
            for client in self.connections.clients
            if not client.quiet
            and ending.customer in (None, client.customer)
            and ending.connection in (None, client.name)
        ]
        for client in struck:
            match ending.how:
                case "cut":
                    client.cut("cut on request")
                case "half-open":
                    client.half_open()
                case "disconnect":
                    self.connections.disconnect(client)
                case code:
                    client.close(int(code), "closed on request")
            self._note("on request", fault=str(ending.how), connection=client.name)
        return json({"ended": [client.name for client in struck]})

    async def _pause(self, _: web.Request) -> web.Response:
        """Place no more bets; ``waiting`` is how many decisions and packets are still to come: ask again."""
        self.clock.paused = True
        return json({"paused": True, "waiting": self._waiting})

    async def _resume(self, _: web.Request) -> web.Response:
        self.clock.paused = False
        return json({"paused": False, "waiting": self._waiting})

    def _note(self, reason: str, *, fault: str, connection: str | None = None) -> None:
        now_ns = self.around.clock()
        self.around.ledger.append(Line(kind="fault", at_ns=now_ns, connection=connection, fault=fault, reason=reason))

    @property
    def _waiting(self) -> int:
        return self.desk.waiting + self.connections.waiting


_PLACED: Final[TypeAdapter[PlacedBet | list[PlacedBet]]] = TypeAdapter(PlacedBet | list[PlacedBet])
_DECIDED: Final = TypeAdapter(DecidedNow)
_FAULTS: Final = TypeAdapter(RmsFaultSettings)
_STORM: Final = TypeAdapter(StormSettings)
_ENDING: Final = TypeAdapter(Ending)


async def _read(adapter: TypeAdapter[T], request: web.Request) -> T | web.Response:
    try:
        return adapter.validate_json(await request.read() or b"{}")
    except ValidationError as error:
        return json({"error": str(error), "status": 400}, 400)


def _placed(bet: Bet) -> dict[str, Any]:
    return {
        "number": bet.number,
        "customer": bet.customer,
        "platform": bet.platform,
        "placed_ns": bet.placed_ns,
        "disposition": bet.disposition,
        "request": bet.slip,
        "answer": bet.answer,
    }


def _decided(bet: Bet) -> dict[str, Any]:
    return {
        "number": bet.number,
        "customer": bet.customer,
        "platform": bet.platform,
        "slip": bet.slip_id,
        "code": bet.code,
        "stands": bet.stands,
        "decisions": [
            {
                "number": decision.number,
                "outcome": decision.outcome,
                "at_ns": decision.at_ns,
                "reached": decision.reached,
            }
            for decision in bet.decisions
        ],
    }


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isascii() and text.isdecimal() else 0
