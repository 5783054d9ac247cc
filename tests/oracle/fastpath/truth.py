"""A second judge that knows no rule of the account: what went out, against the list the vendor has.

Every packet that arrived is out exactly once, in the list's order unless marked; what never arrived and was passed
over is named by a finding; nothing was made up.
"""

from collections.abc import Iterator

from tests.oracle.fastpath.delivery import History
from tests.oracle.fastpath.said import Out, Said
from tests.oracle.fastpath.vendor import Entry

_BESIDE_ORDER = frozenset({"late", "repaired", "conflict"})


def lies(history: History, said: Said) -> list[str]:
    """Return what in ``said`` is not so."""
    return [*_invented(history, said), *_lost(history, said), *_disordered(history, said), *_unnamed(history, said)]


def _outs(said: Said) -> list[Out]:
    return [*said.actions, *said.statistics]


def _is_aligned(history: History, said: Said) -> bool:
    """Tell whether nothing happened after which numbers mean something else."""
    return history.is_honest and not any(finding.kind == "restarted" for finding in said.findings)


def _invented(history: History, said: Said) -> Iterator[str]:
    frames = {record.offset: record for record in history.records if record.stamp("tc-kind") == "frame"}
    told: set[int] = set()
    for out in _outs(said):
        record, entry = frames.get(out.offset), history.carried.get(out.offset)
        if record is None or record.stamp("tc-connection") != out.connection:
            yield f"{out} was in no frame"
        elif entry is not None and (entry.what, entry.fixture) != (out.what, out.fixture):
            yield f"{out} is another packet in the list: {entry.what}"
        if out.offset in told:
            yield f"the packet of {out.offset} went out twice"
        told.add(out.offset)


def _lost(history: History, said: Said) -> Iterator[str]:
    if history.is_far:
        return
    times: dict[int, int] = {}
    for out in _outs(said):
        # A connection that counts for itself, and of which all was lost that others have, may fill a hole that is
        # another packet's; nobody can tell before that one comes by its own number, marked as well.
        may_be_elsewhere = history.vendors[out.feed].scope == "connection" and out.marks & {"late", "repaired"}
        if out.offset in history.carried and not may_be_elsewhere:
            name = id(history.carried[out.offset])
            times[name] = times.get(name, 0) + 1
    now = {record.offset: int(record.stamp("tc-received-ns")) for record in history.records}
    end = max(now.values(), default=0) - history.rules.hold_ms * 1_000_000
    odd = {record.offset for record in history.records if record.offset not in history.carried}
    marks = {(out.feed, out.fixture, out.what) for out in _outs(said) if out.marks}
    outs = {(out.feed, out.fixture, out.what) for out in _outs(said) if out.offset in odd}
    outs |= {
        (finding.feed, finding.fixture, history.carried[finding.at].what)
        for finding in said.findings
        if finding.kind == "conflict" and finding.at in history.carried
    }
    seen: set[int] = set()
    for offset, entry in history.carried.items():
        if id(entry) in seen:
            continue
        seen.add(id(entry))
        feed = history.records[offset].key.decode()
        number = times.get(id(entry), 0)
        marked = (feed, entry.fixture, entry.what) in marks
        held = max(ns for other, ns in now.items() if other <= offset) > end
        if entry.what[-1] is None:
            continue  # equal ones cannot be told apart where numbers begin anew
        # What has another body than a packet of the same name that was first is told as a conflict, not sent.
        if number == 0 and not marked and not held and (feed, entry.fixture, entry.what) not in outs:
            yield f"{entry.what} arrived at {offset} and is not out"
        if number > 1 and _is_aligned(history, said):
            yield f"{entry.what} is out {number} times"


def _disordered(history: History, said: Said) -> Iterator[str]:
    if not history.is_honest:
        return
    last: dict[tuple[str, str], int] = {}
    for out in said.actions:
        entry = history.carried.get(out.offset)
        if entry is None or out.marks & _BESIDE_ORDER or out.sequence is None:
            continue
        place = _place(history, out.feed, entry)
        if place <= last.get((out.feed, out.fixture), -1) and _is_aligned(history, said):
            yield f"{entry.what} is out of order"
        last[out.feed, out.fixture] = place


def _place(history: History, feed: str, entry: Entry) -> int:
    return next(place for place, other in enumerate(history.vendors[feed].entries) if other is entry)


def _unnamed(history: History, said: Said) -> Iterator[str]:
    """Yield packets of the list that were passed over without a word."""
    if not _is_aligned(history, said):
        return
    arrived = {id(entry) for entry in history.carried.values()}
    for feed, vendor in history.vendors.items():
        for fixture in {entry.fixture for entry in vendor.entries}:
            key = (feed, fixture)
            outs = [out for out in _outs(said) if (out.feed, out.fixture) == key]
            passed = [out.sequence for out in outs if not out.marks and out.why != "unordered" and out.sequence]
            findings = [finding for finding in said.findings if (finding.feed, finding.fixture) == key]
            baseline = next((finding for finding in findings if finding.kind == "baseline"), None)
            if baseline is None or not passed:
                continue
            held_back = vendor.kind != "statistics"
            listed = [entry.ordinal for entry in vendor.entries if entry.fixture == fixture]
            ahead = listed[0] - vendor.first if vendor.scope == "connection" else 0
            first = vendor.first if baseline.fact("asked") == 0 else baseline.fact("first")
            assert isinstance(first, int)
            named = {
                number
                for finding in findings
                if finding.kind == "gap_suspected"
                for low, high in finding.fact("missing") or ()  # type: ignore[attr-defined]  # ranges
                for number in range(low, high + 1)
            }
            for entry in vendor.entries:
                number = entry.ordinal - ahead
                inside = first <= number < max(passed)
                never_came = entry.fixture == fixture and id(entry) not in arrived and inside
                if never_came and held_back and number not in named:
                    yield f"{entry.what}, number {number}, never came and is not named"
