"""Generated writers: from a schema to a function that turns a value into framed bytes.

The rule: a generated writer returns what fastavro would write, or it raises, and then fastavro does the message. It
tests only what fastavro tests, and the width of ints; inside a union fastavro validates the value first, so there the
tests are strict (`checked`).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from io import BytesIO
from itertools import groupby
from keyword import iskeyword
from typing import Any

from fastavro import schemaless_writer
from fastavro.validation import validate

from serdes.codec.definitions import RECORDS, Definitions, type_word
from serdes.codec.failures import Unsupported
from serdes.codec.generated import logical
from serdes.codec.generated.branches import Choice, choices
from serdes.codec.generated.source import Constants, Source, compiled
from serdes.codec.generated.varints import SMALL, Doubt, int_bytes, long_bytes
from serdes.codec.hazards import ValueChecks
from serdes.codec.options import WriteOptions
from serdes.codec.widths import IntChecks

_CONSTANTS: dict[str, Any] = {
    **logical.CONSTANTS,
    "INT": SMALL,
    "int_bytes": int_bytes,
    "long_bytes": long_bytes,
    "Doubt": Doubt,
    "utf8": str.encode,
    "join": b"".join,
    "pack": struct.pack,
    "len": len,
    "bool": bool,
    "int": int,
    "float": float,
    "str": str,
    "bytes": bytes,
    "list": list,
    "dict": dict,
    "map": map,
    "type": type,
    "NUMBERS": frozenset((int, float)),
    "NONE": b"",
    "END": b"\x00",
    "TRUE": b"\x01",
    "FALSE": b"\x00",
}
_MOST_LOOSE_PARTS = 3


class Care(Enum):
    """How much must be certain before a value is written."""

    FREE = "what fastavro tests outside of unions: little"
    CHECKED = "what fastavro validates inside a union: everything"
    KNOWN = "the same, and the exact type of this value was tested already"

    @property
    def within(self) -> Care:
        """The care for the values inside."""
        return Care.CHECKED if self is Care.KNOWN else self


@dataclass(frozen=True, slots=True)
class Part:
    """An expression for the next bytes; with a format, for the next argument of a struct.pack instead."""

    expression: str
    format: str = ""


class Writing:
    """One schema being turned into source: the main function, and one for each record that is used by name."""

    def __init__(self, tree: Any, options: WriteOptions) -> None:
        self.definitions = Definitions(tree)
        self.constants = Constants(_CONSTANTS)
        self.shapes = options.shapes
        self.exact = options.exact
        self._options = {"strict": options.strict, "strict_allow_default": options.strict_allow_default}
        self._functions: dict[str, str] = {"write": ""}
        self._preparations: dict[int, Callable[[Any, Any], Any] | None] = {}
        self._tree = tree
        # Once for all unions: for each of many by itself they would walk over the whole schema.
        self._int_checks, self._value_checks = IntChecks(self.definitions), ValueChecks(tree, self.definitions)

    def made(self) -> Callable[..., Any]:
        """The maker of the writer: called with H (the frame), `redo` and `too_deep`."""
        body = _Body(self)
        is_text = type_word(self._tree) == "string" and self.preparation(self._tree) is None
        if is_text:
            # The frame and the length in one, for a string key.
            body.line("SHORT = [H + length for length in INT[:64]]")
        with body.block("def write(v, _ctx=None):"):
            # Before anything else: None is a tombstone in Kafka, whatever the schema allows.
            body.line("if v is None: return None")
            with body.block("try:"):
                if is_text:
                    body.line("if (n := len(e := utf8(v))) < 64: return SHORT[n] + e")
                parts = body.emit(self._tree, "v", Care.FREE)
                body.line(f"return join((H, {', '.join(body.expressions(parts))}))")
            body.line("except RecursionError: return too_deep()")
            body.line("except Exception: return redo(v)")
        self._functions["write"] = body.text()
        return compiled(self._functions, self.constants, ("H", "redo", "too_deep"))

    def preparation(self, schema: Any) -> Callable[[Any, Any], Any] | None:
        """What fastavro does to a value before it writes it; one function for each place in the schema."""
        # By identity: a part of a schema is a dictionary, which cannot be a key.
        if id(schema) not in self._preparations:
            self._preparations[id(schema)] = logical.preparation(schema)
        return self._preparations[id(schema)]

    def function(self, record: dict[str, Any], care: Care) -> str:
        """The name of the function that writes a record which is used by name; written on first use."""
        care = Care.FREE if care is Care.FREE else Care.CHECKED
        name = f"{self.constants.name(record, 'record')}_{care.name.lower()}"
        if name not in self._functions:
            self._functions[name] = ""
            body = _Body(self)
            with body.block(f"def {name}(v):"):
                parts = body.expressions(body.write_record(record, "v", care))
                body.line(f"return join(({''.join(part + ', ' for part in parts)}))")
            self._functions[name] = body.text()
        return name

    def delegate(self, union: list[Any], care: Care) -> str:
        """The name of a function that lets fastavro write one union."""
        tree = self.definitions.parsed({"type": "record", "name": "", "fields": [{"name": "value", "type": union}]})
        options, strict = self._options, self._options["strict"]
        check_ints, check_value = self._int_checks.check(union), self._value_checks.check(union)

        def write_union(value: Any) -> bytes:
            if check_value is not None:
                check_value(value)
            wrapped = {"value": value}
            # Inside another union fastavro has validated the value by the time it writes it.
            if care is not Care.FREE and not validate(wrapped, tree, raise_errors=False, strict=strict):
                raise Doubt
            buffer = BytesIO()
            schemaless_writer(buffer, tree, wrapped, **options)
            if check_ints is not None:
                check_ints(value)
            return buffer.getvalue()

        return self.constants.name(write_union, "U")


@dataclass(frozen=True, slots=True)
class _Case:
    """One case of a union: its condition (empty for all the rest), what it adds, the expressions for its bytes."""

    condition: str
    lines: list[str]
    parts: list[str]


class _Body(Source):
    """The body of one function."""

    def __init__(self, writing: Writing) -> None:
        super().__init__(writing.constants)
        self._writing = writing

    def emit(self, schema: Any, value: str, care: Care) -> list[Part]:
        """Add what must happen before the bytes of a value can be joined; return its bytes as parts."""
        schema = self._writing.definitions.resolved(schema)
        word = type_word(schema)
        if self._writing.preparation(schema) is not None:
            # What comes out of the function was made, not tested.
            value, care = self._prepared(schema, value), care.within
        if word in RECORDS and self._writing.definitions.shared(schema["name"]):
            return [Part(f"{self._writing.function(schema, care)}({value})")]
        return _EMITTERS[word](self, schema, value, care)

    def expressions(self, parts: list[Part]) -> list[str]:
        """The parts as expressions for bytes; neighbours with a format share one struct.pack."""
        found: list[str] = []
        for packed, group in groupby(parts, lambda part: part.format != ""):
            members = list(group)
            if packed:
                pack = self.constants.name(struct.Struct("<" + "".join(part.format for part in members)).pack, "P")
                found.append(f"{pack}({', '.join(part.expression for part in members)})")
            else:
                found += [part.expression for part in members]
        return found

    def doubt(self, condition: str) -> None:
        """Give up the message when a condition holds."""
        self.line(f"if {condition}: raise Doubt")

    def _prepared(self, schema: Any, value: str) -> str:
        """The value as fastavro's function for the logical type makes it."""
        function = self.constants.name(self._writing.preparation(schema), "L")
        usual = f"{function}({{x}}, {self.constants.name(schema, 'S')})"
        short = logical.short_write(schema)
        x = self.local("x", value)
        prepared = self.fresh("y")
        if short is None:
            self.line(f"{prepared} = {usual.format(x=x)}")
        else:
            chosen = f"{short.expression} if {short.condition} else {usual}"
            self.line(f"{prepared} = {chosen.format(x=x)}")
        return prepared

    def write_null(self, _schema: Any, value: str, care: Care) -> list[Part]:
        if care is Care.CHECKED:
            self.doubt(f"{value} is not None")
        elif self._writing.exact:
            self.line(value)  # fails when the field is missing
        return []

    def write_boolean(self, _schema: Any, value: str, care: Care) -> list[Part]:
        x = self.local("x", value)
        if care is Care.CHECKED:
            self.doubt(f"{x}.__class__ is not bool")
        return [Part(f"TRUE if {x} else FALSE")]

    def write_int(self, _schema: Any, value: str, care: Care) -> list[Part]:
        return self._number(value, care, "int_bytes")

    def write_long(self, schema: Any, value: str, care: Care) -> list[Part]:
        if care is not Care.CHECKED and logical.short_write(schema) is not None:
            # A timestamp: hardly ever a small number.
            return [Part(f"long_bytes({value})")]
        return self._number(value, care, "long_bytes")

    def _number(self, value: str, care: Care, beyond: str) -> list[Part]:
        x = self.local("x", value)
        if care is Care.CHECKED:
            self.doubt(f"{x}.__class__ is not int")
        # Python indexes from the end for negative numbers, so one table serves both signs.
        return [Part(f"INT[{x}] if -8192 <= {x} < 8192 else {beyond}({x})")]

    def write_float(self, _schema: Any, value: str, care: Care) -> list[Part]:
        return self._floating(value, care, "f")

    def write_double(self, _schema: Any, value: str, care: Care) -> list[Part]:
        return self._floating(value, care, "d")

    def _floating(self, value: str, care: Care, form: str) -> list[Part]:
        if care is Care.CHECKED:
            value = self.local("x", value)
            self.doubt(f"{value}.__class__ is not float and {value}.__class__ is not int")
        return [Part(value, form)]

    def write_string(self, _schema: Any, value: str, _care: Care) -> list[Part]:
        e = self.fresh("e")
        self.line(f"{e} = utf8({value})")
        return [self._length(e), Part(e)]

    def write_bytes(self, _schema: Any, value: str, care: Care) -> list[Part]:
        x = self._instance(value, "bytes", care)
        return [self._length(x), Part(x)]

    def _instance(self, value: str, kind: str, care: Care) -> str:
        """A local variable with a value that is exactly of a type."""
        x = self.local("x", value)
        if care is not Care.KNOWN:
            self.doubt(f"{x}.__class__ is not {kind}")
        return x

    def _length(self, name: str) -> Part:
        n = self.fresh("n")
        self.line(f"{n} = len({name})")
        return Part(f"INT[{n}] if {n} < 8192 else long_bytes({n})")

    def write_fixed(self, schema: Any, value: str, care: Care) -> list[Part]:
        x = self._instance(value, "bytes", care)
        self.doubt(f"len({x}) != {schema['size']:d}")
        return [Part(x)]

    def write_enum(self, schema: Any, value: str, _care: Care) -> list[Part]:
        symbols: dict[Any, bytes] = {}
        # Of symbols that stand there twice fastavro writes the first.
        for index, symbol in reversed(list(enumerate(schema["symbols"]))):
            symbols[symbol] = long_bytes(index)
        if self._writing.shapes.kind(schema) is not None:
            # The members themselves are keys, so that a value is looked up as it comes.
            members = self._writing.shapes.members(schema["name"])
            symbols = {member: symbols[symbol] for symbol, member in members.items()}
        return [Part(f"{self.constants.name(symbols, 'E')}[{value}]")]

    def write_array(self, schema: Any, value: str, care: Care) -> list[Part]:
        x = self._instance(value, "list", care)
        word = type_word(schema["items"])
        if word in ("float", "double"):
            if care is not Care.FREE:
                # Inside a union every item has been looked at by fastavro, which takes these two types only.
                self.doubt(f"not NUMBERS.issuperset(map(type, {x}))")
            return self._floats(x, "f" if word == "float" else "d")
        i = self.fresh("i")
        return self._blocks(x, f"for {i} in {x}:", schema["items"], i, care.within)

    def _floats(self, x: str, form: str) -> list[Part]:
        """An array of floating numbers, packed at once."""
        out = self.fresh("p")
        with self.block(f"if {x}:"):
            length = self._length(x)
            n = self.fresh("n")
            self.line(f"{n} = '<%d{form}' % len({x})")
            self.line(f"{out} = join(({length.expression}, pack({n}, *{x}), END))")
        self.line(f"else: {out} = END")
        return [Part(out)]

    def write_map(self, schema: Any, value: str, care: Care) -> list[Part]:
        x = self._instance(value, "dict", care)
        k, i = self.fresh("k"), self.fresh("i")
        return self._blocks(x, f"for {k}, {i} in {x}.items():", schema["values"], i, care.within, key=k)

    def _blocks(self, x: str, loop: str, item: Any, i: str, care: Care, key: str | None = None) -> list[Part]:
        """A block of items, then the empty block that ends it; nothing but that one when there are no items."""
        out, w = self.fresh("p"), self.fresh("w")
        with self.block(f"if {x}:"):
            self.line(f"{w} = [{self._length(x).expression}]")
            with self.block(loop):
                parts = [] if key is None else self.write_string("string", key, care)
                expressions = self.expressions(parts + self.emit(item, i, care))
                if len(expressions) == 1:
                    self.line(f"{w}.append({expressions[0]})")
                elif expressions:
                    self.line(f"{w} += ({', '.join(expressions)})")
            self.line(f"{w}.append(END)")
            self.line(f"{out} = join({w})")
        self.line(f"else: {out} = END")
        return [Part(out)]

    def write_record(self, schema: Any, value: str, care: Care) -> list[Part]:
        kind = self._writing.shapes.kind(schema)
        if kind is not None:
            return self._object(schema, self._instance(value, self.constants.name(kind, "class_"), care), care)
        x = self._instance(value, "dict", care)
        if self._writing.exact:
            # With every field read by its name, so many entries leave room for no other.
            self.doubt(f"len({x}) != {len(schema['fields']):d}")
        elif care is not Care.FREE:
            # By this key fastavro lets a value name its branch.
            self.doubt(f"'-type' in {x}")
        parts: list[Part] = []
        for field in schema["fields"]:
            parts += self.emit(field["type"], self._field(field, x), care.within)
        return parts

    def _object(self, schema: Any, x: str, care: Care) -> list[Part]:
        """The fields of an object. Their names are attributes of the user's class, so they are identifiers."""
        parts: list[Part] = []
        for field in schema["fields"]:
            if not field["name"].isidentifier() or iskeyword(field["name"]):
                raise Unsupported
            parts += self.emit(field["type"], f"{x}.{field['name']}", care.within)
        return parts

    def _field(self, field: dict[str, Any], x: str) -> str:
        """The value of a field; a missing one is the default, or None where fastavro takes it for None."""
        name = field["name"]
        if self._writing.exact or ("default" not in field and "null" not in field["type"]):
            return f"{x}[{name!r}]"
        # What `get` answers by itself need not be handed to it.
        if field.get("default") is None:
            return f"{x}.get({name!r})"
        return f"{x}.get({name!r}, {self.constants.name(field['default'], 'D')})"

    def write_union(self, schema: Any, value: str, care: Care) -> list[Part]:
        x = self.local("x", value)
        kinds: dict[Choice, list[type]] = {}
        for kind, choice in choices(schema, self._writing.definitions, self._writing.shapes).items():
            kinds.setdefault(choice, []).append(kind)
        cases: list[_Case] = []
        # In the order of the branches, in which fastavro tries them.
        for choice in sorted(kinds, key=lambda choice: choice.branch):
            condition = " or ".join(self._is(x, kind) for kind in kinds[choice])
            if choice.narrow is not None:
                fits = f"({condition}) and {self._fits(schema[choice.narrow], x)}"
                cases.append(self._branch(fits, schema, choice.narrow, x))
            cases.append(self._branch(condition, schema, choice.branch, x))
        return self._chain(
            [*cases, _Case("" if cases else "True", [], [f"{self._writing.delegate(schema, care)}({x})"])]
        )

    def _is(self, x: str, kind: type) -> str:
        return f"{x} is None" if kind is type(None) else f"{x}.__class__ is {self.constants.name(kind, 'class_')}"

    def _fits(self, branch: Any, x: str) -> str:
        branch = self._writing.definitions.resolved(branch)
        match type_word(branch):
            case "int":
                return f"-2147483648 <= {x} < 2147483648"
            case "long":
                return f"-9223372036854775808 <= {x} < 9223372036854775808"
            case _:
                return f"{x} in {self.constants.name(frozenset(branch['symbols']), 'symbols')}"

    def _branch(self, condition: str, union: list[Any], index: int, x: str) -> _Case:
        with self.captured() as lines:
            parts = self.emit(union[index], x, Care.KNOWN)
            # Beyond 63 the number of a branch takes two bytes.
            if parts and parts[0].format and index < 64:
                # The branch's number is one byte, which the same struct.pack can write.
                parts = [Part(f"{2 * index:d}", "B"), *parts]
            else:
                parts = [Part(self.constants.name(long_bytes(index), "B")), *parts]
            return _Case(condition, lines, self.expressions(parts))

    def _chain(self, cases: list[_Case]) -> list[Part]:
        """Conditions in order; every case gives its bytes to the same variables, empty ones where it needs fewer."""
        most = max(len(case.parts) for case in cases if len(case.parts) <= _MOST_LOOSE_PARTS)
        out = [self.fresh("p") for _ in range(most)]
        word = "if"
        for case in cases:
            parts = case.parts if len(case.parts) <= most else [f"join(({', '.join(case.parts)}))"]
            with self.block("else:" if case.condition == "" else f"{word} {case.condition}:"):
                self.add(case.lines)
                for name, part in zip(out, parts + ["NONE"] * (most - len(parts)), strict=True):
                    self.line(f"{name} = {part}")
            word = "elif"
        return [Part(name) for name in out]


_EMITTERS: dict[str, Callable[[_Body, Any, str, Care], list[Part]]] = {
    "null": _Body.write_null,
    "boolean": _Body.write_boolean,
    "int": _Body.write_int,
    "long": _Body.write_long,
    "float": _Body.write_float,
    "double": _Body.write_double,
    "string": _Body.write_string,
    "bytes": _Body.write_bytes,
    "fixed": _Body.write_fixed,
    "enum": _Body.write_enum,
    "array": _Body.write_array,
    "map": _Body.write_map,
    "union": _Body.write_union,
    "error_union": _Body.write_union,
    "record": _Body.write_record,
    "error": _Body.write_record,
}
