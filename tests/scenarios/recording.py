"""What Prometheus scraped in a scenario, as a unit test of the rules for promtool. Pure."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any, Final

import yaml

from tests.scenarios.prometheus import RULES
from tests.scenarios.scenario import Scenario

FOLDER: Final = Path(__file__).parents[1] / "deploy/recorded"
_FROM_FOLDER: Final = "../../../deploy/prometheus/alerts.yml"
_WIDTH: Final = 150
_MOST_STEPS: Final = 200
"""Recordings are part of the repository: half an hour of every scrape was 260 kB."""
_FIRING: Final = 'ALERTS{alertstate="firing"}'
_UNITS: Final = {"s": 1.0, "m": 60.0}


def rules() -> list[dict[str, Any]]:
    """Return the alert rules of the product."""
    return [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]


def waits() -> dict[str, float]:
    """Return for how many seconds its condition has to hold before an alert fires, by code."""
    return {
        rule["labels"]["code"]: float(held[:-1]) * _UNITS[held[-1]]
        for rule in rules()
        for held in [rule.get("for", "0s")]
    }


def query() -> str:
    """Return what asks Prometheus for every series that a rule names, and for no other."""
    exprs = (re.sub(r'"[^"]*"', "", rule["expr"]) for rule in rules())
    names = sorted({name for expr in exprs for name in re.findall(r"\btricast_\w+", expr)})
    return f'{{job="tricast",__name__=~"{"|".join(["up", *names])}"}}'


def recording_step_s(length_s: float, scraped_s: float) -> float:
    """Return the step of a recording, seconds: that of the scrapes, a multiple of it where it would be too long."""
    return scraped_s * math.ceil(length_s / scraped_s / _MOST_STEPS)


def recorded(
    scenario: Scenario, series: Sequence[Mapping[str, Any]], *, begin_s: float, struck_s: float, step_s: float
) -> str:
    """Return a promtool test file.

    Args:
        scenario: Says what has to fire.
        series: As Prometheus answers a range query.
        begin_s: Of the range, UTC.
        struck_s: When the strike came, UTC.
        step_s: Of the range.
    """
    steps = 1 + max(_step(at_s, begin_s, step_s) for one in series for at_s, _ in one["values"])
    rows = sorted((_selector(one["metric"]), _values(one["values"], begin_s, step_s, steps)) for one in series)
    test = {
        "name": scenario.meaning,
        "interval": f"{step_s:g}s",
        "input_series": [{"series": selector, "values": notation(values)} for selector, values in rows],
        "promql_expr_test": list(_expected(scenario, struck_s - begin_s, (steps - 1) * step_s, step_s)),
    }
    head = (
        f"# Recorded by `python -m tests.scenarios {scenario.name} --record`; what has to fire stands in "
        "tests/scenarios/catalogue.py.\n"
    )
    whole = {"rule_files": [_FROM_FOLDER], "evaluation_interval": f"{step_s:g}s", "tests": [test]}
    return head + yaml.safe_dump(whole, sort_keys=False, width=_WIDTH)


def notation(values: Sequence[float | None]) -> str:
    """Return values as promtool writes them: ``1+0x9`` are ten ones, ``_`` is none, ``stale`` ends a series."""
    return " ".join(_tokens(values))


def _tokens(values: Sequence[float | None]) -> Iterator[str]:
    position = 0
    while position < len(values):
        first = values[position]
        if first is None:
            run = next((i for i, value in enumerate(values[position:]) if value is not None), len(values) - position)
            if position:
                yield "stale"  # as Prometheus marks it when a scrape fails, or lacks a series
            if rest := run - (position > 0):
                yield f"_x{rest}"
        else:
            run = _run(values[position:])
            step = values[position + 1] if run > 1 else first
            assert step is not None
            yield f"{_number(first)}{_number(step - first, sign=True)}x{run - 1}" if run > 1 else _number(first)
        position += run


def _run(values: Sequence[float | None]) -> int:
    """Return how many values at the beginning have one step between them; steps that are not whole are none."""
    steps: list[float | None] = []
    for before, after in pairwise(values):
        step = None if before is None or after is None else after - before
        steps.append(step if step is not None and (step == 0 or float(step).is_integer()) else None)
    if not steps or steps[0] is None:
        return 1
    length = len(list(next(groupby(steps))[1])) + 1
    return length if length > 2 else 1


def _number(value: float, *, sign: bool = False) -> str:
    text = str(int(value)) if float(value).is_integer() else f"{value:.6g}"
    return f"+{text}" if sign and value >= 0 else text


def _selector(labels: Mapping[str, str]) -> str:
    inner = ", ".join(f'{name}="{value}"' for name, value in sorted(labels.items()) if name != "__name__")
    return f"{labels['__name__']}{{{inner}}}"


def _values(found: Sequence[tuple[float, str]], begin_s: float, step_s: float, steps: int) -> list[float | None]:
    values: list[float | None] = [None] * steps
    for at_s, text in found:
        values[_step(at_s, begin_s, step_s)] = float(text)
    return values


def _step(at_s: float, begin_s: float, step_s: float) -> int:
    return round((at_s - begin_s) / step_s)


def _expected(scenario: Scenario, struck_s: float, end_s: float, step_s: float) -> Iterator[dict[str, Any]]:
    """Yield: nothing before the strike; each alert in time; nothing in the end; over all, these and no others."""
    by_code, held = "group by (code)", waits()
    yield _at(struck_s, f"{by_code} ({_FIRING})", ())
    for code, shown_s in scenario.codes.items():
        told_s = struck_s + shown_s + held[code] + 2 * step_s
        yield _at(told_s, f'{by_code} (ALERTS{{alertstate="firing", code="{code}"}})', [code])
    yield _at(end_s, f"{by_code} ({_FIRING})", ())
    others = f'ALERTS{{alertstate="firing", code!~"{"|".join(sorted(scenario.may))}"}}' if scenario.may else _FIRING
    yield _at(end_s, f"{by_code} (max_over_time({others}[{end_s:.0f}s]))", sorted(scenario.codes))


def _at(at_s: float, expr: str, codes: Sequence[str]) -> dict[str, Any]:
    samples = [{"labels": f'{{code="{code}"}}', "value": 1} for code in codes]
    return {"expr": expr, "eval_time": f"{at_s:.0f}s", "exp_samples": samples}
