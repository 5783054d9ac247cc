"""What a scenario is: a strike, and by when who must have said what."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from tests.scenarios.product import Product


def nothing(product: "Product") -> None:
    """Let all be as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One thing that goes wrong, or none.

    Attributes:
        name: Also of its recording.
        meaning: For people.
        feeds: Which the product has.
        brokers: How many there are.
        part: Process whose ``/readyz`` is asked, ``*`` for the worst of all; empty: that of none tells of it.
        strike: Does it.
        heal: Ends it.
        struck_s: How long it lasts.
        well_s: After how many seconds without it all have to say that all is well.
        codes: Every alert that must fire, with the seconds after the strike within which its condition holds; the page
            and ``tricast status`` have those of the verdict by then.
        may: Alerts that come or not, by the moment in which it was struck. No other may come.
        readyz_s: Seconds after the strike within which ``/readyz`` of ``part`` is not ``ready`` any more.
        settings: Environment that differs from what ``tricast up`` tells its processes; ``{folder}`` is the run's.
        prepare: Done before the first of them starts.
    """

    name: str
    meaning: str
    feeds: tuple[str, ...] = ("kambi",)
    brokers: Literal[1, 3] = 1
    part: str = ""
    strike: "Callable[[Product], None]" = nothing
    heal: "Callable[[Product], None]" = nothing
    struck_s: float = 90.0
    well_s: float = 60.0
    codes: Mapping[str, float] = field(default_factory=dict)
    may: frozenset[str] = frozenset()
    readyz_s: float = 5.0
    settings: Mapping[str, str] = field(default_factory=dict)
    prepare: "Callable[[Product], None]" = nothing
