"""``tricast connect``: run one feed's connector."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from types import MappingProxyType
from typing import Any

import click

from tricast.cli.invocation import Invocation, pass_invocation
from tricast.settings import Settings


def _kambi(settings: Settings) -> Coroutine[Any, Any, None]:
    from connectors.kambi.connector import run  # noqa: PLC0415 - its libraries are needed by this command only

    return run(settings.kambi, settings.kafka, settings.topic_prefix)


def _fastpath(settings: Settings) -> Coroutine[Any, Any, None]:
    from connectors.fastpath.connector import run  # noqa: PLC0415 - its libraries are needed by this command only

    return run(settings.fastpath, settings.kafka, settings.topic_prefix)


CONNECTORS: Mapping[str, Callable[[Settings], Coroutine[Any, Any, None]]] = MappingProxyType(
    {"kambi": _kambi, "fastpath": _fastpath}
)
"""By feed; each runs until SIGTERM. Imported when run, so that no command pays for the others' libraries."""


@click.command()
@click.argument("feed", type=click.Choice(sorted(CONNECTORS)))
@pass_invocation
def connect(invocation: Invocation, feed: str) -> None:
    """Connect to FEED and write every frame, byte for byte, to its raw topic.

    Runs until SIGTERM or Ctrl-C, then closes its sockets, flushes and exits 0; with 3 when neither Kafka nor the spool
    on disk took everything. Kambi: one process runs all shards unless it is told which. FastPath: one process follows
    the feeds it is given, and the live fixtures of the sports it is given. A replica is a hot standby.

    \b
    Examples:
      tricast connect kambi
      TRICAST_KAMBI__OFFERING=ub TRICAST_KAMBI__LANGUAGE=en_GB tricast connect kambi
      TRICAST_KAMBI__EVENTS=1020000001,1020000002 tricast connect kambi
      TRICAST_KAMBI__SHARD=2 tricast connect kambi
      TRICAST_FASTPATH__TOKEN_FILE=token TRICAST_FASTPATH__SPORTS=soccer tricast connect fastpath
      TRICAST_KAMBI__REPLICA=b TRICAST_KAMBI__SPOOL_DIR=/var/lib/tricast/b tricast connect kambi
    """
    asyncio.run(CONNECTORS[feed](invocation.settings))
