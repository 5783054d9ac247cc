"""Changes to the vendor's messages: envelope, channels and the facts for the ledger (sheet, section 6)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any, Literal, assert_never

import orjson

from simulators.kambi import changes as ch
from simulators.kambi.book import Reach
from simulators.kambi.ledger import Fact
from simulators.kambi.routing import general, of_event

Side = Literal["language", "neutral"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One push message: the envelope as compact JSON, the routing keys it is published to, and what it says."""

    mt: int
    keys: tuple[str, ...]
    envelope: bytes
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Channels:
    """Which keys exist for an offering."""

    offering: str
    languages: tuple[str, ...]
    extended: bool

    def of_event_change(self, side: Side) -> tuple[str, ...]:
        """Keys of a message about a whole event: general ones only."""
        return tuple(chain.from_iterable(self._general(language) for language in self._of(side)))

    def of_offer_change(self, side: Side, event_id: int, reach: Reach) -> tuple[str, ...]:
        """Keys of a message about bet offers: the event's, and the general ones as far as the offer reaches."""
        keys: list[str] = []
        for language in self._of(side):
            if reach == "listed":
                keys += self._general(language)
            elif reach == "extended" and self.extended:
                keys.append(general(self.offering, language=language, extended=True))
            keys.append(of_event(self.offering, event_id, language=language))
        return tuple(keys)

    def event_neutral(self, event_id: int) -> str:
        """Key of one event's language-neutral channel (EN)."""
        return of_event(self.offering, event_id)

    def _of(self, side: Side) -> tuple[str | None, ...]:
        return self.languages if side == "language" else (None,)

    def _general(self, language: str | None) -> Iterator[str]:
        yield general(self.offering, language=language)
        if self.extended:
            yield general(self.offering, language=language, extended=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sheet:
    """A change in the sheet's terms."""

    mt: int
    element: str
    body: dict[str, Any]
    keys: tuple[str, ...]
    facts: tuple[dict[str, Any], ...]


class MessageWriter:
    """Number changes and write them as messages; two writers fed the same changes and times write the same bytes."""

    def __init__(self, channels: Channels, *, missing_odds_every: int = 0) -> None:
        self.channels = channels
        self.missing_odds_every = missing_odds_every
        self._changes = 0
        self._odds_changes = 0

    def write(self, change: ch.Change, t_ms: int) -> Message:
        """Return ``change`` as the message of epoch milliseconds ``t_ms``."""
        self._changes += 1
        if isinstance(change, ch.OddsChanged):
            self._odds_changes += 1
            if self.missing_odds_every and self._odds_changes % self.missing_odds_every == 0:
                change = _without_odds(change)
        sheet = _to_sheet(change, self.channels)
        return Message(
            mt=sheet.mt,
            keys=sheet.keys,
            envelope=orjson.dumps({"t": str(t_ms), "mt": sheet.mt, sheet.element: sheet.body}),
            facts=tuple(
                Fact(child=0, change=self._changes, mt=sheet.mt, t=t_ms, event=change.event_id, **fact)
                for fact in sheet.facts
            ),
        )


def unknown_message(t_ms: int) -> bytes:
    """Return an envelope of a type that the sheet does not know."""
    return orjson.dumps({"t": str(t_ms), "mt": 99, "xyz": {"eventId": 1, "novelty": True}})


def _to_sheet(change: ch.Change, channels: Channels) -> _Sheet:
    event_id = change.event_id
    match change:
        case ch.EventAdded():
            return _Sheet(
                mt=4,
                element="ea",
                body={"event": change.event},
                keys=channels.of_event_change("language"),
                facts=({"value": change.event["state"]},),
            )
        case ch.EventOpened():
            return _Sheet(
                mt=5,
                element="leo",
                body={"event": change.event, "liveData": change.live_data, "mainBetOffer": change.main_bet_offer},
                keys=channels.of_event_change("language"),
                facts=({"value": change.event["state"]}, *_odds_facts(change.main_bet_offer["outcomes"])),
            )
        case ch.EventStateChanged():
            return _Sheet(
                mt=34,
                element="esu",
                body={"id": event_id, "state": change.state},
                keys=channels.of_event_change("neutral"),
                facts=({"value": change.state},),
            )
        case ch.EventRemoved():
            return _Sheet(
                mt=18,
                element="er",
                body={"eventId": event_id},
                keys=channels.of_event_change("neutral"),
                facts=({},),
            )
        case _:
            return _offer_sheet(change, channels)


def _offer_sheet(
    change: ch.OfferAdded
    | ch.OfferRemoved
    | ch.OfferStatusChanged
    | ch.OddsChanged
    | ch.OutcomesAdded
    | ch.OutcomesRemoved,
    channels: Channels,
) -> _Sheet:
    event_id = change.event_id
    language = channels.of_offer_change("language", event_id, change.reach)
    neutral = channels.of_offer_change("neutral", event_id, change.reach)
    match change:
        case ch.OfferAdded():
            body: dict[str, Any] = {"eventId": event_id, "betOffer": change.bet_offer}
            return _Sheet(
                mt=6, element="boa", body=body, keys=language, facts=_odds_facts(change.bet_offer["outcomes"])
            )
        case ch.OfferRemoved():
            body = {"eventId": event_id, "betOfferId": change.bet_offer_id}
            return _Sheet(mt=7, element="bor", body=body, keys=neutral, facts=({"offer": change.bet_offer_id},))
        case ch.OfferStatusChanged():
            body = {
                "eventId": event_id,
                "betOfferId": change.bet_offer_id,
                "suspended": change.suspended,
                "visible": True,
            }
            facts = ({"offer": change.bet_offer_id, "value": change.suspended},)
            return _Sheet(mt=8, element="bosu", body=body, keys=language, facts=facts)
        case ch.OddsChanged():
            body = {"eventId": event_id, "outcomes": change.outcomes}
            return _Sheet(mt=11, element="boou", body=body, keys=neutral, facts=_odds_facts(change.outcomes))
        case ch.OutcomesAdded():
            body = {"eventId": event_id, "outcomes": change.outcomes}
            return _Sheet(mt=22, element="booa", body=body, keys=language, facts=_odds_facts(change.outcomes))
        case ch.OutcomesRemoved():
            body = {"eventId": event_id, "outcomes": change.outcomes}
            return _Sheet(mt=23, element="boor", body=body, keys=neutral, facts=_odds_facts(change.outcomes))
        case _:
            assert_never(change)


def _odds_facts(outcomes: Iterable[ch.Json]) -> tuple[dict[str, Any], ...]:
    return tuple(
        {"offer": outcome["betOfferId"], "outcome": outcome["id"], "value": outcome.get("odds")} for outcome in outcomes
    )


def _without_odds(change: ch.OddsChanged) -> ch.OddsChanged:
    first = {name: value for name, value in change.outcomes[0].items() if not name.startswith("odds")}
    return ch.OddsChanged(event_id=change.event_id, reach=change.reach, outcomes=(first, *change.outcomes[1:]))
