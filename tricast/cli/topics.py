"""``tricast topics``: the registry, and the real topics beside it."""

import asyncio
import json

import click
from rich import box
from rich.console import Console
from rich.table import Table

from schemas.topics import Topic
from tricast.audit.spans import Kafka
from tricast.cli.grow import grow
from tricast.cli.invocation import Invocation, json_option, pass_invocation
from tricast.kafka import topics as real_topics
from tricast.kafka.newest import Looked, look

DAY_MS = 86_400_000


@click.group()
def topics() -> None:
    """List, create, check and grow the topics of the registry.

    \b
    Examples:
      tricast topics list
      tricast topics create
      tricast topics check && echo as they should be
    """


topics.add_command(grow)


@topics.command(name="list")
@json_option
@pass_invocation
def list_topics(invocation: Invocation, as_json: bool) -> None:
    """Print the registry with this installation's topic names; asks no Kafka.

    \b
    Examples:
      tricast topics list
      tricast topics list --json
    """
    prefix, registry = invocation.settings.topic_prefix, invocation.settings.topics
    if as_json:
        click.echo(json.dumps([{**topic.model_dump(), "name": prefix + topic.name} for topic in registry.values()]))
        return
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("Topic", no_wrap=True)
    table.add_column("Partitions", justify="right")
    table.add_column("Cleanup", no_wrap=True)
    table.add_column("What a record is; its key")
    for topic in registry.values():
        table.add_row(
            prefix + topic.name, str(topic.partitions), _cleanup(topic), f"{topic.description} Key: {topic.key}."
        )
    Console().print(table)


@topics.command()
@pass_invocation
def create(invocation: Invocation) -> None:
    """Create what is missing; topics that exist are left as they are (`check` compares them).

    \b
    Examples:
      tricast topics create
      TRICAST_KAFKA__BOOTSTRAP_SERVERS=kafka-1:9092 tricast topics create
    """
    settings = invocation.settings
    created = asyncio.run(real_topics.create(settings.topics.values(), settings.topic_prefix, settings.kafka))
    for name in created:
        click.echo(f"created {name}")
    click.echo(f"{len(created)} created, {len(settings.topics) - len(created)} were there")


@topics.command()
@click.option(
    "--newest",
    default=20,
    show_default=True,
    type=click.IntRange(0, 10_000),
    help="Offsets of each partition to look at, transaction markers included; 0: settings only.",
)
@click.option(
    "--timeout",
    "timeout_s",
    default=30.0,
    show_default=True,
    type=click.FloatRange(1, 600),
    help="Give up when nothing could be read for so many seconds.",
)
@json_option
@pass_invocation
def check(invocation: Invocation, *, newest: int, timeout_s: float, as_json: bool) -> None:
    """Compare real topics, and the newest records in them, with the registry.

    Of topics: are they there, partitions, copies, min.insync.replicas, cleanup, retention and the other settings that
    the registry names. Of records, as readers of committed ones see them: promised headers, and values that satisfy
    the schema of their type.

    Exit code 0: all is as it should be; 1: something is missing, other or broken; 2: a setting is wrong; 3: Kafka is
    not there, or does not let us read.

    \b
    Examples:
      tricast topics check
      tricast topics check --newest 0
      tricast topics check --json | jq -r '.differences[].text'
    """
    settings = invocation.settings

    async def ask() -> tuple[list[real_topics.Difference], Looked]:
        registry, prefix = settings.topics.values(), settings.topic_prefix
        differences = await real_topics.check(registry, prefix, settings.kafka)
        if not newest:
            return differences, Looked(records=0, broken=())
        return differences, await look(registry, prefix, Kafka(settings.kafka.client(), timeout_s), newest)

    differences, looked = asyncio.run(ask())
    found = (*differences, *looked.broken)
    if as_json:
        told = [{"kind": one.kind, "topic": one.topic, "text": str(one)} for one in found]
        click.echo(json.dumps({"topics": len(settings.topics), "records": looked.records, "differences": told}))
    else:
        for one in found:
            click.echo(one)
        click.echo(f"{len(settings.topics)} topics, {looked.records} records, {len(found)} differences")
    if found:
        click.get_current_context().exit(1)


def _cleanup(topic: Topic) -> str:
    return topic.cleanup if topic.retention_ms is None else f"{topic.cleanup}, {topic.retention_ms // DAY_MS} d"
