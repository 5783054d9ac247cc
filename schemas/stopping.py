"""How a consumer of aiokafka is stopped: it may cancel whoever stops it (docs/upstream/aiokafka-stop-cancels.md), and
within a rebalance it stays in its group (docs/upstream/aiokafka-stop-within-a-rebalance.md)."""

import asyncio
import contextlib
from typing import Any, Final

from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import KafkaError
from aiokafka.protocol.group import LeaveGroupRequest

LEAVE_S: Final = 5.0
"""How long a coordinator may take to answer who leaves."""


async def stop_consumer(consumer: AIOKafkaConsumer, *, leave_s: float = LEAVE_S) -> None:
    """Stop ``consumer``, started or not, leave its group, and close its connections: those also when this is cancelled.

    aiokafka cancels its fetches and awaits them. One that pauses after an error lets that out, and whoever awaits
    ``stop`` takes it for a cancellation of itself: its own work would end there, without a word.

    Args:
        consumer: Nobody uses it any more.
        leave_s: How long a broker may take to answer the LeaveGroup, seconds. One that hangs, taking requests and
            answering none, is not waited for any longer: the group has the member until its session is over.
    """
    stopping = asyncio.create_task(consumer.stop())
    waiting = asyncio.create_task(_patience(consumer._coordinator, leave_s))
    try:
        # A cancellation that is due already does not keep these from beginning.
        await asyncio.wait({stopping, waiting}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (stopping, waiting):
            task.cancel()
        outcomes = await asyncio.gather(stopping, waiting, return_exceptions=True)
        await _close(consumer)
    for outcome in outcomes:
        if outcome is not None and not isinstance(outcome, asyncio.CancelledError):
            raise outcome


async def _close(consumer: AIOKafkaConsumer) -> None:
    """End what a stop that did not come so far leaves open."""
    if consumer._fetcher is not None:
        await asyncio.gather(consumer._fetcher.close(), return_exceptions=True)
    await consumer._client.close()


async def _patience(coordinator: Any, leave_s: float) -> None:
    """Return when a stop that has not come to its end waits for a coordinator that hangs."""
    if isinstance(coordinator, GroupCoordinator):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(leave_s):
                await _leave_rebalance(coordinator)
            await asyncio.wait({coordinator._coordination_task})  # which may have work of its user's to end
            await asyncio.sleep(leave_s)  # aiokafka's own LeaveGroup
    else:
        await asyncio.Event().wait()


async def _leave_rebalance(coordinator: GroupCoordinator) -> None:
    """Leave the group if it rebalances, which aiokafka's stop would wait for: it may last as long as another member's.

    To be called when the stop has begun, so that the member does not join again. The request goes by another connection
    than aiokafka's own: a broker answers those of one connection in turn, and the one that joins waits for its answer.
    """
    if coordinator._group_instance_id is not None:
        return
    is_rebalancing = coordinator._performed_join_prepare or coordinator._rejoin_needed_fut.done()
    if is_rebalancing and coordinator.member_id and coordinator.coordinator_id is not None:
        with contextlib.suppress(KafkaError):  # courtesy: without it the group waits for the session's end
            leave = LeaveGroupRequest(coordinator.group_id, coordinator.member_id)
            await coordinator._client.send(coordinator.coordinator_id, leave)
