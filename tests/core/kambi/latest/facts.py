"""Random histories of facts of two events, as the topics may have them: late ones, changes of what nobody added."""

from typing import Any

from hypothesis import strategies as st

Json = dict[str, Any]
PREFIX, SUFFIX = "tricast.kambi.", ".v1"

ids = st.sampled_from([1, 1, 1, 2])
"""Mostly one, so that facts meet."""
flags = st.booleans()
some = st.sampled_from


def _fact(kind: str, required: dict[str, st.SearchStrategy[Any]], **optional: st.SearchStrategy[Any]) -> Any:
    about = {"source": st.just("snapshot"), "vendor_time_ms": st.integers(1, 9)}
    value = st.fixed_dictionaries({"event_id": ids} | required, optional=optional | about)
    return st.tuples(st.just(f"{PREFIX}{kind}{SUFFIX}"), st.tuples(value, seldom).map(_marked))


seldom = st.sampled_from([False] * 7 + [True])


def _marked(drawn: tuple[Json, bool]) -> Json:
    value, is_late = drawn
    return value | {"late": True} if is_late else value


def _outcomes(least: int, /, **optional: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    outcome = st.fixed_dictionaries({"id": st.sampled_from([1, 1, 2, 3])}, optional=optional)
    return st.lists(
        st.tuples(outcome, seldom).map(_marked), min_size=least, max_size=3, unique_by=lambda one: one["id"]
    )


_price = {
    "odds_thousandths": st.integers(1000, 1003),
    "starting_price": st.just(True),
    "odds_american": some(["-118", "370"]),
}
_status = {"status": some(["OPEN", "SUSPENDED"]), "cash_out_status": some(["ENABLED", "DISABLED"])}
_whole: dict[str, st.SearchStrategy[Any]] = {
    **_price,
    **_status,
    "label": some(["1", "X"]),
    "line_thousandths": some([2500, 3500]),
}
_offer = {"offer_id": ids}

FACTS = st.one_of(
    _fact("event.added", {}, name=some("ab"), state=some(["NOT_STARTED", "STARTED"]), tags=some([["A"], []])),
    _fact("event.opened", {}, name=some("ab"), state=some(["NOT_STARTED", "STARTED"])),
    _fact("event.state-changed", {"state": some(["STARTED", "FINISHED"])}),
    _fact("event.description-changed", {}, description=some(["rain", "heat"])),
    _fact("event.removed", {}),
    _fact(
        "offer.added",
        _offer | {"suspended": flags, "outcomes": _outcomes(0, **_whole)},
        tags=some([["MAIN"], ["MAIN_LINE"]]),
        type_id=some([6, 6, 1]),
        criterion=some([{"id": 5}, {"id": 5}, {"id": 8}, {}]),
        cash_out_status=_status["cash_out_status"],
    ),
    _fact("offer.removed", _offer),
    _fact("offers.removed", {}),
    _fact("offers.suspended", {}),
    _fact(
        "offer.status-changed",
        _offer | {"suspended": flags, "visible": flags},
        cash_out_status=_status["cash_out_status"],
    ),
    _fact("odds.changed", _offer | {"outcomes": _outcomes(1, **_price)}),
    _fact("outcomes.added", _offer | {"outcomes": _outcomes(1, **_whole)}),
    _fact("outcomes.removed", _offer | {"outcomes": _outcomes(1)}),
    _fact("outcomes.status-changed", _offer | {"outcomes": _outcomes(1, **_status)}),
    _fact("clock.changed", {}, minute=st.integers(0, 3), running=flags),
    _fact("clock.removed", {}),
    _fact("score.changed", {"home": some("01"), "away": some("01")}, info=some(["HT"])),
    _fact("statistics.changed", {}, football=st.just({"home": {"corners": 2}})),
    _fact("live-statistic.changed", {"occurrence_type_id": some(["ACES", "CORNERS"]), "value": st.integers(0, 2)}),
    _fact("scores.removed", {}),
    _fact("ticker.added", {"ticker_id": ids}),
)
HISTORIES = st.lists(FACTS, max_size=40)
