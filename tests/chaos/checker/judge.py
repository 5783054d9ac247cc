"""Everything that is judged of ledgers and topics, feed by feed."""

from pathlib import Path

from tests.chaos.checker.cabinet import Cabinet
from tests.chaos.checker.history import History, of_lines
from tests.chaos.checker.ledgers import entries, read_json
from tests.chaos.checker.raw import Books, judge_raw, told_gaps
from tests.chaos.checker.verdict import Verdict

FEEDS = ("kambi", "fastpath", "rms")


def judge(folder: Path, cabinet: Cabinet, history: History, prefix: str, verdict: Verdict) -> None:
    """Judge the feeds whose ledgers are in the folder."""
    for topic, identity, times in cabinet.twice():
        verdict.find("duplicated", f"{topic}: {identity} is there {times} times")
    for feed in FEEDS:
        ledger = folder / f"{feed}-ledger.jsonl"
        if ledger.exists():
            _judge_ledger(feed, ledger, cabinet, history, verdict)


def _judge_ledger(feed: str, ledger: Path, cabinet: Cabinet, history: History, verdict: Verdict) -> None:
    books = Books()
    books.take_ledger(entries(read_json(ledger)))
    books.take_raw(cabinet.read(f"{feed}.raw"), verdict)
    gaps = told_gaps(cabinet.read(f"{feed}.health"))
    judge_raw(feed, books, gaps, of_lines(history, feed), verdict, quiet_ns=history.quiet_ns)
