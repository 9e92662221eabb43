"""The part of generated readers that passes over what nobody wants, and that guards counts of items.

The data is `b`, the position `p`, as in all of a reader's source.
"""

from __future__ import annotations

from typing import Any, Protocol

from serdes.codec.definitions import RECORDS, Definitions, type_word
from serdes.codec.generated.source import Constants, Source


class Program(Protocol):
    """What the body of a function needs to know of the reader that it is a part of."""

    writer: Definitions
    constants: Constants

    def skipping(self, record: dict[str, Any]) -> str:
        """The name of the function that skips a record: (b, p) -> p."""
        ...


class Skipping(Source):
    """The body of a function that passes over values."""

    def __init__(self, program: Program) -> None:
        super().__init__(program.constants)
        self._program = program

    def skip(self, written: Any) -> None:
        """Add the skipping of a value."""
        written = self._program.writer.resolved(written)
        word = type_word(written)
        if word in RECORDS and self._program.writer.shared(written["name"]):
            self.line(f"p = {self._program.skipping(written)}(b, p)")
        elif word in RECORDS:
            self.skip_record(written)
        elif word in ("union", "error_union"):
            self._skip_union(written)
        elif word in ("array", "map"):
            self._skip_blocks(written, word)
        elif word in ("string", "bytes"):
            self.line(f"p += {self.span()}")
        elif word in ("int", "long", "enum"):
            self.line("p = number_at(b, p)[1]")
        elif word != "null":
            constant = self._program.writer.constant(written)
            self.line(f"p += {0 if constant is None else constant.size_bytes:d}")

    def skip_record(self, written: Any) -> None:
        """Add the skipping of a record, field by field."""
        for field in written["fields"]:
            self.skip(field["type"])

    def _skip_union(self, written: Any) -> None:
        i = self.fresh("i")
        self.line(f"{i}, p = number_at(b, p)")
        # A negative index counts from the last branch, in fastavro as in Python.
        self.line(f"if not -{len(written):d} <= {i} < {len(written):d}: raise Doubt")
        self.line(f"{i} %= {len(written):d}")
        word = "if"
        for index, branch in enumerate(written):
            with self.block(f"{word} {i} == {index:d}:"):
                self.skip(branch)
            word = "elif"

    def _skip_blocks(self, written: Any, word: str) -> None:
        """Add the skipping of blocks; one that tells its size is passed over by that, whatever it holds.

        fastavro does so, too.
        """
        item = written["items"] if word == "array" else written["values"]
        n = self.fresh("n")
        with self.block("while True:"):
            self.line(f"{n}, p, jumped = skipped_count_at(b, p)")
            self.line("if jumped: continue")
            self.line(f"if not {n}: break")
            self.check(item if word == "array" else "string", n)
            with self.block(f"for _ in repeat(None, {n}):"):
                if word == "map":
                    self.skip("string")
                self.skip(item)

    def span(self) -> str:
        """Add the reading of a length; the position stands before what has it, which begins one further on."""
        n = self.fresh("n")
        self.line(f"{n} = SPANS[b[p]]")
        self.line(f"if {n} is None: {n}, p = span_at(b, p)")
        return n

    def check(self, item: Any, n: str) -> None:
        """Add the doubt about a count that only damaged data can have."""
        self.line("raise Doubt" if self.is_empty(item) else f"if {n} > len(b) - p: raise Doubt")

    def is_empty(self, item: Any) -> bool:
        """Whether items take no bytes: then only the sum of all counts could say that they are damaged."""
        constant = self._program.writer.constant(item)
        return constant is not None and constant.size_bytes == 0
