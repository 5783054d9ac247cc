"""When things happen to a broadcast: beats, upstream heartbeats, and what goes wrong at the venue."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final

from simulators.fastpath.agenda import Agenda
from simulators.fastpath.broadcast import ALARM_S, Broadcast
from simulators.fastpath.config import FastpathSimulatorSettings, FaultSwitch, Sport
from simulators.fastpath.upstream import CONNECTED

_S: Final = 1_000_000_000
_HEARTBEAT_NS: Final = 5 * _S
_SPREAD: Final = (0.5, 1.5)
NAMED_STATES: Final[dict[Sport, tuple[str, ...]]] = {
    "mma": ("Delayed", "Unstable"),
    "golf": ("PartiallyDisconnected",),
}
"""States that only some sports have (fact sheet §7)."""
_NAMED_EVERY_S: Final = 60
_NAMED_FOR_NS: Final = 4 * _S
_LOOK_AGAIN_NS: Final = 5 * _S
"""How often a fault that is off is looked at: settings change while the simulator runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Studio:
    """What broadcasts share.

    Attributes:
        heard: Note an upstream heartbeat of a broadcast's feeds, at a simulated time.
        now_ns: Real time.
        ended: Told when one is over.
        told: Let the upstream of a broadcast's actions feed name a state, at a simulated time.
        dropping: Whether the suspension that begins is one that ends in a dropped collection.
        keeps_up: Whether time passes as fast as it should: who cannot keep up is not flooded on top.
    """

    settings: FastpathSimulatorSettings
    faults: FaultSwitch
    agenda: Agenda
    heard: Callable[[Broadcast, int], None]
    now_ns: Callable[[], int]
    told: Callable[[Broadcast, str, int], None]
    ended: Callable[[Broadcast], None]
    dropping: Callable[[int], bool]
    keeps_up: Callable[[], bool]


class OnAir:
    """One broadcast's way through time.

    Args:
        studio: Shared things.
        broadcast: What is on air.
        chance: Draws the pace.
        begins_ns: Simulated time of its start.
        length_ns: How long it is, simulated.
    """

    def __init__(self, studio: Studio, broadcast: Broadcast, *, chance: Random, begins_ns: int, length_ns: int) -> None:
        self._studio = studio
        self._broadcast = broadcast
        self._chance = chance
        self._begins_ns = begins_ns
        self._length_ns = length_ns
        live = sum(studio.settings.fixtures.values())
        rate = studio.settings.actions_per_second
        self._pace_ns = live / rate * _S if rate > 0 else None
        agenda = studio.agenda
        agenda.at(begins_ns, self._heartbeat)
        if self._pace_ns is not None:
            agenda.at(begins_ns + int(self._pace_ns * chance.random()), self._beat)
        if NAMED_STATES.get(broadcast.fixture.sport):
            agenda.at(begins_ns + self._named_pause_ns(), self._name)
        agenda.at(begins_ns, self._silence_due)
        agenda.at(begins_ns, self._offline_due)

    def _beat(self, sim_ns: int) -> None:
        broadcast = self._broadcast
        if broadcast.over or self._pace_ns is None:
            return
        broadcast.beat(self._studio.now_ns(), (sim_ns - self._begins_ns) / self._length_ns)
        if broadcast.over:
            if NAMED_STATES.get(broadcast.fixture.sport):
                self._studio.told(broadcast, CONNECTED, sim_ns)  # its last word on itself is no doubt
            self._studio.ended(broadcast)
            return
        flood = self._studio.faults.of(broadcast.path).flood_factor if self._studio.keeps_up() else 1.0
        pace_ns = self._pace_ns / flood
        self._studio.agenda.at(sim_ns + max(1, int(pace_ns * self._chance.uniform(*_SPREAD))), self._beat)

    def _heartbeat(self, sim_ns: int) -> None:
        if self._broadcast.over:
            return
        if not self._broadcast.silent:
            self._studio.heard(self._broadcast, sim_ns)
        self._studio.agenda.at(sim_ns + _HEARTBEAT_NS, self._heartbeat)

    def _name(self, sim_ns: int) -> None:
        """Let the upstream name a state, and name it well again soon after."""
        broadcast, studio = self._broadcast, self._studio
        if broadcast.over:
            return
        if not broadcast.silent:
            studio.told(broadcast, self._chance.choice(NAMED_STATES[broadcast.fixture.sport]), sim_ns)
            studio.agenda.at(sim_ns + _NAMED_FOR_NS, self._name_connected)
        studio.agenda.at(sim_ns + self._named_pause_ns(), self._name)

    def _name_connected(self, sim_ns: int) -> None:
        if not self._broadcast.over and not self._broadcast.silent:
            self._studio.told(self._broadcast, CONNECTED, sim_ns)

    def _named_pause_ns(self) -> int:
        return int(_NAMED_EVERY_S * self._chance.uniform(*_SPREAD) * _S)

    def _silence_due(self, sim_ns: int) -> None:
        """Fall silent, if that is asked for and was not just now; look again later."""
        faults = self._studio.faults.of(self._broadcast.path)
        if self._broadcast.over:
            return
        if not faults.silence_every_s:
            self._studio.agenda.at(sim_ns + _LOOK_AGAIN_NS, self._silence_due)
            return
        pause_ns = int((faults.silence_every_s - faults.silence_for_s) * _S)
        lasts_ns = int(faults.silence_for_s * _S)
        self._studio.agenda.at(sim_ns + pause_ns, lambda at_ns: self._hush(at_ns, lasts_ns))
        self._studio.agenda.at(sim_ns + pause_ns + lasts_ns, self._speak)
        self._studio.agenda.at(sim_ns + pause_ns + lasts_ns, self._silence_due)

    def _hush(self, sim_ns: int, lasts_ns: int) -> None:
        self._broadcast.hush()
        if self._broadcast.silent and self._broadcast.fixture.sport == "tennis":
            alarms = range(ALARM_S * _S, lasts_ns, ALARM_S * _S)
            for after_ns in alarms:
                self._studio.agenda.at(sim_ns + after_ns, self._alarm)

    def _alarm(self, _: int) -> None:
        if self._broadcast.silent:
            self._broadcast.alarm(self._studio.now_ns())

    def _speak(self, _: int) -> None:
        self._broadcast.speak(self._studio.now_ns())

    def _offline_due(self, sim_ns: int) -> None:
        """Let the scorer go offline, if that is asked for and was not just now; look again later."""
        faults = self._studio.faults.of(self._broadcast.path)
        if self._broadcast.over:
            return
        if not faults.offline_every_s:
            self._studio.agenda.at(sim_ns + _LOOK_AGAIN_NS, self._offline_due)
            return
        starts_ns = sim_ns + int((faults.offline_every_s - faults.offline_for_s) * _S)
        ends_ns = starts_ns + int(faults.offline_for_s * _S)
        self._studio.agenda.at(starts_ns, self._suspend)
        self._studio.agenda.at(ends_ns, self._resume)
        self._studio.agenda.at(ends_ns, self._offline_due)

    def _suspend(self, _: int) -> None:
        broadcast = self._broadcast
        if not broadcast.over:
            every = self._studio.faults.of(broadcast.path).drop_collection_every
            broadcast.suspend(self._studio.now_ns(), dropping=self._studio.dropping(every))

    def _resume(self, _: int) -> None:
        if not self._broadcast.over:
            self._broadcast.resume(self._studio.now_ns())
            if self._broadcast.over:
                self._studio.ended(self._broadcast)
