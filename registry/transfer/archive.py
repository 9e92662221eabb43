"""Rows set aside in a file without a name: what is moved may be larger than the memory of the machine.

Owns their form in the file, which nobody else ever reads; refuses to know what they mean.
"""

from __future__ import annotations

import marshal
import os
import tempfile
import weakref
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, Generic, TypeVar

from registry.errors import SourceUnreadable

Row = TypeVar("Row", bound=tuple[Any, ...])

BUFFER_BYTES: Final = 1 << 20


class Archive(Generic[Row]):
    """Rows in the order in which they came; of each, memory holds 8 bytes. The file is gone with the archive.

    Members of a row are bytes, texts, numbers and None. Whatever fails raises SourceUnreadable, as when the disk is
    full.
    """

    def __init__(self, make: Callable[..., Row]) -> None:
        """Keep rows that `make` makes of their members."""
        self._make = make
        self._starts = array("Q", (0,))
        self._pending = bytearray()
        with _said():
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - it is closed with the archive
        weakref.finalize(self, self._file.close)

    def append(self, *members: bytes | str | int | None) -> None:
        """Put a row behind the others."""
        raw = marshal.dumps(members)
        self._pending += raw
        self._starts.append(self._starts[-1] + len(raw))
        if len(self._pending) >= BUFFER_BYTES:
            self._write()

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, index: int) -> Row:
        (row,) = self.between(index, index + 1)
        return row

    def __iter__(self) -> Iterator[Row]:
        return self.between(0, len(self))

    def between(self, first: int, end: int) -> Iterator[Row]:
        """The rows from an index on and before another, as far as there are any."""
        self._write()
        for index in range(first, min(end, len(self))):
            start, behind = self._starts[index : index + 2]
            with _said():
                self._file.seek(start)
                raw = self._file.read(behind - start)
            yield self._make(*marshal.loads(raw))  # noqa: S302 - nobody else can write to a file without a name

    def _write(self) -> None:
        with _said():
            self._file.seek(0, os.SEEK_END)
            while self._pending:
                del self._pending[: self._file.write(self._pending)]


@contextmanager
def _said() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        place = tempfile.gettempdir()
        raise SourceUnreadable(f"What is read cannot be set aside in {place} (TMPDIR): {error.strerror}") from error
