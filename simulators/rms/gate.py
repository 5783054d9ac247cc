"""What every request of the vendor's paths passes: whose address it is, the limit of requests, the ledger."""

from dataclasses import dataclass
from math import ceil
from typing import Final

from aiohttp import web

from simulators.rms.circumstances import Circumstances
from simulators.rms.config import Area
from simulators.rms.ledger import Line
from simulators.rms.limits import SlidingWindow

_S: Final = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One request.

    Attributes:
        ip: Address that limits are about.
        at_ns: When it came.
        used: Requests in the window; 0 if the limit is not about it.
        allowed: Whether the limit lets it pass.
        retry_ns: How long until there is room again.
    """

    ip: str
    at_ns: int
    used: int
    allowed: bool
    retry_ns: int


class Gate:
    """The limit of requests.

    Args:
        around: Limit, what it covers, where the address stands.

    Attributes:
        window: Who has come how often.
    """

    def __init__(self, around: Circumstances) -> None:
        settings = self._settings = around.settings
        self._ledger = around.ledger
        self._clock = around.clock
        self.window = SlidingWindow(
            settings.http_max, int(settings.http_window_s * _S), refused_count=settings.refused_tries_count
        )

    def enter(self, request: web.Request, area: Area) -> Passage:
        """Count ``request``; write it down with ``note`` when its answer is known."""
        ip, now_ns = self._ip(request), self._clock()
        if area not in self._settings.http_limit_covers:
            return Passage(ip=ip, at_ns=now_ns, used=0, allowed=True, retry_ns=0)
        taken = self.window.take(ip, now_ns)
        return Passage(ip=ip, at_ns=now_ns, used=taken.used, allowed=taken.allowed, retry_ns=taken.retry_ns)

    def note(self, request: web.Request, passage: Passage, status: int) -> None:
        """Write the request down with the status of its answer."""
        self._ledger.append(
            Line(
                kind="http",
                at_ns=passage.at_ns,
                ip=passage.ip,
                method=request.method,
                path=request.path,
                status=status,
                used=passage.used,
            )
        )

    def retry_after(self, retry_ns: int) -> dict[str, str]:
        """Return the header that a 429 has, if it has one."""
        return {"Retry-After": str(max(1, ceil(retry_ns / _S)))} if self._settings.retry_after else {}

    def _ip(self, request: web.Request) -> str:
        header = self._settings.client_ip_header
        named = request.headers.get(header, "").partition(",")[0].strip() if header is not None else ""
        return named or request.remote or "unknown"
