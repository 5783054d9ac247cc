"""Changes as the vendor's message types: number, element, body, routing keys, and the facts for the ledger."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, assert_never

from simulators.kambi import changes as ch
from simulators.kambi.channels import Channels

Fields = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A change in the sheet's terms; ``facts`` are fields of the ledger's ``Fact``."""

    mt: int
    element: str
    body: Fields
    keys: tuple[str, ...]
    facts: tuple[Fields, ...]


def to_sheet(change: ch.Change, channels: Channels) -> Sheet:  # noqa: PLR0911 - one for each type
    """Return ``change`` as the sheet has it, with the keys it is published to."""
    event_id = change.event_id
    match change:
        case ch.EventAdded():
            return Sheet(
                mt=4,
                element="ea",
                body={"event": change.event},
                keys=channels.of_event_change("language"),
                facts=({"value": change.event["state"]},),
            )
        case ch.EventOpened():
            return Sheet(
                mt=5,
                element="leo",
                body={"event": change.event, "liveData": change.live_data, "mainBetOffer": change.main_bet_offer},
                keys=channels.of_event_change("language"),
                facts=({"value": change.event["state"]}, *_odds_facts(change.main_bet_offer["outcomes"])),
            )
        case ch.EventStateChanged():
            return Sheet(
                mt=34,
                element="esu",
                body={"id": event_id, "state": change.state},
                keys=channels.of_event_change("neutral"),
                facts=({"value": change.state},),
            )
        case ch.EventRemoved():
            return Sheet(
                mt=18,
                element="er",
                body={"eventId": event_id},
                keys=channels.of_event_change("neutral"),
                facts=({},),
            )
        case ch.OutcomesSettled():
            return Sheet(
                mt=24,
                element="os",
                body={"outcomes": change.outcomes},
                keys=channels.settlements,
                facts=_outcome_facts(change.outcomes, "status"),
            )
        case ch.OutcomesStatusChanged():
            return Sheet(
                mt=32,
                element="osu",
                body={"eventId": event_id, "outcomes": change.outcomes},
                keys=channels.of_event_only("neutral", event_id),
                facts=_outcome_facts(change.outcomes, "status"),
            )
        case (
            ch.OfferAdded()
            | ch.OfferRemoved()
            | ch.OfferStatusChanged()
            | ch.OddsChanged()
            | ch.OutcomesAdded()
            | ch.OutcomesRemoved()
        ):
            return _offer_sheet(change, channels)
        case _:
            return _live_sheet(change, channels)


def _live_sheet(change: ch.LiveChange, channels: Channels) -> Sheet:  # noqa: PLR0911 - one for each type
    event_id = change.event_id
    general_neutral = channels.of_event_change("neutral")
    event_neutral = channels.of_event_only("neutral", event_id)
    event_language = channels.of_event_only("language", event_id)
    match change:
        case ch.ClockRemoved():
            return Sheet(mt=12, element="mcr", body={"eventId": event_id}, keys=general_neutral, facts=({},))
        case ch.ClockChanged():
            body = {"eventId": event_id, "matchClock": change.clock}
            keys = channels.of_event_change("language")
            return Sheet(mt=15, element="mcu", body=body, keys=keys, facts=({"value": change.clock["version"]},))
        case ch.ScoreChanged():
            body = {"eventId": event_id, "score": change.score}
            keys = general_neutral + (event_neutral if change.game_score else ())
            return Sheet(mt=16, element="score", body=body, keys=keys, facts=({"value": change.score["version"]},))
        case ch.StatisticsChanged():
            body = {"eventId": event_id, "statistics": change.statistics}
            keys = general_neutral if "sets" in change.statistics else event_neutral
            facts = ({"value": change.statistics["version"]},)
            return Sheet(mt=17, element="stats", body=body, keys=keys, facts=facts)
        case ch.TickerAdded():
            fact = {"own": str(change.ticker["id"])}
            return Sheet(mt=19, element="tu", body=change.ticker, keys=event_language, facts=(fact,))
        case ch.DescriptionChanged():
            body = {"eventId": event_id, "description": change.description}
            return Sheet(mt=20, element="desc", body=body, keys=general_neutral, facts=({"value": change.description},))
        case ch.OccurrenceChanged():
            occurrence = change.occurrence
            acted: Fields = {"own": str(occurrence["id"]), "value": occurrence["action"]}
            return Sheet(mt=25, element="mo", body=occurrence, keys=event_language, facts=(acted,))
        case ch.VisualizationChanged():
            fact = {"own": str(change.visualization["id"])}
            return Sheet(mt=27, element="vo", body=change.visualization, keys=event_neutral, facts=(fact,))
        case ch.LiveStatisticChanged():
            body = {"eventId": event_id, "occurrenceTypeId": change.type_id, "value": change.value}
            counted: Fields = {"own": change.type_id, "value": change.value}
            return Sheet(mt=28, element="ls", body=body, keys=event_neutral, facts=(counted,))
        case _:
            assert_never(change)


def _offer_sheet(change: ch.OfferChange, channels: Channels) -> Sheet:
    event_id = change.event_id
    language = channels.of_offer_change("language", event_id, change.reach)
    neutral = channels.of_offer_change("neutral", event_id, change.reach)
    match change:
        case ch.OfferAdded():
            body: Fields = {"eventId": event_id, "betOffer": change.bet_offer}
            facts = _odds_facts(change.bet_offer["outcomes"]) or ({"offer": change.bet_offer["id"]},)
            return Sheet(mt=6, element="boa", body=body, keys=language, facts=facts)
        case ch.OfferRemoved():
            body = {"eventId": event_id, "betOfferId": change.bet_offer_id}
            return Sheet(mt=7, element="bor", body=body, keys=neutral, facts=({"offer": change.bet_offer_id},))
        case ch.OfferStatusChanged():
            body = {
                "eventId": event_id,
                "betOfferId": change.bet_offer_id,
                "suspended": change.suspended,
                "visible": change.visible,
            }
            hidden = {} if change.visible else {"visible": False}
            facts = ({"offer": change.bet_offer_id, "value": change.suspended, **hidden},)
            return Sheet(mt=8, element="bosu", body=body, keys=language, facts=facts)
        case ch.OddsChanged():
            body = {"eventId": event_id, "outcomes": change.outcomes}
            return Sheet(mt=11, element="boou", body=body, keys=neutral, facts=_odds_facts(change.outcomes))
        case ch.OutcomesAdded():
            body = {"eventId": event_id, "outcomes": change.outcomes}
            return Sheet(mt=22, element="booa", body=body, keys=language, facts=_odds_facts(change.outcomes))
        case ch.OutcomesRemoved():
            body = {"eventId": event_id, "outcomes": change.outcomes}
            return Sheet(mt=23, element="boor", body=body, keys=neutral, facts=_odds_facts(change.outcomes))
        case _:
            assert_never(change)


def _odds_facts(outcomes: Iterable[ch.Json]) -> tuple[Fields, ...]:
    return _outcome_facts(outcomes, "odds")


def _outcome_facts(outcomes: Iterable[ch.Json], value: str) -> tuple[Fields, ...]:
    return tuple(
        {"offer": outcome["betOfferId"], "outcome": outcome["id"], "value": outcome.get(value)} for outcome in outcomes
    )
