"""Connectors that stand still over deadlines: what traders say meanwhile is read on waking, and may be in time."""

from collections import Counter
from dataclasses import replace
from random import Random

from tests.oracle.rms.customer import Customer
from tests.oracle.rms.said import SECOND_NS


def stand_still(random: Random, customer: Customer, deadlines: dict[str, int], count: Counter[str]) -> None:
    """Let the connector stand still over some of the deadlines, by slip, and say of each choice when it is read."""
    for choice in customer.choices:
        deadline_ns = deadlines.get(choice.meant, 0)
        if random.random() > 0.35 or not -5 * SECOND_NS < deadline_ns - choice.at_ns < 100 * SECOND_NS:
            continue
        begun = choice.at_ns - _some(random, 1, 10)
        ended = max(deadline_ns, choice.at_ns) + _some(random, 1, 5, 40)
        is_covered = any(one.since_ns <= begun and ended <= one.until_ns for one in customer.covered)
        if is_covered and all(ended < other[0] or other[1] < begun for other in customer.stalls):
            customer.stalls.append((begun, ended))
            count["connectors that stood still"] += 1
    _read(random, customer, deadlines, count)


def awake(random: Random, customer: Customer, at_ns: int) -> int:
    """Return when what is to happen then does: when the connector wakes, before or after it reads, if it sleeps."""
    waking_ns = random.choice((0, 10_000))
    return next((ended - waking_ns for begun, ended in customer.stalls if begun < at_ns < ended), at_ns)


def _read(random: Random, customer: Customer, deadlines: dict[str, int], count: Counter[str]) -> None:
    """Say of each choice when it is read, and after when it was said; of a line that is never earlier than before."""
    choices = sorted(customer.choices, key=lambda choice: choice.at_ns)
    tells, last_ns = random.random() < 0.95, 0  # the others are of older connectors
    for place, choice in enumerate(choices):
        said_ns = at_ns = choice.at_ns
        begun, after_ns = customer.read_by(said_ns), said_ns - _some(random, 1)
        if begun < said_ns:
            ended = next(ended for since, ended in customer.stalls if since == begun)
            after_ns, at_ns = begun, ended - len(choices) + place
            count["choices read after a stall"] += 1
        elif random.random() < 0.1:  # its clock was put back
            after_ns = at_ns + 5 * SECOND_NS
        after_ns = max(after_ns, last_ns)
        choices[place] = replace(choice, at_ns=at_ns, sent_ns=said_ns, after_ns=after_ns if tells else None)
        last_ns = choices[place].earliest_ns
        may_be = last_ns <= deadlines.get(choice.meant, 0) < at_ns
        count["choices that were read late and may be in time"] += may_be
    customer.choices = sorted(choices, key=lambda choice: choice.at_ns)


def _some(random: Random, *seconds: float) -> int:
    """Return a random length of time of about one of these."""
    return int(random.uniform(0.1, 2) * random.choice(seconds) * SECOND_NS)
