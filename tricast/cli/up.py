"""``tricast up``: everything on this machine, with one command."""

import asyncio
import json
import logging
import shutil
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import click
import psutil
from rich.console import Console
from rich.live import Live
from rich.logging import RichHandler

from schemas.errors import EnvironmentFault
from schemas.kafka import KafkaSettings
from schemas.topics import TOPICS
from tricast.audit.report import Report
from tricast.cli.audit import audited, print_reports, scope_of, to_json
from tricast.cli.invocation import Invocation, ends, json_option, pass_invocation, stop_on_signals
from tricast.kafka import Cluster
from tricast.kafka import topics as real_topics
from tricast.kafka.errors import DataDirBusy
from tricast.kafka.filelock import exclusive
from tricast.kafka.layout import default_cache_dir
from tricast.kafka.release import fetch_release
from tricast.settings import Settings
from tricast.stack.few import Fitting
from tricast.stack.live import View, plain
from tricast.stack.local import Plan, fresh_logs
from tricast.stack.session import Outcome, Session
from tricast.stack.vendors import VENDORS, default_feeds, is_simulated

AUDIT_TIMEOUT_S = 30.0
PLAIN_INTERVAL_S = 5.0
"""How often a line is printed where no live view can be."""
_STARTING = "starting Kafka and the simulated vendors …"
_LOCK_TIMEOUT_S = 1.0


@click.command(short_help="Run all of tricast on this machine.")
@click.option("--for", "for_s", type=click.FloatRange(1), metavar="SECONDS", help="Stop by itself, then audit.")
@click.option(
    "--feed",
    "feeds",
    multiple=True,
    type=click.Choice(sorted(VENDORS)),
    help="Run this feed; may be given again.  [default: all simulated, or those whose real vendor is set]",
)
@json_option
@click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where data, logs and ledger are.  [default: .tricast]",
)
@click.option("--keep/--fresh", default=True, show_default=True, help="Keep the data of earlier runs, or begin anew.")
@pass_invocation
def up(
    invocation: Invocation,
    *,
    for_s: float | None,
    feeds: Sequence[str],
    as_json: bool,
    data_dir: Path | None,
    keep: bool,
) -> None:
    """Run all of tricast on this machine: Kafka, topics, simulated vendors, connectors, processors, a live view.

    Kafka is a real one that comes with it, unless TRICAST_KAFKA__BOOTSTRAP_SERVERS names yours; a vendor is simulated
    unless TRICAST_KAMBI__PUSH_URL or TRICAST_FASTPATH__STREAM_URL names a real one. Ctrl-C stops everything in order; a
    second start keeps the data. Without a terminal it prints plain lines instead of the live view. The processes log to
    DATA-DIR/logs.

    Exit code with --for: 0 only if data flowed and the audit is clean; 1 if not.

    \b
    Examples:
      tricast up
      tricast up --for 60
      tricast up --feed fastpath
      tricast up --for 30 --fresh --json | python -m json.tool
    """
    begun_s = time.monotonic() - (time.time() - psutil.Process().create_time())
    settings = invocation.settings
    directory = (data_dir or settings.data_dir).absolute()
    own_kafka = "bootstrap_servers" not in settings.kafka.model_fields_set
    with ExitStack() as stack:
        try:
            stack.enter_context(exclusive(directory / "up.lock", _LOCK_TIMEOUT_S))
        except DataDirBusy as error:
            action = "end it, or choose another --data-dir"
            raise EnvironmentFault(f"another `tricast up` runs on {directory}", action=action) from error
        stack.enter_context(_term_as_interrupt())
        if not keep:
            _forget(directory)
        fresh_logs(directory / "logs")
        shutil.rmtree(directory / "observe", ignore_errors=True)  # addresses of processes that were killed
        cluster = None
        if own_kafka:
            fetch_release(settings.cache_dir or default_cache_dir(), quiet=as_json)  # here, Ctrl-C can end it
            cluster = Cluster(directory / "kafka", cache_dir=settings.cache_dir, quiet=as_json)
            stack.callback(cluster.stop)
        chosen = list(dict.fromkeys(feeds or default_feeds(settings)))
        run = _Run(settings, invocation, directory, cluster, begun_s, feeds=chosen, as_json=as_json)
        code = asyncio.run(run.run(for_s))
    click.get_current_context().exit(code)


