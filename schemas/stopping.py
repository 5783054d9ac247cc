"""How a consumer of aiokafka is stopped: it may cancel whoever stops it (docs/upstream/aiokafka-stop-cancels.md)."""

import asyncio

from aiokafka import AIOKafkaConsumer


async def stop_consumer(consumer: AIOKafkaConsumer) -> None:
    """Stop ``consumer``, started or not, and close its connections; they are closed, too, when this is cancelled.

    aiokafka cancels its fetches and awaits them. One that pauses after an error lets that out, and whoever awaits
    ``stop`` takes it for a cancellation of itself: its own work would end there, without a word.
    """
    outcome: BaseException | None
    try:
        [outcome] = await asyncio.gather(consumer.stop(), return_exceptions=True)
    finally:
        await consumer._client.close()  # the last that a stop does: one that did not come so far leaves it open
    if outcome is not None and not isinstance(outcome, asyncio.CancelledError):
        raise outcome
