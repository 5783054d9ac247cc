"""Which fixtures and channels there are: drawn, started, finished, and forgotten after a while."""

from collections.abc import Sequence

from schemas.fastpath.feed import feed_of
from simulators.fastpath.channel import Channel
from simulators.fastpath.config import Sport
from simulators.fastpath.fixture import Fixture
from simulators.fastpath.lineup import draw_fixture
from simulators.fastpath.match import Role
from simulators.fastpath.multiplexer import Multiplexer
from simulators.fastpath.paths import betting_path

_LATEST: frozenset[tuple[Sport, Role]] = frozenset({("tennis", "statistics"), ("golf", "leaderboard")})
"""Feeds that bring the newest packet on connect, and no history."""


class Catalogue:
    """Fixtures and channels by id and path.

    Args:
        seed: Same seed and same start, same fixtures, sport by sport.
        start_s: UTC seconds of the start: a simulator that is started again has other fixtures.

    Attributes:
        multiplexer: The golf feeds' common socket.
    """

    def __init__(self, seed: int, start_s: int) -> None:
        self.multiplexer = Multiplexer()
        self._seed = seed
        self._start_s = start_s
        self._fixtures: dict[str, Fixture] = {}
        both = (self.multiplexer.channel, self.multiplexer.live)
        self._channels: dict[str, Channel] = {channel.feed.path: channel for channel in both}
        self._media: dict[str, Channel] = {}
        self._drawn: dict[Sport, int] = {}

    @property
    def fixtures(self) -> Sequence[Fixture]:
        return tuple(self._fixtures.values())

    @property
    def channels(self) -> Sequence[Channel]:
        """Every channel but the twins under media paths."""
        return tuple(self._channels.values())

    def channel(self, path: str) -> Channel | None:
        """Return the channel of a path, media paths included."""
        path = feed_of(path).path
        if path in self._channels:
            return self._channels[path]
        if path not in self._media and (original := self._channels.get(betting_path(path))) is not None:
            self._media[path] = original.twin(path)
        return self._media.get(path)

    def of(self, fixture: Fixture) -> dict[Role, Channel]:
        """Return the channels of ``fixture``."""
        return {role: self._channels[path] for role, path in fixture.paths.items()}

    def draw(self, sport: Sport, starts_ns: int) -> Fixture:
        """Make the next fixture of ``sport``, yet to begin."""
        number = self._drawn.get(sport, 0)
        self._drawn[sport] = number + 1
        fixture = draw_fixture(sport, number, seed=self._seed, start_s=self._start_s)
        fixture.starts_ns = starts_ns
        self._fixtures[fixture.id] = fixture
        for role, path in fixture.paths.items():
            self._channels[path] = Channel(path, replay="latest" if (sport, role) in _LATEST else "all")
        return fixture

    def forget(self, fixture: Fixture) -> None:
        """Let nobody find ``fixture`` any more."""
        self._fixtures.pop(fixture.id, None)
        for path in fixture.paths.values():
            self._channels.pop(path, None)
        for path in [path for path in self._media if betting_path(path) in fixture.paths.values()]:
            del self._media[path]
