"""Changes to the vendor's messages: envelopes, numbered for the ledger (sheet, section 6)."""

from dataclasses import dataclass
from typing import Any

import orjson

from simulators.kambi import changes as ch
from simulators.kambi.channels import Channels
from simulators.kambi.ledger import Fact
from simulators.kambi.sheets import to_sheet


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One push message: the envelope as compact JSON, the routing keys it is published to, and what it says.

    ``fault`` names what makes it other than the vendor would send it.
    """

    mt: int
    keys: tuple[str, ...]
    envelope: bytes
    facts: tuple[Fact, ...]
    fault: str | None = None


class MessageWriter:
    """Number changes and write them as messages; two writers fed the same changes and times write the same bytes.

    Args:
        channels: Where they go.
        no_event_id_every: Leave the event id out of every n-th removal of a bet offer and every n-th settlement, as
            the vendor may; never when 0. May be set anew. May be set anew.
    """

    def __init__(self, channels: Channels, *, no_event_id_every: int = 0) -> None:
        self.channels = channels
        self.no_event_id_every = no_event_id_every
        self._changes = 0
        self._without_id = 0

    def write(self, change: ch.Change, t_ms: int) -> Message:
        """Return ``change`` as the message of epoch milliseconds ``t_ms``."""
        self._changes += 1
        sheet = to_sheet(change, self.channels)
        body = sheet.body
        if self.no_event_id_every and sheet.mt in (7, 24):
            self._without_id += 1
            if self._without_id % self.no_event_id_every == 0:
                body = _without_event_id(body)
        return Message(
            mt=sheet.mt,
            keys=sheet.keys,
            envelope=orjson.dumps({"t": str(t_ms), "mt": sheet.mt, sheet.element: body}),
            facts=tuple(
                Fact(child=0, change=self._changes, mt=sheet.mt, t=t_ms, event=change.event_id, **fact)
                for fact in sheet.facts
            ),
        )


def unknown_message(t_ms: int) -> bytes:
    """Return an envelope of a type that the sheet does not know."""
    return orjson.dumps({"t": str(t_ms), "mt": 99, "xyz": {"eventId": 1, "novelty": True}})


def _without_event_id(body: dict[str, Any]) -> dict[str, Any]:
    plain = {name: value for name, value in body.items() if name != "eventId"}
    if "outcomes" in plain:
        plain["outcomes"] = [
            {name: value for name, value in outcome.items() if name != "eventId"} for outcome in plain["outcomes"]
        ]
    return plain
