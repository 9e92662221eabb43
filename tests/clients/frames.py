"""Our serdes for clients in other languages: bytes out of a value, a value out of bytes.

Usage: python frames.py write URL TOPIC SCHEMA < value.json > frame.hex
       python frames.py read URL TOPIC < frame.hex > value.json
"""

import json
import sys

from serdes import AvroDeserializer, AvroSerializer, MessageField, SchemaRegistryClient, SerializationContext


def write(client: SchemaRegistryClient, context: SerializationContext, schema: str) -> str:
    frame = AvroSerializer(client, schema)(json.load(sys.stdin), context)
    assert frame is not None
    return frame.hex()


def read(client: SchemaRegistryClient, context: SerializationContext) -> str:
    return json.dumps(AvroDeserializer(client)(bytes.fromhex(sys.stdin.read()), context))


def main(action: str, url: str, topic: str, *schema: str) -> None:
    with SchemaRegistryClient({"url": url}) as client:
        act = {"write": write, "read": read}[action]
        sys.stdout.write(act(client, SerializationContext(topic, MessageField.VALUE), *schema))


main(*sys.argv[1:])