class _Run:
    def __init__(
        self,
        settings: Settings,
        invocation: Invocation,
        directory: Path,
        cluster: Cluster | None,
        begun_s: float,
        *,
        feeds: Sequence[str],
        as_json: bool,
    ) -> None:
        self._settings = settings
        self._as_json = as_json
        self._cluster = cluster
        self._begun_s = begun_s
        self._last_plain_s = 0.0
        self._console = Console()
        self._live: Live | None = None
        self._reports: dict[str, Report] = {}
        ledgers = directory / "ledger"
        self._ledgers = {
            feed: ledgers / f"{feed}-{int(time.time())}.jsonl" if is_simulated(feed, settings) else None
            for feed in feeds
        }
        self._plan = Plan(
            arguments=invocation.child_arguments(),
            logs=directory / "logs",
            spools=directory / "spool",
            addresses=directory / "observe",
            vendors=[VENDORS[feed](settings, ledger) for feed, ledger in self._ledgers.items()],
        )
        self._topics = [
            name for name in TOPICS if not name.startswith("changelog.") and name.partition(".")[0] in self._ledgers
        ]

    async def run(self, for_s: float | None) -> int:
        for ledger in self._ledgers.values():
            if ledger is not None:
                ledger.parent.mkdir(parents=True, exist_ok=True)
        prefix = self._settings.topic_prefix
        with ExitStack() as stack:
            if self._console.is_terminal and not self._as_json:
                self._live = stack.enter_context(Live(_STARTING, console=self._console, refresh_per_second=2))
                stack.enter_context(_logs_above(self._console))
            session = Session(
                self._plan,
                start_kafka=self._start_kafka,
                prefix=prefix,
                topics=[prefix + name for name in self._topics],
                offering=(self._settings.kambi.offering, self._settings.kambi.language),
                observe=self._settings.observe,
                begun_s=self._begun_s,
                show=self._show,
                say=self._say,
            )
            stop_on_signals(session.stop)
            outcome = await session.run(for_s, self._audit)
        return self._finish(outcome)

    async def _start_kafka(self) -> KafkaSettings:
        settings = self._settings
        if self._cluster is not None:
            servers = await asyncio.to_thread(self._cluster.start)
            kafka = settings.kafka.model_copy(update={"bootstrap_servers": servers})
            self._settings = settings = settings.model_copy(update={"kafka": kafka})
            self._say(f"Kafka runs at {servers} after {time.monotonic() - self._begun_s:.1f} s")
        created = await real_topics.create(settings.topics.values(), settings.topic_prefix, settings.kafka)
        if created:
            self._say(f"created {len(created)} topics")
        return settings.kafka

    def _say(self, line: str) -> None:
        if self._live is not None:
            self._console.print(line, highlight=False)
        else:
            click.echo(line, err=self._as_json)

    def _show(self, view: View) -> None:
        if self._live is not None:
            self._live.update(Fitting(view))
        elif time.monotonic() - self._last_plain_s >= PLAIN_INTERVAL_S:
            self._last_plain_s = time.monotonic()
            self._say(plain(view))

    async def _audit(self) -> None:
        self._say("auditing")
        for feed, ledger in self._ledgers.items():
            scope = scope_of(feed, self._settings, ledger=ledger)
            quiet = self._live is not None
            self._reports[feed] = await audited(self._settings, scope, timeout_s=AUDIT_TIMEOUT_S, quiet=quiet)

    def _finish(self, outcome: Outcome) -> int:
        reports = self._reports
        clean = not reports or (all(found.clean(min_frames=1) for found in reports.values()) and outcome.records > 0)
        code = outcome.exit_code or (0 if clean else 1)
        if self._as_json:
            audit = to_json(reports, min_frames=1) if reports else None
            summary: dict[str, Any] = {
                "exit_code": code,
                "first_normalized_s": outcome.first_normalized_s,
                "records": outcome.records,
                "bootstrap_servers": self._settings.kafka.bootstrap_servers,
                "audit": audit,
            }
            click.echo(json.dumps(summary))
        else:
            print_reports(reports, 1, self._console)
        if outcome.records == 0:
            self._say("no data flowed: no normalized record reached a reader")
        return code


def _forget(directory: Path) -> None:
    """Remove what earlier runs made, and nothing else that may lie there."""
    Cluster(directory / "kafka").stop()
    for name in ("kafka", "ledger", "logs", "observe", "spool"):
        shutil.rmtree(directory / name, ignore_errors=True)


@contextmanager
def _term_as_interrupt() -> Iterator[None]:
    """Take what ends us like Ctrl-C while Kafka starts and stops, so that it never stays behind."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in ends()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _logs_above(console: Console) -> Iterator[None]:
    """Print log lines above the live view instead of through it; where metrics are served stands in a file."""
    logging.getLogger("tricast.observe").setLevel(logging.WARNING)
    root = logging.getLogger()
    before = root.handlers[:]
    root.handlers[:] = [RichHandler(console=console, show_path=False)]
    try:
        yield
    finally:
        root.handlers[:] = before
