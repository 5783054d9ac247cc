"""What Faust's transport is asked while Kafka is slow, without a Kafka."""

from aiokafka import AIOKafkaConsumer

from processors.engine.transport import BatchConsumerThread


async def test_a_consumer_that_still_connects_has_nothing_to_tell():
    thread = object.__new__(BatchConsumerThread)
    thread._consumer = AIOKafkaConsumer(group_id="g")  # as between its creation and a broker's first answer
    await thread.check()
