"""One history by its seed: whether core and oracle agree, and where not, what happened."""

import re
from collections import Counter
from collections.abc import Iterator

from tests.oracle.rms.course import Course, Raw
from tests.oracle.rms.play import Difference, compare, course_of, differences
from tests.oracle.rms.said import SECOND_NS, Told
from tests.oracle.rms.truth import lies
from tests.oracle.rms.world import START_NS


def compare_seed(seed: int) -> tuple[bool, Counter[str]]:
    """Return whether anything is wrong over the history of ``seed``, and what it held."""
    return compare(seed)


def lines_of(seed: int) -> Iterator[str]:
    """Yield what is wrong over the history of ``seed`` and what happened in it; nothing if all is well."""
    course = course_of(seed)
    found, lied = differences(course), lies(course)
    if found or lied:
        yield f"seed {seed}, {course.world.rules}"
        yield from lines_of_course(course)
        for difference in found:
            yield from _said(course, difference)
        yield from (f"against what happened: {lie}" for lie in lied)


def lines_of_course(course: Course) -> Iterator[str]:
    """Yield what happened, by customer's time in seconds, and what came to each task."""
    for customer in course.world.customers:
        for bet in sorted(customer.bets, key=lambda bet: bet.logged_ns):
            what = f"answered {bet.disposition} {bet.code}" if bet.is_answer else f"placed {bet.context} {bet.stake}"
            yield f"{_s(bet.logged_ns):>10} {customer.name}/{bet.slip} {what} at {_s(bet.at_ns)}"
        for choice in customer.choices:
            heard = "" if customer.hears(choice.at_ns) else ", not heard"
            ids = f"slip {choice.slip} code {choice.code}"
            when = f"said at {_s(choice.said_ns)}, after {_s(choice.earliest_ns)}"
            yield f"{_s(choice.at_ns):>10} {customer.name} {choice.said} {ids}, meant {choice.meant}{heard}, {when}"
    yield "rms.raw:"
    yield from (_raw(raw) for raw in course.raw)
    for partition, log in course.logs.items():
        yield f"task {partition}:"
        for offset, (key, value) in enumerate(log):
            yield f"  {offset:3} {key} {_short(value.decode())}"
            for one in course.steps[partition][offset].told:
                if one.kind != "pending":
                    yield f"      → {_told(one)}"


def _s(at_ns: int) -> str:
    return f"{(at_ns - START_NS) / SECOND_NS:.9g}"


def _short(text: str) -> str:
    """Return a text in which times are seconds from the history's begin."""
    return re.sub(r"\b1[78]\d{17}\b", lambda match: _s(int(match[0])), text)


def _raw(raw: Raw) -> str:
    if raw.choice is None:
        slip = raw.request.slip if raw.request else ""
        return f"{raw.offset:4} {_s(raw.at_ns)} look-up of {slip}: {raw.status} {raw.said} of {_s(raw.requested_ns)}"
    return f"{raw.offset:4} {_s(raw.at_ns)} {raw.customer} {raw.said} slip {raw.choice.slip} code {raw.choice.code}"


def _told(one: Told) -> str:
    facts = ", ".join(f"{name} {value}" for name, value in one.facts)
    return _short(f"{one.kind} {one.key}: {facts}")


def _said(course: Course, difference: Difference) -> Iterator[str]:
    key, value = course.logs[difference.partition][difference.offset]
    yield f"over record {difference.offset} of task {difference.partition}: {key} {_short(value.decode())}"
    yield from (f"  the oracle says     {_told(one)}" for one in difference.missing)
    yield from (f"  the core says       {_told(one)}" for one in difference.unexpected)
    if not difference.missing and not difference.unexpected:
        yield "  the same, in another order"
