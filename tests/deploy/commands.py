"""Commands that files of ``deploy`` give to the image, judged by the command line itself."""

from collections.abc import Sequence

import click

from tricast.cli.main import cli
from tricast.processors import PROCESSORS


def check_command(command: Sequence[str]) -> None:
    """Have the command line parse ``command``; nothing of it runs.

    Raises:
        click.UsageError: It does not take that.
    """
    found: click.Command = cli
    rest = list(command)
    while isinstance(found, click.Group):
        name = rest.pop(0)
        inner = found.get_command(click.Context(found), name)
        if inner is None:
            raise click.UsageError(f"there is no command {name}")
        found = inner
    found.make_context(found.name, rest)


def served_port(command: Sequence[str], base: int | None) -> int | None:
    """Return at which port the process serves that answers for ``command``."""
    if command[0] != "work":
        return base
    assert base is not None
    assert len(command) == 2, "one processor a container, so that one port answers for it"
    return base + list(PROCESSORS).index(command[1])
