"""Health over random lives of lines: a restart changes nothing, and no event is called live that may not be."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.core.driver import Output
from tests.core.kambi.raw_lines import EVENT_LINE, GENERAL_KEYS, GENERAL_LINE, SECOND_NS, Lines, event_keys

STANDBY = f"{EVENT_LINE}.b"
OTHER = "kambi-0-events-1"
GENERAL_STANDBY = f"{GENERAL_LINE}.b"
EVENT_LINES: Final = (EVENT_LINE, STANDBY, OTHER)
ALL: Final = (GENERAL_LINE, GENERAL_STANDBY, *EVENT_LINES)
EVENTS: Final = (1, 2)


@dataclass(frozen=True)
class Step:
    """One thing that happens, as a call on lines; its name is for people who read a failure."""

    name: str
    line: str
    number: int


NAMES: Final = ["open", "hold", "close", "overflow", "message", "tick", "some", "wait", "offers", "live", "remove"]
steps = st.builds(
    Step, name=st.sampled_from([*NAMES, "open", "message", "tick"]), line=st.sampled_from(ALL), number=st.integers(0, 7)
)
histories = st.lists(steps, min_size=5, max_size=60)
CHANGES: Final = (1, 1, 2, 5, 7, 61, 130, 301)


def keys_of(step: Step) -> tuple[str, ...]:
    """The general line holds its pair; another line those events whose bits are set."""
    if step.line in {GENERAL_LINE, GENERAL_STANDBY}:
        return GENERAL_KEYS
    return event_keys(*(event for event in EVENTS if step.number & event))


def take(step: Step, lines: Lines) -> None:
    ticking = tuple(line for line in ALL if line in lines.connections)
    number, event = step.number, EVENTS[step.number % len(EVENTS)]
    acts: dict[str, Callable[[], None]] = {
        "open": lambda: lines.open(step.line, keys_of(step)),
        "hold": lambda: lines.hold(step.line, keys_of(step)),
        "close": lambda: lines.close(step.line),
        "overflow": lambda: lines.overflow(step.line),
        "message": lambda: (lines.odds if number & 2 else lines.status)(step.line, event),
        "tick": lambda: lines.tick(CHANGES[number], *ticking),
        "some": lambda: lines.tick(CHANGES[number], *(line for line in ticking if line != step.line)),
        "wait": lambda: wait(lines, CHANGES[number]),
        "offers": lambda: lines.offers(EVENTS, odds=1500 + number, requested_ns=lines.now_ns - number % 2 * SECOND_NS),
        "live": lambda: lines.live_open(EVENTS, odds=1500 + number),
        "remove": lambda: lines.message(
            step.line, f'{{"t":"{lines.now_ns // 1_000_000}","mt":18,"er":{{"eventId":{event}}}}}'
        ),
    }
    acts[step.name]()


def wait(lines: Lines, seconds: int) -> None:
    lines.now_ns += seconds * SECOND_NS


def play(history: list[Step], *, reopen: bool) -> Lines:
    lines = Lines(reopen=reopen)
    for step in history:
        take(step, lines)
    return lines


BUSY: Final = [
    Step("open", GENERAL_LINE, 0),
    Step("open", EVENT_LINE, 3),
    *[Step("message", line, number) for line in (EVENT_LINE, GENERAL_LINE) for number in (0, 1, 2, 3, 3, 2)],
    *[Step("tick", GENERAL_LINE, 7), Step("message", EVENT_LINE, 1), Step("message", EVENT_LINE, 1)],
]
"""Both sides of every pair talk, and go on to."""


@settings(max_examples=150, deadline=None)
@example(BUSY + BUSY[:-3])
@given(histories)
def test_restarts_change_nothing(history: list[Step]):
    plain, restarted = play(history, reopen=False), play(history, reopen=True)
    assert restarted.driver.outputs == plain.driver.outputs
    assert restarted.driver.store.entries == plain.driver.store.entries
    assert restarted.driver.counts == plain.driver.counts


@dataclass
class Account:
    """A naive account of what each line holds, kept apart from the core; knows only what is certain."""

    holds: dict[str, set[int]]
    general: set[str]
    closed: set[str]

    def take(self, step: Step) -> None:
        if step.name == "open":
            self.closed.discard(step.line)
        elif step.name == "close":
            self.closed.add(step.line)
        if step.name == "open" and step.line in {GENERAL_LINE, GENERAL_STANDBY}:
            self.general.add(step.line)
        if step.name == "open" and step.line in EVENT_LINES:
            self.holds[step.line] = {event for event in EVENTS if step.number & event}

    def has_general(self) -> bool:
        return bool(self.general - self.closed)


def events_told(outputs: list[Output]) -> dict[int, tuple[str, str]]:
    told = {}
    for output in outputs:
        if output.key.startswith(b"event/"):
            value = json.loads(output.value)
            told[value["event_id"]] = (value["state"], value["coverage"])
    return told


@settings(max_examples=150, deadline=None)
@given(histories)
def test_what_is_told_agrees_with_who_is_open(history: list[Step]):
    lines, account = Lines(), Account({}, set(), set())
    for step in history:
        take(step, lines)
        account.take(step)
        told = events_told(lines.driver.outputs)
        if not account.has_general():
            assert {state for state, _ in told.values()} <= {"down", "gapped"}
            assert {coverage for _, coverage in told.values()} <= {"none"}
        if not (account.general | set(account.holds)) - account.closed:
            assert {state for state, _ in told.values()} <= {"down"}


@settings(max_examples=150, deadline=None)
@given(histories, st.sampled_from(ALL))
def test_no_event_is_live_right_after_a_loss_of_the_only_line(history: list[Step], lost: str):
    lines = play(history, reopen=False)
    for line in ALL:
        if line != lost:
            lines.close(line)
    lines.open(lost, GENERAL_KEYS + event_keys(*EVENTS))
    lines.tick(3, lost)
    lines.offers(EVENTS)
    lines.overflow(lost)
    assert "live" not in {state for state, _ in events_told(lines.driver.outputs).values()}
    lines.tick(1, lost)
    lines.offers(EVENTS)
    lines.offers(EVENTS)
    states = events_told(lines.driver.outputs)
    assert {state for state, _ in states.values()} <= {"live"}
    assert {coverage for _, coverage in states.values()} <= {"full"}


@settings(max_examples=150, deadline=None)
@given(histories)
def test_states_follow_each_other_as_they_may(history: list[Step]):
    """No state is told twice in a row, a removed event is told of no more, and gapped never turns live at once."""
    newest: dict[int, dict[str, object]] = {}
    for output in play(history, reopen=False).driver.outputs:
        if output.key.startswith(b"event/"):
            value = json.loads(output.value)
            before = newest.get(value["event_id"])
            newest[value["event_id"]] = value
            if before is None:
                continue
            assert {name: before[name] for name in ("state", "reason", "coverage")} != {
                name: value[name] for name in ("state", "reason", "coverage")
            }
            if before["reason"] == "removed":
                assert value["reason"] == "covered"
            if before["state"] in {"gapped", "down"}:
                assert value["state"] in {"gapped", "down", "stale"}
