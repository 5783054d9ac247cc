"""What a snapshot has to yield: what differs from the consumer's view and was not changed by push since."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from tests.oracle import wire
from tests.oracle.view import OfferView, OutcomeView, odds_of
from tests.oracle.wire import Json

if TYPE_CHECKING:
    from tests.oracle.oracle import Oracle

BEFORE_REQUEST_MS: Final = 2_000

Found = tuple[str, Json]
"""Type and value of a record."""


def merge(oracle: "Oracle", stamps: dict[str, str], body: bytes, share: tuple[int, int]) -> Iterator[tuple[int, Found]]:
    """Yield event and record of each difference in order; the oracle's account changes as they are taken."""
    as_of = int(stamps["tc-requested-ns"]) // 1_000_000 - BEFORE_REQUEST_MS
    if oracle.newest_ms:
        as_of = min(as_of, oracle.newest_ms)
    path = stamps["tc-position"].partition("?")[0].removesuffix(".json").split("/")
    asked = [int(number) for number in path[-1].split(",")]
    answer = {} if stamps["tc-status"] == "404" else json.loads(body)
    for event in asked:
        if event % share[1] != share[0]:
            oracle.counts["kambi.foreign-event"] += 1
            continue
        merged = _Event(oracle, event, as_of)
        if oracle.floor(event) > as_of:
            continue
        if path[0] == "betoffer":
            found = merged.gone() if stamps["tc-status"] == "404" else merged.offers(answer)
        elif stamps["tc-status"] == "404":
            continue
        else:
            found = merged.live(answer["liveData"])
        yield from ((event, record) for record in found)


