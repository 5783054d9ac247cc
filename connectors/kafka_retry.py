"""Trying Kafka again until it answers, and saying so meanwhile."""

import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from aiokafka.errors import KafkaConnectionError, KafkaError, MessageSizeTooLargeError

from connectors.clock import Clock
from schemas.kafka import KafkaSettings
from schemas.unreached import unreached

log = logging.getLogger(__name__)

_FIRST_DELAY_S: Final = 0.5
_LAST_DELAY_S: Final = 10.0

T = TypeVar("T")


async def until_kafka_answers(
    attempt: Callable[[], Awaitable[T]], *, kafka: KafkaSettings, topic: str, clock: Clock
) -> T:
    """Return what ``attempt`` returns; call it again after every error that may pass.

    Raises:
        MessageSizeTooLargeError: No retry makes a record smaller.
    """
    delay_s = _FIRST_DELAY_S
    while True:
        try:
            return await attempt()
        except MessageSizeTooLargeError:
            raise
        except KafkaConnectionError as error:
            fault = await unreached(kafka.client(), error)
            _tell(kafka, topic, delay_s, fault.message, fault.action)
        except (KafkaError, OSError) as error:
            action = "check that Kafka runs there and that the topic exists (tricast topics check)"
            _tell(kafka, topic, delay_s, repr(error), action)
        await clock.sleep(delay_s)
        delay_s = min(delay_s * 2, _LAST_DELAY_S)


def _tell(kafka: KafkaSettings, topic: str, delay_s: float, what: str, action: str) -> None:
    log.error(
        "kafka.unavailable bootstrap=%s topic=%s retry_in_s=%.1f error=%s Operator action: %s",
        kafka.bootstrap_servers,
        topic,
        delay_s,
        what,
        action,
    )
