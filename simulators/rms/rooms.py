"""Rooms and what happens to approvals on the way into them: doubled, followed by what nobody knows, or by junk."""

from collections.abc import Callable, Iterable, Iterator

from simulators.rms.approvals import JUNK, UNKNOWN_EVENT
from simulators.rms.client import Client, Packet
from simulators.rms.config import FaultSwitch


class Rooms:
    """Every joined connection of a customer and platform gets what is said there; counts, so it is repeatable.

    Args:
        clients: Returns those that are there.
        faults: What goes wrong on the way.
    """

    def __init__(self, clients: Callable[[], Iterable[Client]], faults: FaultSwitch) -> None:
        self._clients = clients
        self._faults = faults
        self._approvals = 0
        self._junk = 0

    def announce(self, customer: str, platform: int, packet: str, decision: int) -> int:
        """Hand ``packet`` to a room; return how many connections took it."""
        packets = tuple(self._packets(packet, decision))
        reached = 0
        for client in self._clients():
            if (customer, platform) in client.rooms:
                reached += client.send(packets[0])
                for follower in packets[1:]:
                    client.send(follower)
        return reached

    def _packets(self, packet: str, decision: int) -> Iterator[Packet]:
        self._approvals += 1
        faults = self._faults.current
        yield Packet(text=packet, decision=decision)
        for _ in range(faults.flood_factor - 1):
            yield Packet(text=packet, decision=decision, fault="duplicate")
        if self._strikes(faults.duplicate_every):
            yield Packet(text=packet, decision=decision, fault="duplicate")
        if self._strikes(faults.unknown_event_every):
            yield Packet(text=UNKNOWN_EVENT, fault="unknown-event")
        if self._strikes(faults.junk_every):
            self._junk += 1
            yield Packet(text=JUNK[(self._junk - 1) % len(JUNK)], fault="junk")

    def _strikes(self, every: int) -> bool:
        return every > 0 and self._approvals % every == 0
