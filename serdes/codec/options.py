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

    @property
    def exact(self) -> bool:
        """Whether a record may have no fields but those of its schema."""
        return self.strict or self.strict_allow_default


class ReadOptions(NamedTuple):
    """What fastavro is told when it reads, and whether code may be generated."""

    return_record_name: bool = False
    refuse_trailing: bool = False
    codegen: bool = True
    shapes: Shapes = NO_SHAPES


USUAL_WRITING = WriteOptions()
USUAL_READING = ReadOptions()
