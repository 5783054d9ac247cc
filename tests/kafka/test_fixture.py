import aiokafka
import pytest


@pytest.mark.kafka
async def test_fixture_serves(kafka, topic_prefix):
    consumer = aiokafka.AIOKafkaConsumer(bootstrap_servers=kafka)
    await consumer.start()
    assert isinstance(await consumer.topics(), set)
    await consumer.stop()


@pytest.mark.cluster
async def test_cluster_fixture_has_three(cluster):
    assert cluster.status().state == "running"
    assert cluster.brokers == (1, 2, 3)
