"""How soon each witness said it, against what is stated. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tests.scenarios.scenario import Scenario
from tests.scenarios.witnesses import Moment
from tricast.monitor.verdict import CODES

SLACK_S: Final = 2.0
"""Witnesses are looked at once a second, and a look takes a moment."""


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that somebody had to say.

    Attributes:
        what: A code, or what else.
        who: Which witness.
        stated_s: By when.
        said_s: When; ``None`` for never.
    """

    what: str
    who: str
    stated_s: float
    said_s: float | None

    @property
    def is_late(self) -> bool:
        """Whether it came later than it should, or never."""
        return self.said_s is None or self.said_s > self.stated_s + SLACK_S


def rows(
    scenario: Scenario,
    moments: Sequence[Moment],
    *,
    struck_s: float,
    healed_s: float,
    held: Mapping[str, float],
    step_s: float,
) -> Iterator[Row]:
    """Yield what had to be said after the strike, and after its end.

    Args:
        held: For how long each condition has to hold before its alert fires.
        step_s: Between scrapes, and between evaluations.
    """
    bad = [moment for moment in moments if struck_s <= moment.at_s]
    for code, shown_s in scenario.codes.items():
        if code in CODES:
            yield Row(code, "page", shown_s, _first(bad, struck_s, lambda moment, code=code: code in moment.page.codes))  # type: ignore[misc]
            yield Row(
                code,
                "status",
                shown_s,
                _first(bad, struck_s, lambda moment, code=code: code in moment.status.codes),  # type: ignore[misc]
            )
        fires_s = shown_s + held[code] + 2 * step_s
        yield Row(code, "alert", fires_s, _first(bad, struck_s, lambda moment, code=code: code in moment.firing))  # type: ignore[misc]
    if scenario.part and scenario.codes:
        yield Row(
            "not ready",
            f"/readyz of {scenario.part}",
            scenario.readyz_s,
            _first(bad, struck_s, lambda moment: moment.readyz != "ready"),
        )
    good = [moment for moment in moments if healed_s <= moment.at_s]
    for who, is_calm in _calm(scenario).items():
        if who != "/readyz" or scenario.part:
            yield Row("well again", who, scenario.well_s, _from_then_on(good, healed_s, is_calm))


def stated(scenarios: Iterable[Scenario], *, held: Mapping[str, float], step_s: float) -> str:
    """Return what is stated, as the table of docs/runbook.md."""
    lines = ["| what happens | page and `tricast status` | `/readyz` | alert |", "|---|---|---|---|"]
    for scenario in scenarios:
        if not scenario.codes:
            continue
        shown = [f"`{code}` {shown_s:.0f} s" for code, shown_s in scenario.codes.items() if code in CODES]
        readyz = f"of `{scenario.part}` {scenario.readyz_s:.0f} s" if scenario.part else "-"
        fires = [f"`{code}` {shown_s + held[code] + 2 * step_s:.0f} s" for code, shown_s in scenario.codes.items()]
        lines.append(f"| {scenario.meaning} | {', '.join(shown) or '-'} | {readyz} | {', '.join(fires)} |")
    return "\n".join(lines) + "\n"


def surprises(scenario: Scenario, moments: Sequence[Moment], struck_s: float) -> list[str]:
    """Return what was said that nobody should have said, one text each."""
    before = [moment for moment in moments if moment.at_s < struck_s or not scenario.codes]
    calm = _calm(scenario)
    found = {f"{who}: not well though nothing had happened" for who in calm if not all(map(calm[who], before))}
    fired = {code for moment in moments for code in moment.firing}
    found |= {f"alert {code} fired" for code in fired - {*scenario.codes, *scenario.may}}
    return sorted(found)


def shown_besides(scenario: Scenario, moments: Sequence[Moment]) -> dict[str, int]:
    """Return in how many moments the page had a code that is none of the scenario's: a vendor may say so, too."""
    found = Counter(code for moment in moments for code in moment.page.codes)
    return {code: number for code, number in sorted(found.items()) if code not in scenario.codes}


def is_well(scenario: Scenario, moment: Moment) -> bool:
    """Whether nobody tells of the scenario, and no alert fires."""
    return all(said(moment) for said in _calm(scenario).values())


def _calm(scenario: Scenario) -> Mapping[str, Callable[[Moment], bool]]:
    return {
        "page": lambda moment: bool(moment.page.state) and scenario.codes.keys().isdisjoint(moment.page.codes),
        "status": lambda moment: bool(moment.status.state) and scenario.codes.keys().isdisjoint(moment.status.codes),
        "/readyz": lambda moment: moment.readyz in {"", "ready"},
        "alerts": lambda moment: not moment.firing,
    }


def _first(moments: Sequence[Moment], since_s: float, said: Callable[[Moment], bool]) -> float | None:
    return next((moment.at_s - since_s for moment in moments if said(moment)), None)


def _from_then_on(moments: Sequence[Moment], since_s: float, said: Callable[[Moment], bool]) -> float | None:
    """Return when it was said for good; ``None`` when not even at last."""
    unsaid = [position for position, moment in enumerate(moments) if not said(moment)]
    position = unsaid[-1] + 1 if unsaid else 0
    return moments[position].at_s - since_s if position < len(moments) else None
