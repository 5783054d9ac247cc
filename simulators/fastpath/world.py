"""Everything the simulated vendor plays: live and coming fixtures, their channels, one clock."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Final

import msgspec

from simulators.fastpath.agenda import Agenda
from simulators.fastpath.broadcast import Broadcast
from simulators.fastpath.catalogue import Catalogue
from simulators.fastpath.channel import Channel, EventPacket
from simulators.fastpath.config import FastpathSimulatorSettings, FaultSwitch, Sport
from simulators.fastpath.fixture import Fixture
from simulators.fastpath.ledger import Line
from simulators.fastpath.lineup import match_of
from simulators.fastpath.match import Moment
from simulators.fastpath.on_air import OnAir, Studio
from simulators.fastpath.press import Press
from simulators.fastpath.sports.tennis import placeholder
from simulators.fastpath.upstream import Collectors

_S: Final = 1_000_000_000
_KEPT_NS: Final = 900 * _S
"""How long, real time, a finished fixture can still be asked for: longer than a client's budget for repairs."""
_FIRST_LENGTHS: Final = (0.5, 1.0)
"""The first matches are shorter by chance, so that not all end at once."""


def _nowhere(_: Line) -> None:
    pass


class World:
    """The vendor's fixtures, advanced by the caller's clock; opens no sockets and awaits nothing.

    Simulated time runs ``speed`` times as fast as real time; matches and the rule of §7 live in it. Stamps are real.

    Args:
        settings: Which fixtures, how lively.
        faults: What goes wrong where data is collected: skipped numbers, silence, suspensions.
        start_ns: UTC ns of the first moment.
        note: Told what comes into a feed's list (``published``, ``skipped``); the ledger's ``append``.

    Attributes:
        now_ns: Real time of what is published now, UTC ns.
        keeps_up: Whether whose clock this is has the time for more than it must.
    """

    def __init__(
        self,
        settings: FastpathSimulatorSettings,
        faults: FaultSwitch,
        start_ns: int,
        note: Callable[[Line], None] = _nowhere,
    ) -> None:
        self.now_ns = start_ns
        self.keeps_up = True
        self._settings = settings
        self._catalogue = Catalogue(settings.seed, start_ns // _S)
        self._agenda = Agenda()
        self._collectors = Collectors(start_ns=0)
        chance = Random(f"{settings.seed}/world")  # noqa: S311  # a made-up match is no secret
        self._press = Press(self._collectors, self._catalogue.multiplexer, faults, note, chance)
        self._sim_ns = 0
        self._coming: dict[Sport, Fixture] = {}
        self._kept: list[tuple[int, Fixture]] = []
        self._suspensions = 0
        self._studio = Studio(
            settings=settings,
            faults=faults,
            agenda=self._agenda,
            heard=self._heard,
            now_ns=lambda: self.now_ns,
            told=self._told,
            ended=self._end,
            dropping=self._dropping,
            keeps_up=lambda: self.keeps_up,
        )
        for sport, how_many in settings.fixtures.items():
            for _ in range(how_many):
                self._start(sport, chance.uniform(*_FIRST_LENGTHS))

    @property
    def fixtures(self) -> Sequence[Fixture]:
        """What the REST list knows: finished ones for a while, live ones, and the next of each sport."""
        return self._catalogue.fixtures

    @property
    def channels(self) -> Sequence[Channel]:
        """Every channel there is, media twins left out."""
        return self._catalogue.channels

    def channel(self, path: str) -> Channel | None:
        """Return the channel of a URL's path, betting or media; ``None`` where there is no such fixture."""
        return self._catalogue.channel(path)

    def advance(self, now_ns: int, elapsed_ns: int) -> None:
        """Let ``elapsed_ns`` of real time pass, at whose end it is ``now_ns`` UTC; clocks that go back are ignored."""
        speed = self._settings.speed
        end_ns = self._sim_ns + int(elapsed_ns * speed)
        while (due_ns := self._next_ns()) <= end_ns:
            self._sim_ns = due_ns
            self.now_ns = max(self.now_ns, now_ns - int((end_ns - due_ns) / speed))
            for change in self._collectors.advance(due_ns):
                if (channel := self.channel(change.feed)) is not None:
                    self._press.state(channel, change, self.now_ns)
            self._agenda.run(due_ns)
        self._sim_ns = end_ns
        self.now_ns = max(self.now_ns, now_ns)
        self._forget()

    def _next_ns(self) -> int:
        check_ns, agenda_ns = self._collectors.next_check_ns, self._agenda.next_ns
        return check_ns if agenda_ns is None else min(check_ns, agenda_ns)

    def _start(self, sport: Sport, length: float = 1.0) -> None:
        """Let the coming fixture of ``sport`` begin, and draw the next."""
        fixture = self._coming.pop(sport, None) or self._draw(sport)
        self._coming[sport] = self._draw(sport)
        fixture.starts_ns = self.now_ns
        fixture.set_status("Live", 1)
        channels = self._catalogue.of(fixture)
        for channel in channels.values():
            channel.start()
        moment = Moment(now_ns=self.now_ns)
        chance = Random(f"{self._settings.seed}/{fixture.id}")  # noqa: S311
        broadcast = Broadcast(fixture, match_of(fixture, moment, chance), moment, channels, self._publish)
        length_ns = int(self._settings.match_duration_s * length * _S)
        OnAir(self._studio, broadcast, chance=chance, begins_ns=self._sim_ns, length_ns=length_ns)

    def _draw(self, sport: Sport) -> Fixture:
        length_ns = int(self._settings.match_duration_s / self._settings.speed * _S)
        fixture = self._catalogue.draw(sport, self.now_ns + length_ns)
        if sport == "tennis":
            text = msgspec.json.encode(placeholder().body)
            self._press.packet(self._catalogue.of(fixture)["actions"], text, self.now_ns, None)
        return fixture

    def _publish(self, channel: Channel, text: bytes, heard: bool) -> EventPacket:
        return self._press.packet(channel, text, self.now_ns, self._sim_ns if heard else None)

    def _heard(self, broadcast: Broadcast, sim_ns: int) -> None:
        self._press.heard(broadcast.channels.values(), self.now_ns, sim_ns)

    def _told(self, broadcast: Broadcast, state: str, sim_ns: int) -> None:
        channel = broadcast.channels["actions"]
        if change := self._collectors.tell(channel.feed.path, state, sim_ns):
            self._press.state(channel, change, self.now_ns)

    def _dropping(self, every: int) -> bool:
        self._suspensions += 1
        return every > 0 and self._suspensions % every == 0

    def _end(self, broadcast: Broadcast) -> None:
        """Let a match be over and the next one of its sport begin."""
        fixture = broadcast.fixture
        fixture.set_status("Completed", 4 if broadcast.dropped else 5)
        for channel in broadcast.channels.values():
            channel.finish(self.now_ns)
            self._collectors.forget(channel.feed.path)
        self._kept.append((self.now_ns + _KEPT_NS, fixture))
        self._start(fixture.sport)

    def _forget(self) -> None:
        while self._kept and self._kept[0][0] <= self.now_ns:
            self._catalogue.forget(self._kept.pop(0)[1])
