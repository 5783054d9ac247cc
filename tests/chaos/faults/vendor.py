"""A vendor that refuses, is slow, floods or falls silent: what its simulator is told, and told no more."""

import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any, Final

from tests.chaos.faults.cut import cut

if TYPE_CHECKING:
    from tests.chaos.product import Product

Settings = Mapping[str, Any]
_FOR_GOOD: Final = {"stall_every_s": 86_400, "stall_for_s": 86_399.999}
"""A silence that is on until it is told to be off."""
_PATIENCE_S: Final = 180.0
_GRACE_S: Final = 40.0

_Draw = Callable[[Random], Settings]

REFUSING: Final[Mapping[str, _Draw]] = {
    "kambi": lambda random: {"refuse_every": 1, "refuse_status": random.choice((429, 503))},
    "fastpath": lambda random: {"refuse_every": 1, "refuse_status": random.choice((429, 503, None))},
    # A 429 keeps a client away for a minute at least, as the vendor wants it.
    "rms": lambda random: {
        "refuse_every": 1,
        "refusals": [random.choice(("500", "500", "429"))],
        "refuse_by": random.choice(("socket", "http")),
    },
}
SLOW: Final[Mapping[str, _Draw]] = {
    "kambi": lambda random: {
        "slow_every": 1,
        "slow_ms": random.choice((2_000, 8_000)),
        "delay_every_line": 1,
        "delay_ms": 3_000,
        "http_delay_ms": 3_000,
    },
    "fastpath": lambda random: {
        "slow_every": 1,
        "slow_s": random.choice((2.0, 8.0)),
        "stall_every_s": 2.0,
        "stall_for_s": 1.8,
        "stall_loses": False,
    },
    "rms": lambda random: {"slow_every": 1, "slow_s": random.choice((2.0, 8.0))},
}
FLOODING: Final[Mapping[str, _Draw]] = {
    "kambi": lambda _: {"flood_frames_per_s": 600},
    "fastpath": lambda _: {"flood_factor": 10},
    "rms": lambda _: {"flood_factor": 10},
}
SILENT: Final[Mapping[str, _Draw]] = {
    "kambi": lambda _: _FOR_GOOD,
    "fastpath": lambda random: _FOR_GOOD | {"stall_loses": random.random() < 0.5},
    "rms": lambda _: {"stalled": True},
}


@dataclass(slots=True)
class _Told:
    """One vendor is told other fault settings; those it had come back when it is healed.

    Args:
        target: ``vendor:<feed>``.
    """

    target: str
    had: dict[str, Any] = field(default_factory=dict)

    def tell(self, product: "Product", settings: Settings) -> dict[str, Any]:
        """Put ``settings`` over those in force; return them."""
        told = _patiently(lambda: product.ask(self.feed, "/simulator/faults"))
        self.had = {name: told[name] for name in settings}
        _patiently(lambda: product.ask(self.feed, "/simulator/faults", told | settings))
        return dict(settings)

    def heal(self, product: "Product") -> None:
        """Put back what was there; what others have changed since stays."""
        _patiently(
            lambda: product.ask(self.feed, "/simulator/faults", product.ask(self.feed, "/simulator/faults") | self.had)
        )

    @property
    def feed(self) -> str:
        """Whose simulator."""
        return self.target.removeprefix("vendor:")


def _patiently(ask: Callable[[], Any]) -> Any:
    """Ask a simulator that may have its hands full, perhaps with what it was told."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return ask()
        except OSError:
            if time.monotonic() > deadline:
                raise


@dataclass(slots=True)
class VendorRefusing(_Told):
    """Every connection is cut and every handshake refused: 429 or 503; FastPath also as a wrong token, RMS with 500.

    What must hold: the gap is on record from the last frame to the ``opened`` after it; attempts stay within budget. A
    wrong token ends FastPath's lines for good, with an alarm: then its operator starts the connector again.
    """

    name: str = "vendor-refusing"
    wrong_token: bool = False

    def inject(self, product: "Product", random: Random) -> dict[str, Any]:
        told = self.tell(product, REFUSING[self.feed](random))
        self.wrong_token = self.feed == "fastpath" and told["refuse_status"] is None
        return told | cut(product, self.feed, "cut")

    def heal(self, product: "Product") -> None:
        """Put back what was there; be the operator, where one has to act."""
        _Told.heal(self, product)
        if self.wrong_token:
            product.processes.end(f"connector:{self.feed}", signal.SIGTERM, _GRACE_S)


@dataclass(slots=True)
class VendorSlow(_Told):
    """Frames and answers come seconds late, in order, and so does every handshake; half of the times all are cut first.

    What must hold: all that comes is there. What waited for a connection that ended is ``lost`` in the ledger.
    """

    name: str = "vendor-slow"

    def inject(self, product: "Product", random: Random) -> dict[str, Any]:
        told = self.tell(product, SLOW[self.feed](random))
        return told | (cut(product, self.feed, "cut") if random.random() < 0.5 else {})


@dataclass(slots=True)
class VendorFlooding(_Told):
    """Ten times as much: Kambi odds changes, FastPath actions, RMS each approval ten times (its copies are one).

    What must hold: all of it is there; a frame that found no room is named by an ``overflow`` record.
    """

    name: str = "vendor-flooding"

    def inject(self, product: "Product", random: Random) -> dict[str, Any]:
        return self.tell(product, FLOODING[self.feed](random))


@dataclass(slots=True)
class VendorSilent(_Told):
    """Connections stay, pings are answered, nothing else comes.

    What must hold: what Kambi publishes meanwhile is ``lost`` in the ledger and no gap of ours: nobody can know of it
    until the next snapshot. FastPath's is ``lost``, and its numbers tell, or it comes when the silence ends. RMS' comes
    when it ends: its ledger has those frames when they were handed over, which may be after a bet's deadline.
    """

    name: str = "vendor-silent"

    def inject(self, product: "Product", random: Random) -> dict[str, Any]:
        return self.tell(product, SILENT[self.feed](random))
