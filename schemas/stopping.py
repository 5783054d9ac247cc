"""How a consumer of aiokafka is stopped: it may cancel whoever stops it (docs/upstream/aiokafka-stop-cancels.md), and
within a rebalance it stays in its group (docs/upstream/aiokafka-stop-within-a-rebalance.md)."""

import asyncio
import contextlib
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import KafkaError
from aiokafka.protocol.group import LeaveGroupRequest


async def stop_consumer(consumer: AIOKafkaConsumer) -> None:
    """Stop ``consumer``, started or not, leave its group, and close its connections: those also when this is cancelled.

    aiokafka cancels its fetches and awaits them. One that pauses after an error lets that out, and whoever awaits
    ``stop`` takes it for a cancellation of itself: its own work would end there, without a word.
    """
    try:
        outcomes = await asyncio.gather(
            consumer.stop(), _leave_rebalance(consumer._coordinator), return_exceptions=True
        )
    finally:
        await consumer._client.close()  # the last that a stop does: one that did not come so far leaves it open
    for outcome in outcomes:
        if outcome is not None and not isinstance(outcome, asyncio.CancelledError):
            raise outcome


async def _leave_rebalance(coordinator: Any) -> None:
    """Leave the group if it rebalances, which aiokafka's stop would wait for: it may last as long as another member's.

    To be called when the stop has begun, so that the member does not join again. The request goes by another connection
    than aiokafka's own: a broker answers those of one connection in turn, and the one that joins waits for its answer.
    """
    if not isinstance(coordinator, GroupCoordinator) or coordinator._group_instance_id is not None:
        return
    is_rebalancing = coordinator._performed_join_prepare or coordinator._rejoin_needed_fut.done()
    if is_rebalancing and coordinator.member_id and coordinator.coordinator_id is not None:
        with contextlib.suppress(KafkaError):  # courtesy: without it the group waits for the session's end
            leave = LeaveGroupRequest(coordinator.group_id, coordinator.member_id)
            await coordinator._client.send(coordinator.coordinator_id, leave)
