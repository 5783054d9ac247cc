"""Accounts of one stream task, fed and read in a line each."""

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import msgspec

from processors.core.fastpath.account.accounts import Accounts, accounts
from processors.core.fastpath.account.arrival import AccountSettings, Arrival, Kind
from processors.core.fastpath.account.effects import Ask, Counted, Effect, Found, Release, Standing
from schemas.fastpath.feed import feed_of
from tests.core.driver import DictStore

MS_NS = 1_000_000
START_NS = 1_790_000_000_000 * MS_NS
FIXTURE = "11111111-2222-4333-8444-555555555555"
SOCCER = f"soccer/fixtures/{FIXTURE}/actions"
STATISTICS = f"soccer/fixtures/{FIXTURE}/statistics"
TENNIS = "tennis/events/2026-0415-MS009/stream"
GOLF = "golf/tournaments/901/round/1/team/21"


def hash8(*parts: Any) -> bytes:
    return blake2b(repr(parts).encode(), digest_size=8).digest()


@dataclass
class Task:
    """A task of one feed; numbers are packets whose content is their own number unless told otherwise."""

    path: str = SOCCER
    settings: AccountSettings = field(default_factory=AccountSettings)
    store: Any = field(default_factory=DictStore)
    memory: dict[str, object] = field(default_factory=dict)
    now_ms: int = 0
    forgetful: bool = False
    frames: dict[tuple[str, str], int] = field(default_factory=dict)
    positions: dict[str, int | None] = field(default_factory=dict)
    log: list[Effect] = field(default_factory=list)

    @property
    def accounts(self) -> Accounts:
        if self.forgetful:
            self.memory.clear()
        return accounts(self.store, self.memory, self.settings)

    @property
    def now_ns(self) -> int:
        return START_NS + self.now_ms * MS_NS

    def _told(self, effects: list[Effect]) -> list[Any]:
        self.log += effects
        return [brief(effect) for effect in effects]

    def pass_time(self, ms: int) -> list[Any]:
        self.now_ms += ms
        return self._told(self.accounts.advance(self.now_ns))

    def open(self, connection: str, position: int | None = 0, line: str | None = None) -> None:
        self.positions[connection] = position
        self.accounts.opened(feed_of(self.path), line or line_of(connection), connection, position, self.now_ns)

    def close(self, connection: str, line: str | None = None) -> None:
        self.accounts.closed(feed_of(self.path), line or line_of(connection), connection, self.now_ns)

    def lose(self, connection: str, frames: int = 1) -> None:
        line = line_of(connection)
        last = self.frames.get((line, connection), 0)
        self.frames[line, connection] = last + frames
        self.accounts.lost(feed_of(self.path), line, connection, frames=(last + 1, last + frames), now_ns=self.now_ns)

    def say(
        self,
        connection: str,
        number: int,
        what: Any = None,
        *,
        body: Any = 0,
        ms: int = 0,
        fixture: str = FIXTURE,
        kind: Kind | None = None,
        size: int = 0,
        finished: bool = False,
        is_named: bool = True,
    ) -> list[Any]:
        """Deliver a packet ``ms`` after what was before; return what came of it, in short."""
        told = self.pass_time(ms)
        what = number if what is None else what
        line = line_of(connection)
        frame = self.frames[line, connection] = self.frames.get((line, connection), 0) + 1
        arrival = Arrival(
            kind=kind or ("statistics" if self.path == STATISTICS else "actions"),
            line=line,
            connection=connection,
            frame=frame,
            position=self.positions.get(connection, 0),
            number=number,
            key=hash8(what),
            body=hash8(what, body),
            received_ns=self.now_ns,
            payload=lambda: f"{what}".encode() + bytes(size),
            finished=finished,
            is_named=is_named,
        )
        return told + self._told(self.accounts.observe(feed_of(self.path), fixture, arrival, self.now_ns))

    def found(self, kind: str) -> list[Found]:
        return [one for one in self.log if isinstance(one, Found) and one.kind == kind]

    def say_all(self, connection: str, *numbers: int) -> list[Any]:
        return [told for number in numbers for told in self.say(connection, number)]


def line_of(connection: str) -> str:
    """``a1`` and ``a2`` are connections of line ``a``."""
    return connection[0]


def brief(effect: Effect) -> Any:
    """Return what a test wants to read: releases and commands as tuples, findings without names."""
    match effect:
        case Release():
            after = (effect.after_ms,) if effect.after_ms else ()
            flags = [name for name in ("late", "repaired", "conflict") if getattr(effect, name) and name != effect.why]
            return (effect.sequence, effect.payload.rstrip(b"\0").decode(), effect.why, *after, *flags)
        case Found():
            given = {name: value for name, value in msgspec.structs.asdict(effect).items() if value is not None}
            for name in ("feed", "fixture_id", "series", "connection"):
                del given[name]
            return given
        case Ask():
            return ("ask", effect.line, (effect.first, effect.last), effect.position, effect.attempt)
        case Standing():
            return ("standing", effect.repairing)
        case Counted():
            return effect.what
