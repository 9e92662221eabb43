"""Generated readers: from a schema, and the schema to read as, to a function that turns framed bytes into a value.

The rule: a generated reader returns what fastavro would read, or it raises, and then fastavro does the message. The
end of the data is tested once, at the end: slices do not fail, so a position behind the end means truncated data.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from itertools import repeat
from keyword import iskeyword
from typing import Any

from serdes.codec.definitions import RECORDS, SIZED, Definitions, type_word
from serdes.codec.failures import Unsupported
from serdes.codec.generated import logical
from serdes.codec.generated.resolution import PROMOTIONS, ReadField, Resolution, enum_symbols, record_fields
from serdes.codec.generated.skipping import Skipping
from serdes.codec.generated.source import Constants, compiled
from serdes.codec.generated.varints import (
    SPANS,
    TIMES,
    ZIGZAG,
    Doubt,
    count_at,
    number_at,
    skipped_count_at,
    span_at,
)
from serdes.codec.hazards import LONGEST_DECIMAL_BYTES, swells
from serdes.codec.options import ReadOptions
from serdes.codec.shapes import keywords

_CONSTANTS: dict[str, Any] = {
    **logical.CONSTANTS,
    "SPANS": SPANS,
    "TIMES": TIMES,
    "ZIGZAG": ZIGZAG,
    "bytes": bytes,
    "count_at": count_at,
    "Doubt": Doubt,
    "deepcopy": deepcopy,
    "float": float,
    "len": len,
    "list": list,
    "number_at": number_at,
    "repeat": repeat,
    "skipped_count_at": skipped_count_at,
    "slice": slice,
    "span_at": span_at,
    "unpack": struct.unpack_from,
}


class Reading:
    """One schema, or a writer's and a reader's, being turned into source."""

    def __init__(self, tree: Any, reader_tree: Any, options: ReadOptions) -> None:
        self.writer = Definitions(tree)
        if swells(tree, self.writer):
            raise Unsupported
        # Without a schema of its own a reader takes the writer's, and then nothing is looked up here.
        self.reader = Definitions(reader_tree if reader_tree is not None else "null")
        self.resolution = Resolution(self.writer, self.reader)
        self.constants = Constants(_CONSTANTS)
        self.return_record_name = options.return_record_name
        self.shapes = options.shapes
        self._functions: dict[str, str] = {"read": ""}
        self._trees = (tree, reader_tree)
        # Bytes behind the value are let pass unless somebody minds them, as fastavro does.
        self._end = "!=" if options.refuse_trailing else ">"

    def made(self) -> Callable[..., Any]:
        """The maker of the reader: called with START (the length of the frame), `redo` and `too_deep`."""
        body = _Body(self)
        is_text = all(tree is None or type_word(tree) == "string" for tree in self._trees)
        if is_text:
            # What would cost a key's time for every record is made once.
            body.line("REST, ENDS = slice(START + 1, None), [n and START + n for n in SPANS]")
        with body.block("def read(b, _ctx=None):"):
            with body.block("try:"):
                if is_text:
                    body.emit_text(*self._trees)
                # A slice of another kind of bytes would be of that kind, and become part of the value.
                body.line("if b.__class__ is not bytes: b = bytes(b)")
                body.line("p = START")
                value = body.emit(*self._trees)
                # Slices do not fail at the end of the data, so a position behind it is the only sign.
                body.line(f"if p {self._end} len(b): return redo(b)")
                body.line(f"return {value}")
            body.line("except RecursionError: return too_deep()")
            body.line("except Exception: return redo(b)")
        self._functions["read"] = body.text()
        return compiled(self._functions, self.constants, ("START", "redo", "too_deep"))

    def function(self, record: dict[str, Any], reading: Any) -> str:
        """The name of the function that reads a record which is used by name: (b, p) -> value, p."""
        name = f"{self.constants.name(record, 'read')}_{'same' if reading is None else self._numbered(reading)}"
        if name not in self._functions:
            self._functions[name] = ""
            body = _Body(self)
            with body.block(f"def {name}(b, p):"):
                body.line(f"return {body.read_record(record, reading)}, p")
            self._functions[name] = body.text()
        return name

    def _numbered(self, reading: Any) -> str:
        return self.constants.name(reading, "as")

    def skipping(self, record: dict[str, Any]) -> str:
        """The name of the function that skips such a record: (b, p) -> p."""
        name = f"{self.constants.name(record, 'read')}_skip"
        if name not in self._functions:
            self._functions[name] = ""
            body = _Body(self)
            with body.block(f"def {name}(b, p):"):
                body.skip_record(record)
                body.line("return p")
            self._functions[name] = body.text()
        return name


@dataclass(frozen=True, slots=True)
class _Sized:
    """A field of constant size: what struct calls it, how long it is, the name it gets (None: skipped)."""

    form: str
    size_bytes: int
    target: str | None


class _Body(Skipping):
    """The body of one function. The data is `b`, the position `p`."""

    _program: Reading

    def emit_text(self, written: Any, reading: Any) -> None:
        """Add the way of a text of known length that is all there is: a string key."""
        with self.block("if ENDS[b[START]] == len(b):"):
            self.line(f"return {self._converted(written, reading, 'b[REST].decode()', 'string')}")

    def emit(self, written: Any, reading: Any) -> str:
        """Add the reading of a value; return the expression that holds it.

        reading: the schema to read as; None for the one that was written.
        """
        written = self._program.writer.resolved(written)
        word = type_word(written)
        if word in ("union", "error_union"):
            return self.read_union(written, reading)
        if reading is not None:
            reading = self._program.reader.resolved(self._program.resolution.reading(written, reading))
            if reading is None:
                self.line("raise Doubt")
                return "None"
        value = self._unconverted(written, reading, word)
        return self._converted(written, reading, value, word)

    def _unconverted(self, written: Any, reading: Any, word: str) -> str:
        if word in RECORDS and self._program.writer.shared(written["name"]):
            x = self.fresh("x")
            self.line(f"{x}, p = {self._program.function(written, reading)}(b, p)")
            return x
        return _READERS[word](self, written, reading)

    def _converted(self, written: Any, reading: Any, value: str, word: str) -> str:
        """The value after fastavro's function for the logical type, else after promotion to the reader's type."""
        conversion = logical.conversion(written)
        if conversion is not None:
            short = logical.short_read(written)
            if short is not None:
                return short.format(x=value)
            decimal = logical.decimal_read(written)
            if decimal is not None:
                if word == "bytes":
                    self.line(f"if len({value}) > {LONGEST_DECIMAL_BYTES:d}: raise Doubt")
                multiply, unit = (self.constants.name(part, "decimal") for part in decimal)
                return f"{multiply}(from_bytes({value}, 'big', signed=True), {unit})"
            schemas = f"{self.constants.name(written, 'W')}, {self.constants.name(reading, 'R')}"
            return f"{self.constants.name(conversion, 'C')}({value}, {schemas})"
        match PROMOTIONS.get((word, "" if reading is None else type_word(reading)), ""):
            case "float":
                return f"float({value})"
            case "":
                return value
            case method:
                return f"{value}.{method}()"

    def read_null(self, _written: Any, _reading: Any) -> str:
        return "None"

    def read_long(self, written: Any, _reading: Any) -> str:
        x = self.fresh("x")
        # Where a single byte is likely, a table is quicker than the loop.
        if type_word(written) == "long" and logical.short_read(written) is not None:
            # A timestamp: hardly ever a single byte.
            self.line(f"{x}, p = number_at(b, p)")
        else:
            self.line(f"{x} = ZIGZAG[b[p]]")
            self.line(f"if {x} is None: {x}, p = number_at(b, p)")
            self.line("else: p += 1")
        return x

    def read_sized(self, written: Any, _reading: Any) -> str:
        form, size = self._form(written) or ("", 0)
        x = self.fresh("x")
        self.line(f"({x},) = {self._unpack(form)}(b, p)")
        self.line(f"p += {size:d}")
        return x

    def _form(self, written: Any) -> tuple[str, int] | None:
        """What struct calls a type of constant size, and that size; None for others and for logical types."""
        written = self._program.writer.resolved(written)
        # A logical type has a value of its own to make, one by one.
        if logical.conversion(written) is not None:
            return None
        if type_word(written) == "fixed":
            return f"{written['size']:d}s", written["size"]
        return SIZED.get(type_word(written))

    def _unpack(self, form: str) -> str:
        return self.constants.name(struct.Struct("<" + form).unpack_from, "unpack")

    def read_string(self, written: Any, reading: Any) -> str:
        return self.read_bytes(written, reading, ".decode()")

    def read_bytes(self, _written: Any, _reading: Any, method: str = "") -> str:
        n, x = self.span(), self.fresh("x")
        self.line(f"{x} = b[p + 1:(p := p + {n})]{method}")
        return x

    def read_fixed(self, written: Any, _reading: Any) -> str:
        x = self.fresh("x")
        self.line(f"{x} = b[p:(p := p + {written['size']:d})]")
        return x

    def read_enum(self, written: Any, reading: Any) -> str:
        symbols: dict[int, Any] = dict(enum_symbols(written, reading))
        schema = written if reading is None else reading
        if self._program.shapes.kind(schema) is not None:
            members = self._program.shapes.members(schema["name"])
            # The members themselves, so that nothing is looked up for a record.
            symbols = {index: members[symbol] for index, symbol in symbols.items()}
        x = self.fresh("x")
        # Up to here every index is a single byte, which is the key as it comes.
        if len(written["symbols"]) <= 64:
            table = self.constants.name({2 * index: symbol for index, symbol in symbols.items()}, "E")
            self.line(f"{x} = {table}[b[p]]; p += 1")
        else:
            self.line(f"{x} = {self.constants.name(symbols, 'E')}[{self.read_long(written, None)}]")
        return x

    def read_array(self, written: Any, reading: Any) -> str:
        x = self.fresh("x")
        self.line(f"{x} = []")
        if self.is_empty(written["items"]):
            self.line("if b[p]: raise Doubt")
            self.line("p += 1")
            return x
        item = None if reading is None else reading["items"]
        form = self._form(written["items"])
        # A block of numbers of constant size is read with one call.
        if form is not None and form[0] in ("f", "d") and (item is None or type_word(item) in ("float", "double")):
            with self._counted_blocks(written["items"]) as n:
                self.line(f"{x} += unpack('<%d{form[0]}' % {n}, b, p)")
                self.line(f"p += {n} * {form[1]:d}")
        else:
            with self._blocks(written["items"]):
                self.line(f"{x}.append({self.emit(written['items'], item)})")
        return x

    def read_map(self, written: Any, reading: Any) -> str:
        x = self.fresh("x")
        self.line(f"{x} = {{}}")
        with self._blocks("string"):
            # Key before value, in the order of the bytes.
            key = self.read_string(None, None)
            value = self.emit(written["values"], None if reading is None else reading["values"])
            self.line(f"{x}[{key}] = {value}")
        return x

    @contextmanager
    def _blocks(self, item: Any) -> Iterator[None]:
        """The loop over the items of all blocks."""
        t, n = self.fresh("t"), self.fresh("n")
        with self.block("while True:"):
            self.line(f"{t} = TIMES[b[p]]")
            self.line(f"if {t}: p += 1")
            self.line(f"elif {t} is not None: p += 1; break")
            with self.block("else:"):
                # More items than fit one byte, or a block that tells its size too.
                self.line(f"{n}, p = count_at(b, p)")
                self.line(f"if not {n}: break")
                self.check(item, n)
                self.line(f"{t} = repeat(None, {n})")
            with self.block(f"for _ in {t}:"):
                yield

    @contextmanager
    def _counted_blocks(self, item: Any) -> Iterator[str]:
        """The loop over blocks; inside, the name of the variable that holds the count of items."""
        n = self.fresh("n")
        with self.block("while True:"):
            self.line(f"{n}, p = count_at(b, p)")
            self.line(f"if not {n}: break")
            self.check(item, n)
            yield n

    def read_record(self, written: Any, reading: Any) -> str:
        fields = record_fields(written, reading)
        if fields is None:
            self.line("raise Doubt")
            return "None"
        entries: list[tuple[str, str]] = []
        run: list[_Sized] = []
        for field in fields.written:
            # Neighbours of constant size are read together, with one call.
            sized = self._sized_field(field)
            if sized is not None:
                run.append(sized)
                continue
            entries += self._flush(run)
            if field.target is None:
                self.skip(field.written)
            else:
                entries.append((field.target, self.emit(field.written, field.reading)))
        entries += self._flush(run)
        schema = written if reading is None else reading
        kind = self._program.shapes.kind(schema)
        if kind is not None:
            return self._object(kind, schema["name"], entries, fields.defaults)
        entries += [(name, self._default(default)) for name, default in fields.defaults]
        return "{" + ", ".join(f"{name!r}: {value}" for name, value in entries) + "}"

    def _object(
        self, kind: type, name: str, entries: list[tuple[str, str]], defaults: tuple[tuple[str, Any], ...]
    ) -> str:
        """A call of the user's class; its own defaults stand for those of the schema."""
        # Left out where the class has a default, which may be more than JSON can say.
        own = self._program.shapes.optional.get(name, frozenset())
        entries = entries + [(field, self._default(default)) for field, default in defaults if field not in own]
        # Such a name could not be an argument, though it may be a field.
        taken = keywords(kind)
        arguments = [(taken[field], value) for field, value in entries if field in taken]
        if any(not keyword.isidentifier() or iskeyword(keyword) for keyword, _ in arguments):
            raise Unsupported
        listed = ", ".join(f"{keyword}={value}" for keyword, value in arguments)
        return f"{self.constants.name(kind, 'class_')}({listed})"

    def _sized_field(self, field: ReadField) -> _Sized | None:
        """A field that may share one struct.unpack with its neighbours."""
        form = self._form(field.written)
        if form is None:
            return None
        if field.target is None:
            return _Sized(f"{form[1]:d}x", form[1], None)
        if field.reading is not None and self._program.resolution.reading(field.written, field.reading) is None:
            return None
        return _Sized(form[0], form[1], field.target)

    def _flush(self, run: list[_Sized]) -> list[tuple[str, str]]:
        """Add one struct.unpack for a run of fields of constant size, and empty the run."""
        kept = [(field.target, self.fresh("x")) for field in run if field.target is not None]
        if kept:
            names = "".join(f"{name}, " for _, name in kept)
            self.line(f"({names}) = {self._unpack(''.join(field.form for field in run))}(b, p)")
        if run:
            self.line(f"p += {sum(field.size_bytes for field in run):d}")
        run.clear()
        return kept

    def _default(self, default: Any) -> str:
        """A default; lists and dictionaries are made anew for every message."""
        name = self.constants.name(default, "D")
        return f"deepcopy({name})" if isinstance(default, (list, dict)) else name

    def read_union(self, written: Any, reading: Any) -> str:
        x, i = self.fresh("x"), self.fresh("i")
        if len(written) > 64:
            raise Unsupported
        self.line(f"{i} = b[p]; p += 1")
        word = "if"
        for index, branch in enumerate(written):
            with self.block(f"{word} {i} == {2 * index:d}:"):
                value = self._branch(branch, reading)
                self.line(f"{x} = {value}")
            word = "elif"
        self.line("else: raise Doubt")
        return x

    def _branch(self, branch: Any, reading: Any) -> str:
        """A branch of a union; with its name where names were asked for and fastavro gives one."""
        value = self.emit(branch, reading)
        if not self._program.return_record_name or not self._has_name(branch):
            return value
        if isinstance(reading, list):
            branch = self._program.resolution.reading(branch, reading)
            if isinstance(branch, dict) is not isinstance(self._program.reader.resolved(branch), dict):
                raise Unsupported
        return f"({self._program.writer.resolved(branch)['name']!r}, {value})"

    def _has_name(self, branch: Any) -> bool:
        """Records do; enums and fixed only where they are used by name."""
        return type_word(branch) == "record" or (
            isinstance(branch, str) and isinstance(self._program.writer.resolved(branch), dict)
        )


_READERS: dict[str, Callable[[_Body, Any, Any], str]] = {
    "null": _Body.read_null,
    "boolean": _Body.read_sized,
    "int": _Body.read_long,
    "long": _Body.read_long,
    "float": _Body.read_sized,
    "double": _Body.read_sized,
    "string": _Body.read_string,
    "bytes": _Body.read_bytes,
    "fixed": _Body.read_fixed,
    "enum": _Body.read_enum,
    "array": _Body.read_array,
    "map": _Body.read_map,
    "record": _Body.read_record,
    "error": _Body.read_record,
}
