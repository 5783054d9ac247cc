"""`tricast audit` accounts for requests: what came of each, and nothing twice."""

import sqlite3
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.core.driver import Record
from tests.core.kambi.tasks import ONE, added, gone, odds, score
from tests.dlq.bench import Bench, Out
from tests.dlq.test_fastpath import Fastpath
from tests.dlq.test_kambi import NAN, Kambi, T
from tricast.audit.fastpath.judge import Judge as FastpathJudge
from tricast.audit.judge import Judge as KambiJudge
from tricast.audit.records import Output, to_output, to_raw
from tricast.audit.report import Report
from tricast.audit.shelf import Shelf

Tamper = Callable[[list[Out]], list[Out]]


def audited(bench: Bench, written: list[Out]) -> Report:
    report = Report()
    topic = bench.partition.topic
    judge: KambiJudge | FastpathJudge
    if isinstance(bench, Kambi):
        judge = KambiJudge(topic, 0, report, from_start=True, ledger=None)
    else:
        judge = FastpathJudge(topic, 0, report, from_start=True, ledger=None, hold_ms=2000)
    shelf = Shelf(sqlite3.connect(":memory:", isolation_level=None))
    shelf.put(_output(out, offset, topic) for offset, out in enumerate(written) if _is_audited(out))
    shelf.sort()
    for first, again in shelf.twice():
        report.find("duplicated", f"{again.place} and {first.place}")
    outputs = list(shelf.of_partition(0))
    for record in bench.raw:
        judge.judge(to_raw(record), [output for output in outputs if output.source_offset == record.offset])
    judge.finish()
    return report


def _is_audited(out: Out) -> bool:
    return out.value is not None and out.topic.partition(".")[2] not in {"health", "connections", "commands"}


def _output(out: Out, offset: int, raw_topic: str) -> Output:
    record = Record(offset=offset, value=out.value, headers=out.headers, topic=f"t.{out.topic}", key=out.key)
    return to_output(record, raw_topic, dead=out.topic.endswith("dead-letters"))


def kambi() -> Kambi:
    bench = Kambi()
    bench.say(added(T, (ONE, 1500)))
    bench.fail(odds(T + 10, (ONE, 1600)), gone(T + 11, 7), score(T + 12, "1", "0"))
    bench.say(score(T + 20, "2", "0"), NAN)
    bench.replay(bench.letters[0])  # two records, one refusal
    bench.replay(bench.letters[0])  # refused
    bench.replay(bench.letters[1])  # fails again
    bench.say(odds(T + 10, (ONE, 1600)), line="kambi-0-general")  # the copy of what was replayed
    bench.feed([bench.request(bench.letters[0], headers=[("tc-kind", b"replay")])])  # none of ours
    return bench


def fastpath() -> Fastpath:
    bench = Fastpath()
    bench.say(1, 2)
    bench.fail(3, 4)
    for letter in bench.letters[:2]:
        bench.replay(letter)
    bench.replay(bench.letters[0])
    bench.say(4, 5)
    return bench


@pytest.mark.parametrize(
    ("made", "counted"),
    [
        (kambi, {"requests": 4, "records": 2, "refused": 2, "failed again": 1}),
        (fastpath, {"requests": 3, "records": 2, "refused": 1}),
    ],
    ids=["kambi", "fastpath"],
)
def test_requests_are_accounted_for(made: Callable[[], Bench], counted: dict[str, int]):
    bench = made()
    report = audited(bench, bench.written)
    assert (dict(report.findings), report.examples) == ({}, {})
    assert dict(report.replays) == counted


def marked(out: Out) -> bool:
    return bool(out.header("ce_replayed"))


def unmarked_copy(written: list[Out]) -> list[Out]:
    again = next(out for out in written if marked(out))
    return [again._replace(headers=[one for one in again.headers if one[0] != "ce_replayed"]), *written]


def by_another_request(written: list[Out]) -> list[Out]:
    again = next(out for out in written if marked(out))
    headers = [(name, b"t.kambi.raw/0/4" if name == "ce_replayed" else value) for name, value in again.headers]
    return [*written, again._replace(headers=headers)]


PLANTED: dict[str, tuple[Tamper, str]] = {
    "a record of a replay twice": (lambda written: [*written, next(filter(marked, written))], "duplicated"),
    "a record of a replay by the second request, too": (by_another_request, "duplicated"),
    "a record of a replay that came before": (unmarked_copy, "duplicated"),
    "a replay of something else": (
        lambda written: [
            out._replace(headers=[("ce_id", b"t.kambi.raw/0/0/0") if one[0] == "ce_id" else one for one in out.headers])
            if marked(out) and "s.removed." not in out.header("ce_type")
            else out
            for out in written
        ],
        "unexpected",
    ),
    "nothing of a request": (
        lambda written: [out for out in written if "was replayed before" not in out.header("tc-detail")],
        "lost",
    ),
}


@pytest.mark.parametrize(("tamper", "kind"), PLANTED.values(), ids=PLANTED)
def test_what_is_wrong_with_a_replay_is_named(tamper: Tamper, kind: str):
    bench = kambi()
    assert audited(bench, tamper(bench.written)).findings[kind]


def test_a_mark_that_names_no_record_of_the_raw_topic_is_no_output():
    out = next(filter(marked, kambi().written))
    headers = [(name, b"t.other/0/1" if name == "ce_replayed" else value) for name, value in out.headers]
    record = replace(Record(offset=0, value=out.value, headers=headers), topic="t.kambi.offers")
    with pytest.raises(ValueError, match="replayed by"):
        to_output(record, "t.kambi.raw", dead=False)
