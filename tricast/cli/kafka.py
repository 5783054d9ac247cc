"""``tricast kafka``: the embedded Kafka on its own."""

import json
import os
import sys
from pathlib import Path

import click

from tricast.kafka import Cluster, ClusterStatus
from tricast.kafka.layout import default_data_dir

EXIT_CODES = {"running": 0, "stopped": 1, "broken": 3}  # 2 is click's: wrong usage

_data_dir = click.option(
    "--data-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=default_data_dir,
    show_default=".tricast/kafka",
    help="Where its data, logs and ports are kept.",
)
_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.group(short_help="A real Apache Kafka on this machine.")
def kafka() -> None:
    """A real Apache Kafka on this machine; needs no Java, Docker or Kafka."""


@kafka.command()
@_data_dir
@click.option("--brokers", type=click.Choice(["1", "3"]), help="Fixed when the data directory is made.  [default: 1]")
@click.option("--cpus", metavar="LIST", help="Run it on these processors only, e.g. 0 or 0,1.")
@_json
def start(data_dir: Path, brokers: str | None, cpus: str | None, as_json: bool) -> None:
    """Start Kafka in the background, or find it running; data of earlier starts is kept.

    The first start fetches Apache Kafka into the user's cache (TRICAST_CACHE_DIR). Exit code 0 when it serves.
    """
    count = {None: None, "1": 1, "3": 3}[brokers]
    cluster = Cluster(data_dir, brokers=count, cpus=_parse_cpus(cpus), quiet=as_json)  # type: ignore[arg-type] # mypy widens the literals of a dict's values
    cluster.start()
    _print(cluster.status(), as_json=as_json)


@kafka.command()
@_data_dir
@_json
def stop(data_dir: Path, as_json: bool) -> None:
    """Stop Kafka in order and keep its data. Exit code 0 also when it was not running."""
    cluster = Cluster(data_dir)
    cluster.stop()
    _print(cluster.status(), as_json=as_json)


@kafka.command()
@_data_dir
@_json
def status(data_dir: Path, as_json: bool) -> None:
    """Say whether Kafka runs, where, and on which data.

    Exit codes: 0 running, 1 stopped, 3 broken (a broker died, does not answer, or only some run; `start` mends it).
    """
    found = Cluster(data_dir).status()
    _print(found, as_json=as_json)
    sys.exit(EXIT_CODES[found.state])


def _parse_cpus(text: str | None) -> list[int] | None:
    if text is None:
        return None
    cpus = [int(part) if part.strip().isdecimal() else -1 for part in text.split(",")]
    if not set(cpus) <= os.sched_getaffinity(0):
        available = ",".join(map(str, sorted(os.sched_getaffinity(0))))
        raise click.BadParameter(f"{text!r} is not a list of processors out of {available}", param_hint="--cpus")
    return cpus


def _print(found: ClusterStatus, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(found.to_json()))
        return
    click.echo(f"Apache Kafka {found.version}: {found.state}")
    click.echo(f"  data       {found.data_dir}")
    if found.bootstrap_servers:
        click.echo(f"  bootstrap  {found.bootstrap_servers}")
    for broker in found.brokers:
        process = f"pid {broker.pid}" if broker.pid else "no process"
        click.echo(f"  broker {broker.broker}   {broker.state}, port {broker.port}, {process}, log {broker.log}")
