"""One history by its seed: whether core and oracle agree, and where not, made small."""

import json
from collections import Counter
from collections.abc import Iterator

from tests.oracle.fastpath.delivery import Raw, random_history
from tests.oracle.fastpath.play import Difference, compare
from tests.oracle.fastpath.shrink import difference_over, shrink


def compare_seed(seed: int) -> tuple[bool, Counter[str]]:
    """Return whether anything is wrong over the history of ``seed``, and what it held."""
    found, contents = compare(random_history(seed))
    return found is not None, contents


def lines_of(seed: int) -> Iterator[str]:
    """Yield what is wrong over the history of ``seed`` and the records that show it; nothing if they agree."""
    history = random_history(seed)
    found, _ = compare(history)
    if found is None:
        return
    small = shrink(history.records, lambda some: difference_over(some, history.rules) is not None)
    alone = difference_over(small, history.rules)
    yield f"seed {seed}, {history.rules}"
    if alone is None:
        yield "only with all of it and its restarts:"
    for record in history.records if alone is None else small:
        yield line_of(record)
    yield from _said(alone or found)
    if alone is not None:
        yield from (f"of the whole history: {lie}" for lie in found.lies)


def line_of(record: Raw) -> str:
    """Return a raw record in a line."""
    told = json.loads(record.value)
    inner = told.get("fixtureAction", told)
    short = {name: value for name, value in inner.items() if name not in _LONG}
    at_ms = int(record.stamp("tc-received-ns")) // 1_000_000
    asked = dict(record.headers).get("tc-position", b"-").decode()
    connection = f"{record.stamp('tc-line')[:6]}{record.stamp('tc-line')[-2:]} …{record.stamp('tc-connection')[-3:]}"
    stamps = f"{asked} {record.stamp('tc-frame')} {record.stamp('tc-kind')}"
    return f"{record.offset:4} {at_ms} {connection} asked {stamps} {json.dumps(short)}"


_LONG = frozenset(
    {
        "traceId", "version", "finished", "period", "fixtureActionType", "timelineSequence", "url", "feed",
        "previous_connection", "previous_frame",
    }
)  # fmt: skip


def _said(difference: Difference) -> Iterator[str]:
    for said in difference.missing:
        yield f"the oracle says     {said}"
    for said in difference.unexpected:
        yield f"the core says       {said}"
    for topic in difference.disordered:
        yield f"the same on {topic}, in another order"
    for lie in difference.lies:
        yield f"against the vendor's list: {lie}"
