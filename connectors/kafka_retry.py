"""Trying Kafka again until it answers, and saying so meanwhile."""

import logging
from collections.abc import Awaitable, Callable
from typing import Final, Literal, TypeVar

from aiokafka.errors import KafkaConnectionError, KafkaError, MessageSizeTooLargeError

from connectors.clock import Clock
from schemas.kafka import KafkaSettings
from schemas.missing_right import missing_right
from schemas.unreached import unreached

log = logging.getLogger(__name__)

_FIRST_DELAY_S: Final = 0.5
_LAST_DELAY_S: Final = 10.0

T = TypeVar("T")


async def until_kafka_answers(
    attempt: Callable[[], Awaitable[T]],
    *,
    kafka: KafkaSettings,
    topic: str,
    clock: Clock,
    operation: Literal["Read", "Write"] = "Read",
) -> T:
    """Return what ``attempt`` returns; call it again after every error that may pass.

    A right that is missing may be granted, as a password may be replaced: it is told, and tried again.

    Args:
        attempt: What to do.
        kafka: How Kafka is reached.
        topic: What it is about, for the message.
        clock: What waits between attempts.
        operation: What is done with topics there.

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
            refused = missing_right(error, user=kafka.sasl_username, on_topic=lambda _: operation, about=topic)
            if refused is not None:
                _tell(kafka, topic, delay_s, refused.message, refused.action)
            else:
                action = "check that Kafka runs there, that the topic exists (tricast topics check) and is ours to see"
                _tell(kafka, topic, delay_s, repr(error), action)
        await clock.sleep(delay_s)
        delay_s = min(delay_s * 2, _LAST_DELAY_S)


async def pause_if_refused(error: Exception, *, kafka: KafkaSettings, topic: str, clock: Clock) -> None:
    """Tell of a right to read that is missing, and wait; after any other error the next attempt may begin at once.

    For readers that lose their connection and make another: where Kafka shows a topic and refuses its records, the
    connection comes about each time.
    """
    refused = missing_right(error, user=kafka.sasl_username, about=topic)
    if refused is not None:
        _tell(kafka, topic, _LAST_DELAY_S, refused.message, refused.action)
        await clock.sleep(_LAST_DELAY_S)


def _tell(kafka: KafkaSettings, topic: str, delay_s: float, what: str, action: str) -> None:
    log.error(
        "kafka.unavailable bootstrap=%s topic=%s retry_in_s=%.1f error=%s Operator action: %s",
        kafka.bootstrap_servers,
        topic,
        delay_s,
        what,
        action,
    )
