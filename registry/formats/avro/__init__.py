"""Avro: parsing, canonical text, normal form, identity and compatibility, as Avro Java 1.12.1 and Confluent do them."""

from registry.formats.avro.schema import AvroFormat, AvroSchema

__all__ = ["AvroFormat", "AvroSchema"]
