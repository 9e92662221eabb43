"""A broker that speaks Kafka's protocol on a socket: librdkafka's own, in this process."""

import json
import time
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from serdes import AvroSerializer, MessageField, SchemaRegistryClient, SerializationContext

ORDER = json.dumps({"type": "record", "name": "Order", "fields": [{"name": "id", "type": "long"}]})
NEWER = ORDER.replace("]}", ', {"name": "paid", "type": "boolean", "default": false}]}')
POISON = b'{"id": 1}'
QUIET = {"log_level": 2}


@pytest.fixture(scope="session")
def broker():
    """A producer for bytes; the broker lives as long as it does."""
    return Producer({"bootstrap.servers": "in.process:9092", "test.mock.num.brokers": 1, **QUIET})


@pytest.fixture(scope="session")
def brokers(broker):
    found = broker.list_topics(timeout=10).brokers.values()
    return ",".join(f"{one.host}:{one.port}" for one in found)


@pytest.fixture
def topic(broker):
    name = f"orders-{uuid4()}"
    broker.list_topics(name, timeout=10)  # the broker makes a topic when it is asked about it
    return name


@pytest.fixture
def client(url):
    with SchemaRegistryClient({"url": url, "max.retries": 0, "cache.negative.ttl.sec": 0.05}) as client:
        yield client


@pytest.fixture
def order(client, topic):
    """The framed bytes of an order."""
    serializer = AvroSerializer(client, ORDER)
    return lambda number: serializer({"id": number}, SerializationContext(topic, MessageField.VALUE))


@pytest.fixture
def produce(broker, topic):
    """Writes values to the first partition of the topic, each under its number as key."""

    def write(*values, headers=()):
        for number, value in enumerate(values):
            broker.produce(topic, value, str(number).encode(), partition=0, headers=list(headers), timestamp=1_000)
        broker.flush(10)

    return write


@pytest.fixture
def consumer(brokers, topic):
    """confluent-kafka's consumer, at the beginning of the first partition of the topic."""
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": "g", "enable.auto.commit": False, **QUIET})
    consumer.assign([TopicPartition(topic, 0, 0)])
    yield consumer
    consumer.close()


@pytest.fixture
def lying_in(brokers, broker):
    """The first messages that lie in a topic."""

    def read(topic, count):
        consumer = Consumer({"bootstrap.servers": brokers, "group.id": "reading", **QUIET})
        partitions = broker.list_topics(topic, timeout=10).topics[topic].partitions
        consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
        found, deadline = [], time.monotonic() + 10
        while len(found) < count and time.monotonic() < deadline:
            found += consumer.consume(count - len(found), 0.2)
        consumer.close()
        return found

    return read
