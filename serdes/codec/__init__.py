"""From a schema to a function that writes or reads it."""

from serdes.codec.parsing import AvroSchema, parse
from serdes.codec.plain import Read, Write, reader, writer

__all__ = ["AvroSchema", "Read", "Write", "parse", "reader", "writer"]
