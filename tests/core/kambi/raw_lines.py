"""Lines as a connector records them, for tests of health: keys, control records, messages, snapshots."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from processors.core.kambi.processor import KambiProcessor
from schemas.codec import validate
from schemas.raw import Kind, RawHeaders
from tests.core.driver import Driver, Output, Record
from tests.core.kambi.frames import frame, odds, status

SECOND_NS = 1_000_000_000
START_NS = 1_790_000_000 * SECOND_NS
GENERAL_LINE = "kambi-0-general"
EVENT_LINE = "kambi-0-events-0"
SNAPSHOT_LINE = "kambi-0-snapshots"
GENERAL_KEYS = ("v2018.kambi.en.ev.json", "v2018.kambi.ev.json")


def event_keys(*events: int) -> tuple[str, ...]:
    return tuple(key for event in events for key in (f"v2018.kambi.en.ev.{event}.json", f"v2018.kambi.ev.{event}.json"))


class Lines:
    """Some lines of one shard and their processor; time goes on by ``tick`` only."""

    def __init__(self, *, reopen: bool = False, shards: int = 1) -> None:
        self.driver = Driver(KambiProcessor())
        self.now_ns = START_NS
        self.shards = shards
        self.connections: dict[str, str] = {}
        self._reopen = reopen
        self._t = 0
        self._told = 0

    # What the connector records.

    def open(self, line: str, keys: Sequence[str], connection: str = "", **facts: Any) -> None:
        previous = self.connections.get(line)
        self.connections[line] = connection or f"{line}#{self.driver.offset}"
        value = {
            "shard": 0,
            "shards": self.shards,
            "url": "ws://127.0.0.1",
            "keys": keys,
            "previous_connection": previous,
            "previous_frame": None if previous is None else 0,
        }
        self.record("opened", line, value | facts)

    def close(self, line: str) -> None:
        self.record("closed", line, {"code": 1006, "reason": "lost", "frames": 0})

    def hold(self, line: str, keys: Sequence[str]) -> None:
        self.record("tick", line, {"shards": self.shards, "keys": keys})

    def overflow(self, line: str) -> None:
        self.record("overflow", line, {"lost": 3, "first_frame": 4, "last_frame": 6})

    def record(self, kind: Kind, line: str, value: object) -> None:
        self._feed(json.dumps(value).encode(), kind, line)

    def message(self, line: str, *children: str) -> None:
        self._feed(frame(*children), "frame", line)

    def odds(self, line: str, event: int = 1) -> None:
        """A message of the neutral side, another each time."""
        self._t += 1
        t = START_NS // 1_000_000 + self._t
        self.message(line, odds(f'{{"id":{event},"betOfferId":{event},"odds":1500}}', t=t, event=event))

    def status(self, line: str, event: int = 1) -> None:
        """A message of the language side, another each time."""
        self._t += 1
        self.message(line, status(event, t=START_NS // 1_000_000 + self._t, event=event))

    def raw_message(self, line: str, value: bytes) -> None:
        self._feed(value, "frame", line)

    def tick(self, seconds: int, *lines: str) -> None:
        """Let ``seconds`` go by, with a tick of each of ``lines`` in each."""
        for _ in range(seconds):
            self.now_ns += SECOND_NS
            for line in lines:
                self.record("tick", line, {"shards": self.shards})

    def snapshot(
        self,
        position: str,
        body: object,
        *,
        requested_ns: int | None = None,
        status: int = 200,
        line: str = SNAPSHOT_LINE,
    ) -> None:
        self.now_ns += 1_000_000
        stamps = RawHeaders(
            feed="kambi",
            line=line,
            connection="http",
            frame=self.driver.offset + 1,
            received_ns=self.now_ns,
            kind="snapshot",
            position=position,
            requested_ns=self.now_ns if requested_ns is None else requested_ns,
            status=status,
        )
        if self._reopen:
            self.driver.reopen()
        value = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.driver.feed_record(Record(offset=self.driver.offset, value=value, headers=stamps.to_kafka()))

    def offers(self, events: Iterable[int], *, odds: int = 1500, requested_ns: int | None = None) -> None:
        """A complete ``betoffer/event`` answer: each event is there, with one offer of one outcome."""
        numbers = list(events)
        self.snapshot(
            f"betoffer/event/{','.join(map(str, numbers))}.json?lang=en_GB",
            {
                "betOffers": [offer(event, odds) for event in numbers],
                "events": [{"id": event, "name": "A - B", "state": "STARTED"} for event in numbers],
            },
            requested_ns=requested_ns,
        )

    def live_open(self, events: Iterable[int], *, odds: int = 1500) -> None:
        self.snapshot(
            "event/live/open.json?lang=en_GB",
            {
                "liveEvents": [
                    {"event": {"id": event, "name": "A - B", "state": "STARTED"}, "mainBetOffer": offer(event, odds)}
                    for event in events
                ]
            },
        )

    def _feed(self, value: bytes, kind: Kind, line: str) -> None:
        if self._reopen:
            self.driver.reopen()
        self.driver.feed(value, kind=kind, line=line, connection=self.connections.get(line, "?"), at_ns=self.now_ns)

    # What was told.

    def told(self) -> list[tuple[str, ...]]:
        """Return the health told since the last call: key, state, reason and, of events, coverage."""
        outputs, self._told = self.driver.outputs[self._told :], len(self.driver.outputs)
        return [
            (*_key(output), *(value[name] for name in ("state", "reason", "coverage") if name in value))
            for output in outputs
            if output.topic == "kambi.health"
            for value in [_valid(output)]
        ]

    def told_of(self, *keys: str) -> list[tuple[str, ...]]:
        """Like ``told``, of some keys only, and without them if it is one."""
        return [told[1:] if len(keys) == 1 else told for told in self.told() if told[0] in keys]


def offer(event: int, odds: int) -> dict[str, Any]:
    return {
        "id": event,
        "eventId": event,
        "betOfferType": {"id": 2},
        "outcomes": [{"id": event, "betOfferId": event, "type": "OT_ONE", "odds": odds, "status": "OPEN"}],
    }


def _key(output: Output) -> tuple[str]:
    return (output.key.decode().partition("@")[0],)


def _valid(output: Output) -> dict[str, Any]:
    validate(output.header("ce_type"), output.value)
    value: dict[str, Any] = json.loads(output.value)
    return value
