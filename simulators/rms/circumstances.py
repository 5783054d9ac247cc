"""What every part of the simulator goes by."""

from collections.abc import Callable
from dataclasses import dataclass

from simulators.ledger import Ledger
from simulators.rms.config import FaultSwitch, RmsSimulatorSettings
from simulators.rms.storm import Weather


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """One for the whole simulator.

    Attributes:
        settings: How the vendor speaks, its limits.
        faults: What goes wrong on purpose.
        weather: Storms.
        ledger: Where everything is written down.
        clock: Tells UTC ns.
    """

    settings: RmsSimulatorSettings
    faults: FaultSwitch
    weather: Weather
    ledger: Ledger
    clock: Callable[[], int]
