"""``tricast dlq``: dead letters, and having them processed again."""

import click

from tricast.cli.dlq.looking import list_letters, show
from tricast.cli.dlq.replaying import replay


@click.group(short_help="Look at dead letters; have them processed again.")
def dlq() -> None:
    """Look at dead letters, and have them processed again when what was wrong is mended.

    \b
    Examples:
      tricast dlq list --since 2h
      tricast dlq show kambi.dead-letters/3/17
      tricast dlq replay --feed kambi --code processor-error --dry-run
      tricast dlq replay --feed kambi --code processor-error --rate 100
    """


dlq.add_command(list_letters)
dlq.add_command(show)
dlq.add_command(replay)
