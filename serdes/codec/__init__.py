"""From a schema to a function that writes or reads it."""

from serdes.codec.codecs import Codecs, ReadOptions, WriteOptions
from serdes.codec.parsing import AvroSchema, parse
from serdes.codec.plain import Read, Write

__all__ = ["AvroSchema", "Codecs", "Read", "ReadOptions", "Write", "WriteOptions", "parse"]
