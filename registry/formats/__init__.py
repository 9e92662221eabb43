"""The schema languages, by their name on the wire."""

from collections.abc import Mapping
from typing import Final

from registry.formats.avro import AvroFormat
from registry.formats.protocol import Format

FORMATS: Final[Mapping[str, Format]] = {AvroFormat.name: AvroFormat()}

__all__ = ["FORMATS"]
