"""``tricast connect``: run one feed's connector."""

from collections.abc import Callable, Coroutine, Mapping
from contextlib import AbstractContextManager
from functools import partial
from types import MappingProxyType
from typing import Any

import click

from connectors import process
from connectors.claim import claimed
from schemas.topics import TOPICS
from tricast.cli.invocation import Invocation, pass_invocation
from tricast.settings import Settings


def _kambi(settings: Settings) -> None:
    from connectors.kambi.connector import run  # noqa: PLC0415 - its libraries are needed by this command only

    kambi = settings.kambi
    # The shard count is not in the names: lines of one shard have one name under every count.
    names = [_claim(settings, "kambi", f"-{shard}", kambi.replica) for shard in kambi.own_shards]
    _run(
        settings,
        "kambi",
        partial(run, kambi, shards=settings.partitions.kambi_shards),
        claimed(kambi.spool_dir, names, feed="kambi"),
    )


def _fastpath(settings: Settings) -> None:
    from connectors.fastpath.connector import run  # noqa: PLC0415 - its libraries are needed by this command only

    fastpath = settings.fastpath
    _run(
        settings,
        "fastpath",
        partial(run, fastpath),
        claimed(fastpath.spool_dir, [_claim(settings, "fastpath", "", fastpath.replica)], feed="fastpath"),
    )


def _rms(settings: Settings) -> None:
    from connectors.rms.connector import run  # noqa: PLC0415 - its libraries are needed by this command only

    rms = settings.rms
    _run(
        settings,
        "rms",
        partial(run, rms),
        claimed(rms.spool_dir, [_claim(settings, "rms", f"-{rms.customer_id}", rms.replica)], feed="rms"),
    )


def _run(
    settings: Settings, feed: str, run: Callable[..., Coroutine[Any, Any, None]], claim: AbstractContextManager[None]
) -> None:
    from tricast.observe.run import observed_connector  # noqa: PLC0415 - as above

    with claim, observed_connector(settings.observe, feed) as (view, beating):
        process.run(run(settings.kafka, settings.topic_prefix, view=view), beside=beating())


def _claim(settings: Settings, feed: str, part: str, replica: str) -> str:
    return f"{settings.topic_prefix}{TOPICS[f'{feed}.raw'].name}{part}" + (f".{replica}" if replica else "")


CONNECTORS: Mapping[str, Callable[[Settings], None]] = MappingProxyType(
    {"kambi": _kambi, "fastpath": _fastpath, "rms": _rms}
)
"""By feed; each runs until SIGTERM. Imported when run, so that no command pays for the others' libraries."""


@click.command(short_help="Write every frame of a feed to its raw topic.")
@click.argument("feed", type=click.Choice(sorted(CONNECTORS)))
@pass_invocation
def connect(invocation: Invocation, feed: str) -> None:
    """Connect to FEED and write every frame, byte for byte, to its raw topic.

    Runs until SIGTERM or Ctrl-C, then closes its sockets, flushes and exits 0; with 3 when neither Kafka nor the spool
    on disk took everything, or another connector with the same settings and spool directory runs already. Kambi: one
    process runs all shards unless it is told which. FastPath: one process follows the feeds it is given, and the live
    fixtures of the sports it is given. RMS: one process is one customer's socket. A replica is a hot standby.

    With TRICAST_OBSERVE__PORT set it serves /metrics, /livez and /readyz there.

    \b
    Examples:
      tricast connect kambi
      TRICAST_KAMBI__OFFERING=ub TRICAST_KAMBI__LANGUAGE=en_GB tricast connect kambi
      TRICAST_KAMBI__EVENTS=1020000001,1020000002 tricast connect kambi
      TRICAST_KAMBI__SHARD=2 tricast connect kambi
      TRICAST_FASTPATH__TOKEN_FILE=token TRICAST_FASTPATH__SPORTS=soccer tricast connect fastpath
      TRICAST_RMS__CUSTOMER_ID=90210 TRICAST_RMS__CLIENT_ID=… TRICAST_RMS__SECRET_FILE=secret tricast connect rms
      TRICAST_KAMBI__REPLICA=b TRICAST_KAMBI__SPOOL_DIR=/var/lib/tricast/b tricast connect kambi
    """
    CONNECTORS[feed](invocation.settings)
