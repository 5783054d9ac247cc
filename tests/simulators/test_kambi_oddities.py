"""Odds that are taken back at once, and times that are none."""

import json

from simulators.kambi.changes import EventRemoved, OddsChanged
from simulators.kambi.config import FaultSwitch, KambiFaultSettings
from simulators.kambi.ledger import Fact
from simulators.kambi.messages import Message
from simulators.kambi.oddities import Oddities


def odds(*outcomes: tuple[int, int | None]) -> OddsChanged:
    bodies = tuple({"id": id_, "betOfferId": 9} | ({"odds": price} if price else {}) for id_, price in outcomes)
    return OddsChanged(event_id=7, reach="listed", outcomes=bodies)


def removal(number: int) -> Message:
    facts = (Fact(child=0, change=number, mt=18, t=1_790_000_000_123, event=7),)
    envelope = b'{"t":"1790000000123","mt":18,"er":{"eventId":7}}'
    return Message(mt=18, keys=("k",), envelope=envelope, facts=facts)


def oddities(**faults) -> Oddities:
    return Oddities(FaultSwitch(KambiFaultSettings(**faults)))


def test_without_faults_nothing_is_odd():
    changes = [odds((1, 1500)), EventRemoved(event_id=7)]
    assert list(oddities().flickering(changes)) == changes
    assert oddities().odd_time(removal(1)) == removal(1)


def test_every_nth_odds_change_is_taken_back_and_made_again():
    first, second = odds((1, 1500)), odds((1, 1600), (2, 500_000), (3, -1), (4, None))
    there, away, back = list(oddities(flicker_every=2).flickering([first, EventRemoved(event_id=7), second]))[2:]
    assert there == back == second
    assert isinstance(away, OddsChanged)
    assert {outcome["id"]: outcome["odds"] for outcome in away.outcomes} == {1: 1610, 2: 490_000}


def test_odds_changes_without_odds_do_not_flicker():
    change = odds((1, None), (2, -1))
    assert list(oddities(flicker_every=1).flickering([change])) == [change]


def test_every_nth_time_is_missing_in_seconds_or_ahead_by_turns():
    odd = oddities(odd_time_every=2)
    messages = [odd.odd_time(removal(number)) for number in range(1, 9)]
    assert [json.loads(message.envelope).get("t") for message in messages[1::2]] == [
        None,
        "1790000000",
        "1790003600123",
        None,
    ]
    assert [message.facts[0].t for message in messages[1:6:2]] == [1_790_000_000_123, 1_790_000_000, 1_790_003_600_123]
    assert {message.fault for message in messages[1::2]} == {"odd-time"}
    assert messages[::2] == [removal(number) for number in (1, 3, 5, 7)]
