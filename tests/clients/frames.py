"""Our serdes for clients in other languages: a record's payload and headers out of a value, a value out of those.

Usage: python frames.py write URL TOPIC SCHEMA prefix|header < value.json > record.json
       python frames.py read URL TOPIC < record.json > value.json

A record is {"payload": HEX, "headers": {NAME: HEX}}.
"""

import json
import sys

from serdes import (
    AvroDeserializer,
    AvroSerializer,
    MessageField,
    SchemaRegistryClient,
    SerializationContext,
    header_schema_id_serializer,
    prefix_schema_id_serializer,
)

PLACES = {"prefix": prefix_schema_id_serializer, "header": header_schema_id_serializer}


def write(client: SchemaRegistryClient, topic: str, schema: str, place: str) -> object:
    headers: dict[str, bytes] = {}
    serializer = AvroSerializer(client, schema, conf={"schema.id.serializer": PLACES[place]})
    payload = serializer(json.load(sys.stdin), SerializationContext(topic, MessageField.VALUE, headers))
    assert payload is not None
    return {"payload": payload.hex(), "headers": {name: value.hex() for name, value in headers.items()}}


def read(client: SchemaRegistryClient, topic: str) -> object:
    record = json.load(sys.stdin)
    headers = {name: bytes.fromhex(value) for name, value in record["headers"].items()}
    context = SerializationContext(topic, MessageField.VALUE, headers)
    return AvroDeserializer(client)(bytes.fromhex(record["payload"]), context)


def main(action: str, url: str, *arguments: str) -> None:
    with SchemaRegistryClient({"url": url}) as client:
        json.dump({"write": write, "read": read}[action](client, *arguments), sys.stdout)


main(*sys.argv[1:])
