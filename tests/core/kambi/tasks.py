"""A stream task of the Kambi processor, fed and read in a line each."""

import json
from typing import Any

from processors.core.kambi.processor import KambiProcessor
from tests.core.driver import Driver, Output
from tests.core.kambi.frames import frame

MS_NS = 1_000_000
SECOND_MS = 1000
START_MS = 1_790_000_000_000
EVENT = 1020000001
OFFER = 2500000001
ONE, TWO = 3300000001, 3300000002
GENERAL, OWN = "kambi-0-general", "kambi-0-events-0"


class Task(Driver):
    """A task whose clock is its records."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(KambiProcessor(**settings), stream_time_ns=START_MS * MS_NS)

    def say(self, *children: str, line: str = OWN, at_ms: int | None = None) -> list[dict[str, Any]]:
        """Deliver one frame; return the values of what came out."""
        before = len(self.outputs)
        self.feed(frame(*children), line=line, at_ns=None if at_ms is None else at_ms * MS_NS)
        return values(self.outputs[before:])

    def show(
        self, body: Any, position: str, *, requested_ms: int, status: int = 200, at_ms: int | None = None
    ) -> list[dict[str, Any]]:
        """Deliver one snapshot; return the values of what came out."""
        before = len(self.outputs)
        self.feed(
            body if isinstance(body, bytes) else json.dumps(body).encode(),
            kind="snapshot",
            line="kambi-0-snapshots",
            connection="s-1",
            at_ns=(requested_ms if at_ms is None else at_ms) * MS_NS,
            position=position,
            requested_ns=requested_ms * MS_NS,
            status=status,
        )
        return values(self.outputs[before:])

    def tick(self, at_ms: int, shards: int = 1) -> None:
        """Let the stream's time pass."""
        self.feed(json.dumps({"shards": shards}).encode(), kind="tick", at_ns=at_ms * MS_NS)


WITH_ENDS = frozenset({"offers.removed", "scores.removed"})
"""What is told with each current ``event.removed``, for who reads one topic alone; ``test_ends`` is about them."""


def kind_of(output: Output) -> str:
    """Return the short name of its type."""
    return output.header("ce_type").removeprefix("tricast.kambi.").removesuffix(".v1")


def values(outputs: list[Output]) -> list[dict[str, Any]]:
    """Return values with the short name of their type as ``kind``, without what is the same in all tests."""
    return [
        {"kind": kind_of(output), **json.loads(output.value)}
        for output in outputs
        if output.topic != "kambi.health" and kind_of(output) not in WITH_ENDS
    ]


def message(mt: int, name: str, body: Any, t: Any) -> str:
    """Return one child."""
    return json.dumps({"t": str(t) if isinstance(t, int) else t, "mt": mt, name: body})


def odds(t: Any, *prices: tuple[int, int | None], offer: int = OFFER, event: int = EVENT) -> str:
    """Return ``boou``."""
    outcomes = [
        {"id": outcome, "betOfferId": offer} | ({} if price is None else {"odds": price}) for outcome, price in prices
    ]
    return message(11, "boou", {"eventId": event, "outcomes": outcomes}, t)


def offer_body(
    *prices: tuple[int, int | None], offer: int = OFFER, event: int = EVENT, suspended: bool = False
) -> dict[str, Any]:
    """Return a BetOffer."""
    return {
        "id": offer,
        "eventId": event,
        "suspended": suspended,
        "cashOutStatus": "ENABLED",
        "outcomes": [
            {"id": outcome, "betOfferId": offer, "status": "OPEN"} | ({} if price is None else {"odds": price})
            for outcome, price in prices
        ],
    }


def added(t: Any, *prices: tuple[int, int | None], offer: int = OFFER, event: int = EVENT) -> str:
    """Return ``boa``."""
    return message(6, "boa", {"eventId": event, "betOffer": offer_body(*prices, offer=offer, event=event)}, t)


def removed(t: Any, offer: int = OFFER, event: int | None = EVENT) -> str:
    """Return ``bor``."""
    return message(7, "bor", {"betOfferId": offer} | ({} if event is None else {"eventId": event}), t)


def status(t: Any, *, suspended: bool = True, offer: int = OFFER, event: int = EVENT) -> str:
    """Return ``bosu``."""
    return message(8, "bosu", {"eventId": event, "betOfferId": offer, "suspended": suspended}, t)


def state(t: Any, name: str = "STARTED", event: int = EVENT) -> str:
    """Return ``esu``."""
    return message(34, "esu", {"id": event, "state": name}, t)


def gone(t: Any, event: int = EVENT) -> str:
    """Return ``er``."""
    return message(18, "er", {"eventId": event}, t)


def score(t: Any, home: str, away: str, version: int | None = None, event: int = EVENT) -> str:
    """Return ``score``."""
    body = {"home": home, "away": away, "who": "HOME"} | ({} if version is None else {"version": version})
    return message(16, "score", {"eventId": event, "score": body}, t)
