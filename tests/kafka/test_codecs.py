"""Who writes a source topic chooses how batches are compressed; kafka-clients make any of these a one-line setting."""

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from confluent_kafka import Producer

from schemas.kafka import KafkaSettings
from schemas.topics import TOPICS
from tricast.kafka import topics

pytestmark = pytest.mark.kafka

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")


async def test_batches_of_every_codec_are_read(kafka: str, topic_prefix: str) -> None:
    settings = KafkaSettings(bootstrap_servers=kafka)
    await topics.create([TOPICS["rms.bets"]], topic_prefix, settings)
    topic = f"{topic_prefix}rms.bets"
    values = [codec.encode() * 1_000 for codec in CODECS]
    for codec, value in zip(CODECS, values, strict=True):
        producer = Producer({"bootstrap.servers": kafka, "compression.type": codec})
        producer.produce(topic, value, partition=0)
        assert producer.flush(30) == 0
    consumer = AIOKafkaConsumer(**settings.client(), auto_offset_reset="earliest")
    consumer.assign([TopicPartition(topic, 0)])
    await consumer.start()
    try:
        assert [(await consumer.getone()).value for _ in CODECS] == values
    finally:
        await consumer.stop()
