"""Everything that is judged of ledgers and topics, feed by feed."""

import json
from collections import defaultdict
from pathlib import Path

from tests.chaos.checker import fastpath
from tests.chaos.checker.cabinet import Cabinet
from tests.chaos.checker.history import History, of_lines
from tests.chaos.checker.kambi_accounts import TOPICS as KAMBI_TOPICS
from tests.chaos.checker.kambi_accounts import Accounts, side_by_side
from tests.chaos.checker.kambi_offering import Offering, judge_final
from tests.chaos.checker.ledgers import entries, read_json
from tests.chaos.checker.order import judge_order
from tests.chaos.checker.raw import Books, judge_raw, told_gaps
from tests.chaos.checker.verdict import Verdict

FEEDS = ("kambi", "fastpath", "rms")
ORDERED = (*sorted(KAMBI_TOPICS), "kambi.dead-letters", "fastpath.dead-letters", "rms.dead-letters")
"""Topics whose records come in the order of their sources; the rest of FastPath by number, of RMS by first in raw."""


def judge(folder: Path, cabinet: Cabinet, history: History, prefix: str, verdict: Verdict) -> None:
    """Judge the feeds whose ledgers are in the folder."""
    for topic, identity, times in cabinet.twice():
        verdict.find("duplicated", f"{topic}: {identity} is there {times} times")
    for feed in FEEDS:
        ledger = folder / f"{feed}-ledger.jsonl"
        if ledger.exists():
            _judge_ledger(feed, ledger, cabinet, history, verdict)
    for topic in ORDERED:
        judge_order(cabinet.read(topic), verdict)
    _judge_kambi(folder / "kambi-state.json", cabinet, f"{prefix}kambi.raw", verdict)
    _judge_fastpath(folder / "fastpath-ledger.jsonl", cabinet, f"{prefix}fastpath.raw", verdict)


def _judge_ledger(feed: str, ledger: Path, cabinet: Cabinet, history: History, verdict: Verdict) -> None:
    books = Books()
    books.take_ledger(entries(read_json(ledger)))
    books.take_raw(cabinet.read(f"{feed}.raw"), verdict)
    gaps = told_gaps(cabinet.read(f"{feed}.health"))
    judge_raw(feed, books, gaps, of_lines(history, feed), verdict, quiet_ns=history.quiet_ns)


def _judge_kambi(state: Path, cabinet: Cabinet, raw: str, verdict: Verdict) -> None:
    offering, mentioned = Offering(verdict), set[int]()
    for partition in cabinet.partitions("kambi.raw"):
        accounts = Accounts(partition, verdict)
        for record, made in side_by_side(cabinet.read("kambi.raw", partition), cabinet.made_of(raw, partition)):
            accounts.take(record, made)
            for output in made:
                if output.topic in KAMBI_TOPICS:
                    offering.take(output, json.loads(output.value or b"{}"))
        mentioned |= accounts.mentioned
    if state.exists():
        judge_final(offering.events, json.loads(state.read_bytes()), mentioned, verdict)


def _judge_fastpath(ledger: Path, cabinet: Cabinet, raw: str, verdict: Verdict) -> None:
    for partition in cabinet.partitions("fastpath.raw"):
        accounts = fastpath.Accounts(verdict)
        for record, made in side_by_side(cabinet.read("fastpath.raw", partition), cabinet.made_of(raw, partition)):
            accounts.take(record, made)
        accounts.finish()
    feeds: defaultdict[str, fastpath.Feed] = defaultdict(fastpath.Feed)
    for topic in sorted(fastpath.TOPICS):
        for record in cabinet.read(topic):
            value = json.loads(record.value or b"{}")
            fastpath.take_record(feeds[value["feed"]], value["feed"], record, value, verdict)
    for record in cabinet.read("fastpath.sequence"):
        value = json.loads(record.value or b"{}")
        fastpath.take_finding(feeds[value["feed"]], value, verdict)
    if ledger.exists():
        fastpath.judge_numbers(fastpath.published(read_json(ledger)), feeds, verdict)
