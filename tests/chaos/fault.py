"""What a fault is: struck once, undone once. The plan says when, the history says that it happened."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from tests.chaos.product import Product

Lane = Literal["workers", "connectors", "brokers", "world"]
"""Faults of one lane never overlap; those of different lanes may. Two brokers down are no quorum: all that touches a
broker is in one lane."""


class Fault(Protocol):
    """One strike at one target; made anew for each, so it may remember what it has to undo."""

    name: str
    """Its kind, as the history tells it, e.g. ``kill``."""

    def inject(self, product: "Product", random: Random) -> dict[str, Any]:
        """Strike; return its parameters for the history when it has struck.

        Args:
            product: What is struck.
            random: All chance there is, drawn from the plan's seed.
        """
        ...

    def heal(self, product: "Product") -> None:
        """Undo it; the process may have ended and begun again since, by another fault. Nothing to do after a kill."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of fault that the plan may draw.

    Attributes:
        name: As its faults' ``name``.
        make: Makes a fault for one of ``targets``.
        targets: ``worker:<processor>:<n>``, ``connector:<feed>``, ``broker:<n>``, ``controller``, ``brokers``,
            ``vendor:<feed>`` …; the plan takes each once before it takes one again.
        lane: What it may not overlap with.
        lasts_s: From struck to healed; each once before one comes again. Of faults that heal by themselves: ``(0,)``.
        per_seed: How often it strikes in 750 s; fewer seconds have proportionally fewer, and each kind at least one
            as long as there is room.
        needs: Says why this machine cannot have it, or ``None`` when it can; asked once, before the plan.
    """

    name: str
    make: Callable[[str], Fault]
    targets: tuple[str, ...]
    lane: Lane
    lasts_s: tuple[float, ...] = (0.0,)
    per_seed: int = 1
    needs: Callable[[], str | None] = lambda: None
