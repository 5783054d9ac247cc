"""Who is let in: the limit of handshakes, faults and storms, token and customer. Decides; touches no socket."""

from dataclasses import dataclass
from typing import Final, Literal

from aiohttp import web

from simulators.rms.circumstances import Circumstances
from simulators.rms.config import Refusal
from simulators.rms.failures import Turns
from simulators.rms.gate import Passage
from simulators.rms.limits import SlidingWindow
from simulators.rms.refusals import MESSAGES, UNAUTHORIZED, why_refused
from simulators.rms.tokens import Access, Tokens

_S: Final = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """Let in; ``half_open`` when it will hear nothing."""

    access: Access
    half_open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Not let in.

    Attributes:
        by: HTTP status before the upgrade, CONNECT_ERROR, or close 4401 after the upgrade.
        status: Status that is told.
        message: In words.
        retry_ns: When a limit has room again; 0 if it is about no limit.
    """

    by: Literal["http", "socket", "close"]
    status: Refusal
    message: str
    retry_ns: int = 0


class Admission:
    """Decides over handshakes; counts them, so it is repeatable.

    Args:
        around: Limit, how refusals are told, faults, storms.
        tokens: Who has one.

    Attributes:
        window: Who has come how often.
    """

    def __init__(self, around: Circumstances, tokens: Tokens) -> None:
        settings = self._settings = around.settings
        self._faults = around.faults
        self._weather = around.weather
        self._clock = around.clock
        self._tokens = tokens
        self._turns: Turns[Refusal] = Turns()
        self._handshakes = 0
        self.window = SlidingWindow(
            settings.connects_max, int(settings.connects_window_s * _S), refused_count=settings.refused_tries_count
        )

    def delay_s(self) -> float:
        """Return how late the handshake that was decided over last is answered."""
        faults = self._faults.current
        slow = _nth(self._handshakes, faults.slow_every) or self._weather.kind(self._clock()) == "slow"
        return faults.slow_s if slow else 0.0

    def decide(self, request: web.Request, passage: Passage) -> tuple[int, Admitted | Refused]:
        """Count a handshake and decide over it; return how many are in the window, and the decision."""
        self._handshakes += 1
        taken = self.window.take(passage.ip, self._clock())
        if not (taken.allowed and passage.allowed):
            by = self._settings.limit_refusal
            retry_ns = max(taken.retry_ns, passage.retry_ns)
            return taken.used, Refused(by=by, status="429", message=MESSAGES["429"], retry_ns=retry_ns)
        return taken.used, self._struck() or self._judged(request)

    def _struck(self) -> Refused | None:
        faults = self._faults.current
        now_ns = self._clock()
        status = self._turns.next(faults.refuse_every, faults.refusals)
        by = faults.refuse_by
        match self._weather.kind(now_ns):
            case "429" | "500" | "401" as kind:
                status, by = kind, "http" if (self._weather.phase(now_ns) or 0) % 2 else "socket"
            case _:
                pass
        if status is None:
            return None
        return Refused(by=by, status=status, message=UNAUTHORIZED if status == "401" else MESSAGES[status])

    def _judged(self, request: web.Request) -> Admitted | Refused:
        customer = request.headers.get("customerid")
        access = self._tokens.check(request.headers.get("Authorization"), self._clock())
        if access is None:
            return self._bad_token()
        status = why_refused(customer, access, self._settings.credentials)
        if status is not None:
            return Refused(by="socket", status=status, message=MESSAGES[status])
        mute = _nth(self._handshakes, self._faults.current.mute_every)
        return Admitted(access=access, half_open=mute or self._weather.kind(self._clock()) == "half-open")

    def _bad_token(self) -> Refused:
        match self._settings.bad_token:
            case "gateway_401":
                return Refused(by="http", status="401", message=UNAUTHORIZED)
            case "socket_401":
                return Refused(by="socket", status="401", message=UNAUTHORIZED)
            case "close_4401":
                return Refused(by="close", status="401", message=UNAUTHORIZED)


def _nth(number: int, every: int) -> bool:
    return every > 0 and number % every == 0
