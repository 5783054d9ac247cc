"""The vendor's side of a history: the list of packets of one feed, and how a connection's packets are numbered."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any, Final

Json = dict[str, Any]

START_MS: Final = 1_790_000_000_000
KINDS: Final = ("soccer", "soccer", "soccer", "statistics", "tennis", "mma", "golf")
_SENT = ("Pending", "Confirmed", "Updated", "Deleted")
_ELEMENTS = ("PointStarted", "PointScored", "PointFault", "Alarm")


def path_of(kind: str, number: int) -> str:
    """Return the path of a made-up feed."""
    fixture = f"{number:08d}-2222-4333-8444-555555555555"
    return {
        "soccer": f"soccer/fixtures/{fixture}/actions",
        "statistics": f"soccer/fixtures/{fixture}/statistics",
        "tennis": f"tennis/events/2026-0415-MS{number:03d}/stream",
        "mma": f"mma/fights/{number}/details",
        "golf": f"golf/tournaments/{number}/round/1/team/4",
    }[kind]


def time_text(at_ms: int, decimals: int = 3) -> str:
    """Return a vendor's time."""
    seconds, ms = divmod(at_ms, 1000)
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return text + (f".{ms:03d}{'0' * (decimals - 3)}" if decimals else "") + "Z"


@dataclass(slots=True)
class Entry:
    """One packet of the vendor's list.

    Attributes:
        at_ms: When it was published.
        number: Its number by fixture.
        ordinal: The same if numbers had never begun anew.
        epoch: Which run of numbers it belongs to.
        body: The packet without its number.
        fixture: Which fixture it is of.
    """

    at_ms: int
    number: int
    ordinal: int
    epoch: int
    body: Json
    fixture: str
    what: tuple[str | None, ...] = ()
    is_gone: bool = False
    """The vendor has it no more."""


@dataclass(slots=True)
class Vendor:
    """The list of one feed.

    Attributes:
        kind: Which feed.
        scope: What the numbers count: ``fixture`` or ``connection``.
        reading: What startPosition means in family A: ``skip`` that many, or start ``at`` that one.
    """

    random: Random
    kind: str
    path: str
    scope: str
    reading: str
    first: int
    entries: list[Entry] = field(default_factory=list)
    two_fixtures: bool = False
    epoch: int = 0
    serial: int = 0

    @property
    def counts_events(self) -> bool:
        return self.kind in ("soccer", "statistics")

    def publish(self, at_ms: int, *, skip: int = 0, reset: int | None = None) -> Entry:
        """Append the next packet; ``skip`` numbers are never used, ``reset`` is where numbers begin anew."""
        random = self.random
        self.serial += 1
        second = self.two_fixtures and random.random() < 0.3
        fixture = self._fixture_id(second)
        own = [entry for entry in self.entries if entry.fixture == fixture]
        number = own[-1].number + 1 + skip if own else self.first + skip
        ordinal = own[-1].ordinal + 1 + skip if own else self.first + skip
        if reset is not None:
            number = reset
            self.epoch += 1
        entry = Entry(at_ms, number, ordinal, self.epoch, {}, fixture)
        stamp = time_text(at_ms, random.choice((0, 3, 6)) if random.random() < 0.1 else 3)
        if random.random() < 0.02:
            stamp = random.choice(("soon", "", stamp.removesuffix("Z")))
        if self.kind == "soccer":
            self._action(entry, stamp)
        elif self.kind == "statistics":
            entry.body = {
                "traceId": "", "version": 2, "finished": False, "fixtureId": fixture, "timestamp": stamp,
                "teamActionAggregates": [self.serial],
            }  # fmt: skip
            entry.what = (stamp or None,)
        else:
            element = random.choice(_ELEMENTS)
            entry.body = {"eventElementType": element, "timestamp": stamp, "value": self.serial}
            if random.random() < 0.03:
                entry.body["delayStatus"] = "DELAYED"
            entry.what = (element, stamp or None)
            if self.kind == "golf" and random.random() < 0.08:  # it says neither when nor what for
                entry.body = {"eventElementType": "ModeChange", "mode": random.choice(("tv", "data"))}
                entry.what = ("ModeChange", None)
        if random.random() < 0.01:
            entry.body["finished"] = True
        self.entries.append(entry)
        return entry

    def _fixture_id(self, second: bool) -> str:
        parts = self.path.split("/")
        fixture = "-".join(parts[number] for number in (2, 4, 6)) if self.kind == "golf" else parts[2]
        return fixture + ("-b" if second else "")

    def _action(self, entry: Entry, stamp: str) -> None:
        random = self.random
        sent = random.choice(_SENT)
        again = [known for known in self.entries if known.fixture == entry.fixture]
        action = f"action-{self.serial}"
        if again and random.random() < 0.2:
            action = random.choice(again).body["fixtureAction"]["actionId"]
        entry.body = {
            "traceId": "", "version": 3,
            "fixtureAction": {
                "fixtureId": entry.fixture, "actionId": action, "sendType": sent, "period": 1,
                "fixtureActionType": "Throw", "timestamp": stamp, "serial": self.serial,
            },
        }  # fmt: skip
        if random.random() < 0.04:
            entry.body["fixtureAction"]["delayStatus"] = random.choice(("DELAYED", ""))
        entry.what = (action, sent)

    def start(self, asked: int | None) -> int:
        """Return the index in the list at which a connection with that startPosition begins."""
        if asked is None or self.kind == "golf":
            return 0
        if not self.counts_events:
            epoch = [index for index, entry in enumerate(self.entries) if entry.epoch == self.epoch]
            later = [index for index in epoch if self.entries[index].number >= asked]
            return later[0] if later else len(self.entries)
        return min(asked if self.reading == "skip" else max(0, asked - 1), len(self.entries))

    def encode(self, entry: Entry, number: Any) -> bytes:
        """Return the packet as sent under a number; a traceId of its own each time."""
        body = json.loads(json.dumps(entry.body))
        if "fixtureAction" in body:
            body["fixtureAction"]["fixtureSeqNum"] = number
            body["fixtureAction"]["timelineSequence"] = 1.0000005
        else:
            body["seqNum"] = number
        if "traceId" in body:
            body["traceId"] = f"{self.random.getrandbits(64):032x}"
        return json.dumps(body).encode()
