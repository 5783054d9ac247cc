"""Bugs to plant: in the rules of the oracle itself, and in what was written. Comparing must notice each."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace

from tests.oracle.fastpath import account, oracle, upstream
from tests.oracle.fastpath.said import Out, Said
from tests.oracle.planting import Bug

BUGS = (
    Bug("R1 no gap below the baseline", account, "Account._baseline", "asked == 0 and", "asked == -1 and"),
    Bug("R2 a default where the key differs", account, "Account._align", "known[0] == packet.key", "True"),
    Bug(
        "R2 b beyond the last is unknown", account, "Account._align",
        "number > self.last or (", "number <= self.last and (",
    ),
    Bug("R2 c what is missing is unknown", account, "Account._align", "number >= self.base and known is None", "False"),
    Bug("R2 d the greatest, not the nearest", account, "Account._align", "(abs(other - asked - 1), -other)", "-other"),
    Bug("R2 below the baseline restarts", account, "Account._align", "0 <= number < self.base", "False"),
    Bug(
        "R3 duplicates pass for copies", account, "Account._place",
        "packet.number in view.delivered and not", "False and not",
    ),
    Bug("R4 another body is a copy", account, "Account._place", "known[1] != packet.body", "False"),
    Bug("R4 another action is the same", account, "Account._mismatch", "known[0] != packet.key", "False"),
    Bug("R4 no shift", account, "Account._shifted", "number <= self.last and ahead", "False"),
    Bug("R4 no shift back", account, "Account._shifted", "<= self.last + FARTHEST and behind", "<= 0 and behind"),
    Bug("R5 any jump is believed", account, "Account._mismatch", "number - self.last > FARTHEST", "False"),
    Bug("R5 a jump is no gap", account, "Account._beyond", "if first < number", "if False"),
    Bug("R6 nothing is held", account, "Account._hold_or_release", "elif self._first_missing() < number", "elif False"),
    Bug("R6 late for repaired", account, "Account._fill", "packet.connection is gap.shown_by", "False"),
    Bug("R6 a replay closes a gap", account, "Account._fill", "repaired = any(", "repaired = False and any("),
    Bug("R6 reordered whoever brought it", account, "Account._complete", "if any(", "if False and any("),
    Bug("R7 two conflicts are a restart", account, "Account._unmatched", "== IN_A_ROW", "== 2"),
    Bug("R7 conflicts need not follow", account, "Account._unmatched", "packet.number == view.run[-1] + 1", "True"),
    Bug("R7 first number says nothing", account, "Account._place", "self.place.first < own_last", "-1 == own_last"),
    Bug("R7 both lines restart", account, "Account._restart", "and is_near", "and False"),
    Bug("R8 waits longer", account, "Account.due", "now_ns >=", "now_ns >"),
    Bug(
        "R8 counts one more", account, "Account._hold_or_release",
        "> self.rules.hold_count", "> self.rules.hold_count + 1",
    ),
    Bug("R8 our loss is the vendor's", account, "Account._give_up", "first < after and last > before", "False"),
    Bug("R9 position without overlap", account, "Account._give_up", "gap.before - 2", "gap.before"),
    Bug("R9 no budget", account, "Account._in_budget", "< self.rules.repairs", "< 99"),
    Bug("R9 budget for ever", account, "Account._in_budget", "self.now_ns - self.rules.window_s * 10**9", "-1"),
    Bug(
        "R9 any connection ends an attempt", account, "Account._attempts_reached",
        "connection.since < gap.asked", "False",
    ),
    Bug("R9 any position ends an attempt", account, "Account._attempts_reached", "<= command.position", ">= 0"),
    Bug("R9 one attempt", account, "Account._attempt_over", "command.attempt == 1", "False"),
    Bug("R9 second attempt by the same line", account, "Account._repair", "attempt > 1", "False"),
    Bug("R9 waits for ever", account, "Account.overdue", "gap.command is not None and", "False and"),
    Bug("numbers as text refused", oracle, "number_of", "value.isdigit()", "False"),
    Bug("true is 1", oracle, "number_of", "type(value) is not int", "not isinstance(value, int)"),
    Bug("replays are live", oracle, "Oracle._event", "time_ns < connection.opened_ns - OLD_NS", "False"),
    Bug("bursts are live", oracle, "Oracle._event", 'if inner.get("delayStatus")', "if False"),
    Bug("repeated records count", oracle, "Oracle.read", 'kind == "frame" and frame <= last', "False"),
    Bug("equal states are told", upstream, "Collector.status", "self._in_force == state == self._published", "False"),
    Bug(
        "older states of another line count", upstream, "Collector.status",
        "elif time_ns <= told.time_ns", "elif False",
    ),
    Bug("no state is implied", upstream, "Collector.alive", 'not in (UNKNOWN, "Disconnected")', "!= None"),
    Bug("a state outlives its lines", upstream, "Collector.alone", "self._in_force = UNKNOWN", "pass"),
)  # fmt: skip


def _of_first_action(change: Callable[[Out], list[Out]]) -> Callable[[Said], bool]:
    def lie(said: Said) -> bool:
        is_room = bool(said.actions)
        if is_room:
            said.actions[:1] = change(said.actions[0])
        return is_room

    return lie


def _swapped(said: Said) -> bool:
    for place in range(len(said.actions) - 1):
        if said.actions[place].fixture == said.actions[place + 1].fixture:
            said.actions[place : place + 2] = reversed(said.actions[place : place + 2])
            return True
    return False


def _without_mark(said: Said) -> bool:
    for place, out in enumerate(said.actions):
        if out.marks:
            said.actions[place] = replace(out, marks=frozenset())
            return True
    return False


def _lost(name: str) -> Callable[[Said], bool]:
    def lie(said: Said) -> bool:
        listed = getattr(said, name)
        if listed:
            del listed[-1]
            return True
        return False

    return lie


def _other_number_missing(said: Said) -> bool:
    for place, finding in enumerate(said.findings):
        if finding.kind == "gap_suspected":
            facts = dict(finding.facts) | {"missing": ((10**6, 10**6),)}
            said.findings[place] = replace(finding, facts=tuple(sorted(facts.items())))
            return True
    return False


LIES: dict[str, Callable[[Said], bool]] = {
    "action lost": _of_first_action(lambda _: []),
    "action twice": _of_first_action(lambda out: [out, out]),
    "order changed": _swapped,
    "number changed": _of_first_action(lambda out: [replace(out, sequence=(out.sequence or 0) + 1)]),
    "another packet": _of_first_action(lambda out: [replace(out, what=("x", "y"))]),
    "why changed": _of_first_action(lambda out: [replace(out, why="late")]),
    "mark dropped": _without_mark,
    "state changed": _of_first_action(lambda out: [replace(out, state="Paused")]),
    "finding lost": _lost("findings"),
    "missing numbers changed": _other_number_missing,
    "command lost": _lost("commands"),
    "connection state lost": _lost("upstream"),
    "statistics lost": _lost("statistics"),
}
"""What may go wrong on the way out: changes what was said in place; false where there is nothing to change."""

AGAINST_THE_LIST: dict[str, Callable[[Said], bool]] = {
    name: LIES[name]
    for name in ("action lost", "action twice", "another packet", "order changed", "missing numbers changed")
}  # fmt: skip
"""Those that the second judge, who knows no rule, has to notice on his own."""


def told(said: Said, lie: Callable[[Said], bool]) -> Said | None:
    """Return ``said`` with the lie in it, ``None`` if there is no room for it."""
    changed = deepcopy(said)
    return changed if lie(changed) else None
