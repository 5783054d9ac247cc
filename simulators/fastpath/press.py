"""How a packet gets into a feed's list: the upstream is heard first, numbers may be skipped, the ledger is told."""

from collections.abc import Callable, Iterable
from random import Random

from simulators.fastpath.channel import Channel, EventPacket, StatusPacket
from simulators.fastpath.config import FaultSwitch
from simulators.fastpath.ledger import Line
from simulators.fastpath.multiplexer import Multiplexer
from simulators.fastpath.statuses import status_text
from simulators.fastpath.upstream import Change, Collectors


class Press:
    """Publishes packets and states; real time is told with ``now_ns``, simulated time with ``sim_ns``.

    Args:
        collectors: Which upstream is heard.
        multiplexer: Gets what golf feeds get.
        faults: Numbers to skip.
        note: Told what comes into a list.
        chance: Draws what is struck.
    """

    def __init__(
        self,
        collectors: Collectors,
        multiplexer: Multiplexer,
        faults: FaultSwitch,
        note: Callable[[Line], None],
        chance: Random,
    ) -> None:
        self._collectors = collectors
        self._multiplexer = multiplexer
        self._faults = faults
        self._note = note
        self._chance = chance

    def packet(self, channel: Channel, text: bytes, now_ns: int, sim_ns: int | None) -> EventPacket:
        """Put a packet into the list of ``channel``; ``sim_ns`` is ``None`` where the server itself made it."""
        if sim_ns is not None:
            self.heard([channel], now_ns, sim_ns)
        self._skip(channel, now_ns)
        packet = channel.publish(text, now_ns)
        self._log(channel, packet)
        if channel.feed.sport == "golf":
            self._log(self._multiplexer.channel, self._multiplexer.event(channel, packet))
        return packet

    def heard(self, channels: Iterable[Channel], now_ns: int, sim_ns: int) -> None:
        """Note that the upstream of ``channels`` sent something; tell that it is back where it was gone."""
        for channel in channels:
            if change := self._collectors.heard(channel.feed.path, sim_ns):
                self.state(channel, change, now_ns)

    def state(self, channel: Channel, change: Change, now_ns: int) -> None:
        """Tell a state, in feeds that have status packets: tennis tells ``Alarm`` instead."""
        if channel.feed.sport == "tennis":
            return
        packet = status_text(change.state, now_ns)
        channel.tell(StatusPacket(state=change.state, told_ns=now_ns, packet=packet))
        if channel.feed.sport == "golf":
            self._multiplexer.status(channel, change.state, now_ns)

    def _skip(self, channel: Channel, now_ns: int) -> None:
        faults = self._faults.of(channel.feed.path)
        if faults.skip_every and channel.events and self._chance.randrange(faults.skip_every) == 0:
            skipped = channel.skip(faults.skip_run)
            line = Line(
                kind="skipped", feed=channel.feed.path, at_ns=now_ns, number=skipped.start, last=skipped.stop - 1
            )
            self._note(line)

    def _log(self, channel: Channel, packet: EventPacket) -> None:
        line = Line(
            kind="published",
            feed=channel.feed.path,
            at_ns=packet.published_ns,
            index=packet.index,
            number=packet.number,
        )
        self._note(line)
