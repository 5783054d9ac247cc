"""Which dead letters are meant: the options that say it, and positions."""

from collections.abc import Callable, Sequence

import click

from schemas.replay import Position
from schemas.topics import TOPICS
from tricast.audit.spans import Kafka
from tricast.cli.times import Time
from tricast.dlq.letters import FEEDS, Choice
from tricast.settings import Settings

_READ_TIMEOUT_S = 30.0


def chosen(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say which letters are meant."""
    options = (
        click.option("--feed", "feeds", multiple=True, type=click.Choice(FEEDS), help="Of this feed; again for more."),
        click.option("--code", "codes", multiple=True, help="With this code; again for more."),
        click.option("--since", type=Time(), help="Not older than this, by their source: 2h, 3d, or ISO 8601 (UTC)."),
        click.option("--until", type=Time(), help="Older than this."),
        click.option("--key", help="With this key of their source record."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def choice_of(
    codes: Sequence[str],
    since: int | None,
    until: int | None,
    key: str | None,
    positions: frozenset[Position] = frozenset(),
) -> Choice:
    """Return what the options say."""
    return Choice(
        codes=frozenset(codes),
        since_ms=since,
        until_ms=until,
        key=None if key is None else key.encode(),
        positions=positions,
    )


def positions_of(texts: Sequence[str], prefix: str) -> list[Position]:
    """Return the positions in ``texts``; names of topics may lack the prefix.

    Raises:
        UsageError: One is none.
    """
    try:
        positions = [Position.read(text) for text in texts]
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    return [
        position._replace(topic=prefix + position.topic) if position.topic in TOPICS else position
        for position in positions
    ]


def kafka_of(settings: Settings) -> Kafka:
    """Return what reads dead letters."""
    return Kafka(settings.kafka.client(), _READ_TIMEOUT_S)
