"""From a schema to a function that writes or reads it."""

from serdes.codec.codecs import Codecs
from serdes.codec.options import ReadOptions, WriteOptions
from serdes.codec.parsing import AvroSchema, parse
from serdes.codec.plain import Place, Read, Write
from serdes.codec.plain import writer as plain_writer

__all__ = [
    "AvroSchema",
    "Codecs",
    "Place",
    "Read",
    "ReadOptions",
    "Write",
    "WriteOptions",
    "parse",
    "plain_writer",
]
