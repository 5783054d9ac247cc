"""``tricast topics``: the registry, and the real topics beside it."""

import asyncio
import json
from collections.abc import Sequence

import click
from rich import box
from rich.console import Console
from rich.table import Table

from schemas.topics import TOPICS, Topic
from tricast.cli.invocation import Invocation, json_option, pass_invocation
from tricast.kafka import topics as real_topics

DAY_MS = 86_400_000


@click.group()
def topics() -> None:
    """List, create and check the topics of the registry.

    \b
    Examples:
      tricast topics list
      tricast topics create
      tricast topics check && echo as they should be
    """


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
    prefix = invocation.settings.topic_prefix
    if as_json:
        click.echo(json.dumps([{**topic.model_dump(), "name": prefix + topic.name} for topic in TOPICS.values()]))
        return
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("Topic", no_wrap=True)
    table.add_column("Partitions", justify="right")
    table.add_column("Cleanup", no_wrap=True)
    table.add_column("What a record is; its key")
    for topic in TOPICS.values():
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
    created = asyncio.run(real_topics.create(TOPICS.values(), settings.topic_prefix, settings.kafka))
    for name in created:
        click.echo(f"created {name}")
    click.echo(f"{len(created)} created, {len(TOPICS) - len(created)} were there")


@topics.command()
@json_option
@pass_invocation
def check(invocation: Invocation, as_json: bool) -> None:
    """Compare real topics with the registry. Exit code 1 when any differs or is missing.

    \b
    Examples:
      tricast topics check
      tricast topics check --json
    """
    settings = invocation.settings
    differences = asyncio.run(real_topics.check(TOPICS.values(), settings.topic_prefix, settings.kafka))
    _print_differences([str(difference) for difference in differences], as_json=as_json)
    if differences:
        click.get_current_context().exit(1)


def _print_differences(differences: Sequence[str], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"topics": len(TOPICS), "differences": list(differences)}))
        return
    for difference in differences:
        click.echo(difference)
    click.echo(f"{len(TOPICS)} topics, {len(differences)} differences")


def _cleanup(topic: Topic) -> str:
    return topic.cleanup if topic.retention_ms is None else f"{topic.cleanup}, {topic.retention_ms // DAY_MS} d"
