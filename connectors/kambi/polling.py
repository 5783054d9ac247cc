"""Puts the poller of a process together from its settings."""

import asyncio
from collections.abc import Callable, Mapping
from random import Random
from typing import Final

import aiohttp

from connectors.clock import Clock
from connectors.kambi import names
from connectors.kambi.answers import Listing
from connectors.kambi.config import KambiSettings
from connectors.kambi.http import OfferingHttp
from connectors.kambi.poller import Poller
from connectors.kambi.schedule import Cadence, PollSchedule
from connectors.runner import Backoff
from connectors.sink import FrameSink
from connectors.snapshots import SnapshotRecorder
from schemas.topics import kambi_partition

_IN_FLIGHT: Final = 4  # a slow answer or two do not hold up the rest, and a slow server is not piled on
_SETTLE_S: Final = 3.0
"""More than the two seconds before its request that an answer speaks for."""
_TRUSTED_ROUNDS: Final = 4  # so often at most an event is found "not modified" before it is asked for in full
_AFTER_TICK_S: Final = 0.5


def poller_of(
    settings: KambiSettings,
    *,
    sinks: Mapping[int, FrameSink],
    session: aiohttp.ClientSession,
    on_live: Callable[[Listing, float], None],
    stop: asyncio.Event,
    clock: Clock,
    random: Random,
) -> Poller:
    """Return the poller for the shards of this process.

    Args:
        settings: What to ask for, and within which limits.
        sinks: Queue of each shard's raw partition.
        session: HTTP client session.
        on_live: Told each readable listing of live events, and when it was asked for (monotonic seconds).
        stop: Set when polling is to end.
        clock: Stamps and waits.
        random: Spreads and jitters.
    """
    recorders = {
        shard: SnapshotRecorder(
            feed=names.FEED,
            line=names.snapshots(shard, settings.replica),
            sink=sinks[kambi_partition(shard)],
            # A processor that does not know of how many shards takes every event for its own.
            tick=b'{"shards":%d}' % settings.shards,
        )
        for shard in settings.own_shards
    }
    cadence = Cadence(
        requests_per_minute=settings.requests_per_minute,
        in_flight=_IN_FLIGHT,
        ids_per_request=settings.ids_per_request,
        snapshot_s=settings.snapshot_interval_s,
        discovery_s=settings.discovery_interval_s,
        prematch_s=settings.prematch_interval_s,
        prematch=settings.prematch if settings.snapshots else (),
        # The keys a line holds are told by its next tick, and events are stale until a snapshot asked for after that.
        settle_s=settings.tick_interval_s + _AFTER_TICK_S,
        backoff=Backoff(base_s=settings.backoff_base_s, cap_s=settings.backoff_cap_s),
    )
    return Poller(
        http=OfferingHttp(
            session,
            base_url=settings.offering_url,
            offering=settings.offering,
            clock=clock,
            max_body_bytes=settings.max_message_bytes,
            timeout_s=settings.http_timeout_s,
            settle_s=_SETTLE_S,
            trust_s=_TRUSTED_ROUNDS * settings.snapshot_interval_s,
        ),
        schedule=PollSchedule(shards=settings.shards, cadence=cadence, random=random, now_s=clock.monotonic_s()),
        recorders=recorders if settings.snapshots else {},
        language=settings.language,
        on_live=on_live,
        hold_s=settings.snapshot_hold_s,
        stop=stop,
        clock=clock,
    )
