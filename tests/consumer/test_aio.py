"""The aiokafka reader on a real Kafka: what is committed, from where it left off, and errors that say what to do."""

import asyncio

import pytest

from schemas.kafka import KafkaSettings
from schemas.kambi.offers import OddsChanged
from tests.consumer.story import Copy, create, kambi_story, write
from tests.core.driver import Output
from tests.kafka.test_unreached import closed_port  # type: ignore[import-not-found]
from tricast.consumer import Done, Event, Place, Reader, Trust
from tricast.consumer.errors import RecordsGone, TopicMissing

pytestmark = pytest.mark.kafka
OFFERS = "kambi.offers"


@pytest.fixture
def settings(kafka: str) -> KafkaSettings:
    return KafkaSettings(bootstrap_servers=kafka)


def offers(records: list[Output]) -> list[Output]:
    return [record for record in records if record.topic == OFFERS]


async def take(reader: Reader, count: int) -> list[Event]:
    """Return the next ``count`` records; the last of them is not done yet."""
    async with asyncio.timeout(30):
        return [await anext(reader) for _ in range(count)]