class _Event:
    """One event of a snapshot."""

    def __init__(self, oracle: "Oracle", event: int, as_of: int) -> None:
        self._oracle = oracle
        self._event = event
        self._as_of = as_of

    def gone(self) -> Iterator[Found]:
        """The answer says that the event does not exist."""
        said = [said.order for said in self._oracle.said if said.event == self._event]
        if said and not self._oracle.is_removed(self._event) and max(said) <= self._as_of:
            self._oracle.remove(self._event, self._as_of)
            yield "event.removed", {}

    def offers(self, answer: Json) -> Iterator[Found]:
        """All offers of the event, and the event itself."""
        for event in answer["events"]:
            if event["id"] == self._event:
                yield from self._described(event)
        shown = [wire.offer_added(offer).value for offer in answer["betOffers"] if offer["eventId"] == self._event]
        for offer in shown:
            yield from self._offer(offer)
        oracle = self._oracle
        known = dict.fromkeys(
            said.offer for said in oracle.said if said.event == self._event and said.offer is not None
        )
        for offer_id in known:
            view = oracle.view.offers.get(offer_id)
            if view is None or view.visible is False or offer_id in [offer["offer_id"] for offer in shown]:
                continue
            if max(said.order for said in oracle.said if said.offer == offer_id) <= self._as_of:
                yield self._said("offer.removed", {"offer_id": offer_id}, offer_id)

    def _said(self, kind: str, value: Json, offer: int, *, what: str = "offer") -> Found:
        """Take note of what the snapshot says of an offer or of its outcomes."""
        if what == "offer":
            self._oracle.say(self._as_of, self._event, "offer", kind, offer=offer)
        for outcome in value.get("outcomes", ()):
            self._oracle.say(self._as_of, self._event, "outcome", kind, offer=offer, outcome=outcome["id"])
        self._oracle.view.apply(kind, self._event, offer, value)
        return kind, value

    def _described(self, body: Json) -> Iterator[Found]:
        oracle, shown = self._oracle, wire.described("event.opened", body).value
        view = oracle.view.event(self._event)
        is_newer = oracle.newest(self._event, "state") > self._as_of
        if not view.known:
            if is_newer and view.state is not None:
                shown["state"] = view.state
            kind = "event.opened" if shown.get("state") == "STARTED" else "event.added"
            order = 0 if is_newer else self._as_of
        elif shown.get("state", view.state) != view.state:
            if is_newer:
                return
            kind, shown, order = "event.state-changed", {"state": shown["state"]}, self._as_of
        else:
            return
        oracle.say(order, self._event, "state", kind)
        before = view.state
        oracle.view.apply(kind, self._event, None, shown)
        if is_newer:
            view.state = before
        yield kind, shown

    # Offers.

    def _offer(self, shown: Json) -> Iterator[Found]:
        view = self._oracle.view.offers.get(shown["offer_id"])
        if view is None or not view.whole:
            yield from self._define(shown, view)
            return
        offer_id, cash_out = shown["offer_id"], shown.get("cash_out_status")
        is_newer = self._oracle.newest_of_offer(self._event, offer_id) > self._as_of
        same = shown["suspended"] == view.suspended and view.visible is not False and cash_out in (None, view.cash_out)
        if not same and not is_newer:
            value = {"offer_id": offer_id, "suspended": shown["suspended"], "visible": True}
            value |= {} if cash_out is None else {"cash_out_status": cash_out}
            yield self._said("offer.status-changed", value, offer_id)
        yield from self._outcomes(shown, view)

    def _define(self, shown: Json, view: OfferView | None) -> Iterator[Found]:
        oracle, offer_id, as_of = self._oracle, shown["offer_id"], self._as_of
        said = [said.order for said in oracle.said if said.offer == offer_id]
        if view is None and max(said, default=0) > as_of:
            return  # removed since
        if any(one.offer == offer_id and one.kind == "offer.removed" and one.order > as_of for one in oracle.said):
            return  # removed since, and something of it came again
        is_newer = oracle.newest_of_offer(self._event, offer_id) > as_of
        if view is not None and is_newer:
            if view.visible is False:
                return
            if view.suspended is not None:
                shown["suspended"] = view.suspended
                shown |= {} if view.cash_out is None else {"cash_out_status": view.cash_out}
        present = {} if view is None else view.outcomes
        taken, said_so = [], []
        for outcome in shown["outcomes"]:
            if self._own_order(offer_id, outcome["id"]) <= as_of:
                taken.append(outcome)
                said_so.append(outcome)
            elif outcome["id"] in present:
                said_so.append(_as_known(outcome, present[outcome["id"]]))
        shown["outcomes"] = said_so
        oracle.say(as_of, self._event, "offer", "offer.added", offer=offer_id)
        for outcome in taken:
            oracle.say(as_of, self._event, "outcome", "offer.added", offer=offer_id, outcome=outcome["id"])
        oracle.view.apply("offer.added", self._event, offer_id, shown)
        yield "offer.added", shown

    def _own_order(self, offer: int, outcome: int) -> int:
        said = self._oracle.said
        return max((one.order for one in said if one.offer == offer and one.outcome == outcome), default=0)

    def _outcomes(self, shown: Json, view: OfferView) -> Iterator[Found]:
        offer_id, listed = shown["offer_id"], {outcome["id"] for outcome in shown["outcomes"]}
        removed = [
            {"id": outcome}
            for outcome in sorted(view.outcomes)
            if outcome not in listed and self._own_order(offer_id, outcome) <= self._as_of
        ]
        added, odds, statuses = [], [], []
        for outcome in shown["outcomes"]:
            known, status = view.outcomes.get(outcome["id"]), outcome.get("status")
            if self._oracle.newest_of_outcome(self._event, offer_id, outcome["id"]) > self._as_of:
                continue
            if known is None:
                added.append(outcome)
            elif known.odds == odds_of(outcome) and status in (None, known.status):
                continue
            elif known.status is None and status is not None:
                added.append(outcome)
            else:
                if known.odds != odds_of(outcome):
                    odds.append({name: outcome[name] for name in outcome if name in _ODDS})
                if status not in (None, known.status):
                    statuses.append({"id": outcome["id"], "status": status})
        for kind, outcomes in (
            ("outcomes.removed", removed),
            ("outcomes.added", added),
            ("odds.changed", odds),
            ("outcomes.status-changed", statuses),
        ):
            if outcomes:
                yield self._said(kind, {"offer_id": offer_id, "outcomes": outcomes}, offer_id, what="outcome")

    # Live data.

    def live(self, listed: list[Json]) -> Iterator[Found]:
        """Clock, score, statistics and description; the score is there always, so what is not there does not exist."""
        for live in listed:
            if live["eventId"] != self._event or self._oracle.is_removed(self._event):
                continue
            if "matchClock" in live:
                yield from self._part("clock", wire.clock(self._event, live["matchClock"]))
            yield from self._part("score", wire.score(self._event, live["score"]))
            if "statistics" in live:
                yield from self._part("statistics", wire.statistics(self._event, live["statistics"]))
            said = {"description": live["description"]} if live.get("description") else {}
            if said:
                yield from self._part("description", wire.Candidate("event.description-changed", self._event, said))
            if "matchClock" not in live:
                yield from self._part("clock", wire.Candidate("clock.removed", self._event, {}))
            if not said:
                yield from self._part("description", wire.Candidate("event.description-changed", self._event, {}))

    def _part(self, what: str, shown: wire.Candidate) -> Iterator[Found]:
        oracle, is_removal = self._oracle, shown.kind == "clock.removed"
        last = next((one for one in reversed(oracle.said) if one.event == self._event and one.what == what), None)
        known = oracle.view.event(self._event).parts.get(what)
        version = shown.value.get("version")
        if known is None:
            if is_removal or not shown.value or shown.value.get("home") == shown.value.get("away") == "":
                return
        elif not is_removal and _is_same(shown.kind, shown.value, known, version):
            return
        order = self._as_of
        if last is not None:
            if version is not None and last.version is not None and version != last.version:
                if last.version > version:
                    return
            elif last.order > self._as_of:
                return
            order = max(order, last.order)
        oracle.say(order, self._event, what, shown.kind, version=version)
        oracle.view.apply_part(self._event, what, None if is_removal else shown.value)
        yield shown.kind, shown.value


_ODDS: Final = ("id", "odds_thousandths", "starting_price")


def _is_same(kind: str, shown: Json, known: Json, version: int | None) -> bool:
    if kind != "clock.changed":
        return shown == known
    if version is not None and known.get("version") is not None:
        return bool(version == known["version"])
    return _still(shown) == _still(known)


def _still(clock: Json) -> Json:
    """Return what of a clock does not change by itself."""
    moving = {"version", "minute", "second"} if clock.get("running") else {"version"}
    return {name: value for name, value in clock.items() if name not in moving}


def _as_known(outcome: Json, known: OutcomeView) -> Json:
    """Return the outcome with the newer odds and status that push said."""
    said: Any = dict(outcome)
    if odds_of(outcome) != known.odds:
        said.pop("odds_thousandths", None)
        said.pop("starting_price", None)
        if known.odds is not None:
            said |= {"starting_price": True} if known.odds == -1 else {"odds_thousandths": known.odds}
    if known.status is not None:
        said["status"] = known.status
    return dict(said)
