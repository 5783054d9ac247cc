"""``tricast monitor``: watch Kafka from outside, for Prometheus."""

import asyncio
import logging

import click

from tricast.cli.invocation import Invocation, pass_invocation, stop_on_signals
from tricast.monitor.metrics import MonitorSubject
from tricast.monitor.ours import monitor_of
from tricast.monitor.picture import Picture, Reason
from tricast.monitor.watch import Monitor
from tricast.observe.config import ObserveSettings
from tricast.observe.run import observed

log = logging.getLogger(__name__)


@click.command(short_help="Look at Kafka once a second, for Prometheus.")
@pass_invocation
def monitor(invocation: Invocation) -> None:
    """Look at Kafka once a second: topics, groups (also other teams'), health; serve it as metrics; log what changes.

    Per partition: rate, size, end, age of the newest record, replicas in sync, what open transactions hold back; per
    group: lag in records and in seconds. TRICAST_OBSERVE__PORT says where /metrics, /livez and /readyz are served. An
    outage of Kafka does not end it. One is enough for an installation; `tricast up` has one inside. Runs until SIGTERM
    or Ctrl-C.

    \b
    Examples:
      TRICAST_OBSERVE__PORT=9300 tricast monitor
      curl -s http://127.0.0.1:9300/metrics | grep lag_seconds
    """
    settings = invocation.settings
    asyncio.run(_run(monitor_of(settings.kafka, settings.topic_prefix), settings.observe))


async def _run(watching: Monitor, settings: ObserveSettings) -> None:
    stopping = asyncio.Event()
    stop_on_signals(stopping.set)
    with observed(settings, "monitor", MonitorSubject(watching)) as beating:
        async with watching:
            tasks = [asyncio.create_task(run) for run in (watching.run(), beating(), _log(watching), _wait(stopping))]
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in tasks:
                task.cancel()
            for task in done:
                task.result()


async def _wait(stopping: asyncio.Event) -> None:
    await stopping.wait()


async def _log(watching: Monitor) -> None:
    """Log each reason as it comes and goes: healthy is quiet."""
    await watching.settle()
    known: dict[tuple[str, str], Reason] = {}
    while True:
        now = _reasons(watching.picture)
        for key, reason in now.items():
            if key not in known:
                log.warning("monitor.reason code=%s subject=%s text=%s", reason.code, reason.subject, reason.text)
        for code, subject in known.keys() - now.keys():
            log.info("monitor.over code=%s subject=%s state=%s", code, subject, watching.picture.state)
        known = now
        async with watching.changed:
            await watching.changed.wait()


def _reasons(picture: Picture) -> dict[tuple[str, str], Reason]:
    return {(reason.code, reason.subject): reason for reason in picture.reasons}
