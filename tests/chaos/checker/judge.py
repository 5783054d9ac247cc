"""Everything that is judged of ledgers and topics, feed by feed."""

import json
from collections import defaultdict
from pathlib import Path

from tests.chaos.checker import fastpath, rms
from tests.chaos.checker.books import Books
from tests.chaos.checker.cabinet import Cabinet
from tests.chaos.checker.history import History, of_lines
from tests.chaos.checker.kambi_accounts import TOPICS as KAMBI_TOPICS
from tests.chaos.checker.kambi_accounts import Accounts, side_by_side
from tests.chaos.checker.kambi_offering import Event, Offering, judge_final
from tests.chaos.checker.kambi_oracle import Oracle
from tests.chaos.checker.ledgers import entries, read_json
from tests.chaos.checker.order import judge_order
from tests.chaos.checker.raw import judge_intervals, judge_raw, told_gaps
from tests.chaos.checker.verdict import Verdict

FEEDS = ("kambi", "fastpath", "rms")
ORDERED = (
    *sorted(KAMBI_TOPICS),
    *(f"{feed}.{what}" for feed in FEEDS for what in ("health", "dead-letters")),
    *(f"fastpath.{what}" for what in ("statistics", "sequence", "connections", "commands")),
    *(f"rms.{what}" for what in ("approvals", "decisions", "lookups")),
)
"""Topics whose records come in the order of their sources, key by key: all but FastPath's actions, which have numbers,
and what is internal."""

_LEAVING_NS = 30_000_000_000
"""What a connector may take to end, from its signal on."""
_JOIN_S = 10.0
"""How long a connection may take to be joined before it is given up (docs/rms.md, "The connector")."""
_WINDOWS = {
    "TRICAST_RMS__WINDOW_PREMATCH_S": "600",
    "TRICAST_RMS__VERIFY_S": "900",
    "TRICAST_RMS__UNANSWERED_S": "3600",
}
"""What a bet may wait for before it has its outcome, one after the other; defaults of docs/rms.md."""


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
    _judge_kambi(folder / "kambi-state.json", cabinet, history, f"{prefix}kambi.raw", verdict)
    _judge_fastpath(folder / "fastpath-ledger.jsonl", cabinet, history, f"{prefix}fastpath.raw", verdict)
    judge_rms(folder, cabinet, history, f"{prefix}rms.raw", verdict)


def _judge_ledger(feed: str, ledger: Path, cabinet: Cabinet, history: History, verdict: Verdict) -> None:
    books = Books()
    books.take_ledger(entries(read_json(ledger)))
    books.take_raw(cabinet.read(f"{feed}.raw"), verdict)
    gaps = told_gaps(cabinet.read(f"{feed}.health"))
    retired = [at_ns for name, at_ns in history.retired_ns.items() if name.startswith(f"connector:{feed}")]
    ended_ns = max(retired, default=1 << 62) - _LEAVING_NS
    judge_raw(feed, books, gaps, of_lines(history, feed), verdict, quiet_ns=history.quiet_ns, last_ns=ended_ns)
    # A gap of RMS begins when the socket was last heard, at most a ping before, and ends when it is joined.
    heard_s = float(_setting(history, "TRICAST_SIMULATOR__RMS__PING_INTERVAL_S", "25"))
    judge_intervals(books, gaps, of_lines(history, feed), verdict, beside_ns=int((heard_s + _JOIN_S) * 1e9))


def _judge_kambi(state: Path, cabinet: Cabinet, history: History, raw: str, verdict: Verdict) -> None:
    offering, mentioned = Offering(verdict), set[int]()
    by_raw: dict[int, Event] = {}
    for partition in cabinet.partitions("kambi.raw"):
        accounts = Accounts(partition, verdict)
        oracle = Oracle(partition)
        for record, made in side_by_side(cabinet.read("kambi.raw", partition), cabinet.made_of(raw, partition)):
            accounts.take(record, made)
            oracle.take(record)
            for output in made:
                if output.topic in KAMBI_TOPICS:
                    offering.take(output, json.loads(output.value or b"{}"))
        mentioned |= accounts.mentioned
        by_raw |= oracle.events()
    if state.exists():
        was_restarted = any(cause.why.startswith("connector:kambi ended") for cause in history.causes)
        vendor = json.loads(state.read_bytes())
        judge_final(offering.events, vendor, by_raw, mentioned, verdict, was_restarted=was_restarted)


def _judge_fastpath(ledger: Path, cabinet: Cabinet, history: History, raw: str, verdict: Verdict) -> None:
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
    ended = [cause.until_ns for cause in of_lines(history, "fastpath") if cause.until_ns < history.quiet_ns]
    healed_ns = max(ended, default=0)
    if ledger.exists():
        fastpath.judge_numbers(fastpath.published(read_json(ledger)), feeds, verdict, healed_ns=healed_ns)


def judge_rms(folder: Path, cabinet: Cabinet, history: History, raw: str, verdict: Verdict) -> None:
    """Judge what came of RMS; ``raw`` is the physical name of its raw topic."""
    last_ns = 0
    late = rms.told_late(cabinet.read("rms.decisions"))
    sent_after = dict.fromkeys(late.values(), 0)
    for partition in cabinet.partitions("rms.raw"):
        accounts = rms.Accounts(verdict)
        for record, made in side_by_side(cabinet.read("rms.raw", partition), cabinet.made_of(raw, partition)):
            accounts.take(record, made)
            last_ns = max(last_ns, record.received_ns)
            if (partition, record.offset) in sent_after:
                sent_after[partition, record.offset] = rms.sent_after(record)
    if not (folder / "rms-ledger.jsonl").exists():
        return
    longest_s = sum(float(_setting(history, name, else_s)) for name, else_s in _WINDOWS.items())
    bets = rms.written(cabinet.read("rms.bets"))
    rms.judge_outcomes(
        rms.desk(read_json(folder / "rms-ledger.jsonl")),
        bets,
        rms.decided(cabinet.read("rms.decisions")),
        rms.uncovered(cabinet.read("rms.health")),
        verdict,
        ended_before_ns=last_ns - int(longest_s * 1e9),
        late={place: sent_after[at] for place, at in late.items()},
        stops=[
            (cause.since_ns, cause.until_ns)
            for cause in history.causes
            if cause.feed is None or "worker:rms.bets" in cause.why
        ],
        unanswered_ns=int(float(_setting(history, "TRICAST_RMS__UNANSWERED_S", "3600")) * 1e9),
    )
    if (folder / "bets-ledger.jsonl").exists():
        for line in read_json(folder / "bets-ledger.jsonl"):
            if (str(line["customer"]), line["slip"]) not in bets:
                verdict.find("lost", f"rms.bets: {line['kind']} of {line['slip']} at {line['position']} is not there")


def _setting(history: History, name: str, otherwise: str) -> str:
    return str(history.run.get("settings", {}).get(name, otherwise))
