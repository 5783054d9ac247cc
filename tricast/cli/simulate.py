"""``tricast simulate``: run a stand-in for a vendor."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from types import MappingProxyType
from typing import Any

import click

from tricast.cli.invocation import Invocation, pass_invocation
from tricast.settings import Settings


def _kambi(settings: Settings) -> Coroutine[Any, Any, None]:
    from simulators.kambi.server import run  # noqa: PLC0415 - its libraries are needed by this command only

    return run(settings.simulator.kambi)


def _fastpath(settings: Settings) -> Coroutine[Any, Any, None]:
    from simulators.fastpath.server import run  # noqa: PLC0415 - its libraries are needed by this command only

    return run(settings.simulator.fastpath)


def _rms(settings: Settings) -> Coroutine[Any, Any, None]:
    from simulators.rms.server import run  # noqa: PLC0415 - its libraries are needed by this command only

    return run(settings.simulator.rms)


def _bets(settings: Settings) -> Coroutine[Any, Any, None]:
    from simulators.bets.server import run  # noqa: PLC0415 - its libraries are needed by this command only

    return run(settings.simulator.bets, settings.kafka, settings.topic_prefix)


SIMULATORS: Mapping[str, Callable[[Settings], Coroutine[Any, Any, None]]] = MappingProxyType(
    {"kambi": _kambi, "fastpath": _fastpath, "rms": _rms, "bets": _bets}
)
"""By feed; each runs until SIGTERM."""


@click.command(short_help="Stand in for a vendor on this machine.")
@click.argument("feed", type=click.Choice(sorted(SIMULATORS)))
@pass_invocation
def simulate(invocation: Invocation, feed: str) -> None:
    """Stand in for the vendor of FEED on this machine: its protocol, seeded content, a ledger of what was sent.

    `bets` is no vendor: it is the operator's bet platform, which places bets at RMS and writes them to rms.bets.

    \b
    Examples:
      tricast simulate kambi
      TRICAST_SIMULATOR__FASTPATH__PORT=8700 tricast simulate fastpath
    """
    asyncio.run(SIMULATORS[feed](invocation.settings))
