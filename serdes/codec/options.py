"""How codecs write and read, beyond what the schema says."""

from __future__ import annotations

from typing import NamedTuple

from serdes.codec.shapes import NO_SHAPES, Shapes


class WriteOptions(NamedTuple):
    """What fastavro is told when it writes, and whether code may be generated."""

    strict: bool = False
    strict_allow_default: bool = False
    codegen: bool = True
    shapes: Shapes = NO_SHAPES


class ReadOptions(NamedTuple):
    """What fastavro is told when it reads, and whether code may be generated."""

    return_record_name: bool = False
    refuse_trailing: bool = False
    codegen: bool = True
    shapes: Shapes = NO_SHAPES


USUAL_WRITING = WriteOptions()
USUAL_READING = ReadOptions()
