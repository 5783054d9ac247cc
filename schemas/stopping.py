"""How a consumer of aiokafka is stopped: it may cancel whoever stops it (docs/upstream/aiokafka-stop-cancels.md)."""

import asyncio

from aiokafka import AIOKafkaConsumer


async def stop_consumer(consumer: AIOKafkaConsumer) -> None:
    """Stop ``consumer``, started or not, and close its connections.

    aiokafka cancels its fetches and awaits them. One that pauses after an error lets that out, and whoever awaits
    ``stop`` takes it for a cancellation of itself: its own work would end there, without a word.
    """
    outcome: BaseException | None
    [outcome] = await asyncio.gather(consumer.stop(), return_exceptions=True)
    if isinstance(outcome, asyncio.CancelledError):
        await consumer._client.close()
    elif outcome is not None:
        raise outcome
