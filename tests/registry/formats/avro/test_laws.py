"""Laws of schemas that are made up: texts, identity, levels, and that the rules tell the truth about data.

The strongest is the last: if the rules say that B reads A, fastavro decodes A's bytes with B; and where they say no,
there are values of A that it cannot decode.
"""

import io
import json
import struct
from typing import Any

import fastavro
import pytest
from fastavro.read import SchemaResolutionError
from fastavro.schema import UnknownType
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from registry.errors import UnparsableSchema
from registry.formats.avro import AvroFormat, AvroSchema
from registry.model import Level
from registry.rules.compatibility import check

Json = Any
PRIMITIVES = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"]
NAMES = st.sampled_from(["a", "b", "c", "d", "e"])
FINITE = st.floats(allow_nan=False, allow_infinity=False)
PROPS = st.dictionaries(st.sampled_from(["p", "q", "Z", "é"]), st.integers() | FINITE | st.text(), max_size=2)
SLOW = settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])


def parsed(schema: Json) -> AvroSchema:
    return AvroFormat().parse(json.dumps(schema), {}, strict=True)


class Schemas:
    """Draws schemas; each named type has a name of its own, and some are used again by name."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.names: list[str] = []

    def type_(self, depth: int = 0) -> Json:
        kinds = [self.primitive, self.primitive, self.reference, self.enum, self.fixed]
        deep = [self.array, self.map, self.union, self.record]
        return self.draw(st.sampled_from(kinds if depth > 2 else kinds + deep))(depth + 1)

    def primitive(self, _: int) -> Json:
        return self.draw(st.sampled_from(PRIMITIVES))

    def reference(self, depth: int) -> Json:
        return self.draw(st.sampled_from(self.names)) if self.names else self.primitive(depth)

    def name(self) -> str:
        self.names.append(f"T{len(self.names)}")
        return self.names[-1]

    def enum(self, _: int) -> Json:
        symbols = self.draw(st.lists(st.sampled_from("ABCD"), min_size=1, unique=True))
        return {"type": "enum", "name": self.name(), "symbols": symbols}

    def fixed(self, _: int) -> Json:
        return {"type": "fixed", "name": self.name(), "size": self.draw(st.integers(1, 3))}

    def array(self, depth: int) -> Json:
        return {"type": "array", "items": self.type_(depth)}

    def map(self, depth: int) -> Json:
        return {"type": "map", "values": self.type_(depth)}

    def union(self, depth: int) -> Json:
        makers = [self.array, self.map, self.enum, self.fixed, self.record]
        chosen = self.draw(st.lists(st.sampled_from(makers), max_size=3, unique=True))
        plain: list[Json] = self.draw(st.lists(st.sampled_from(PRIMITIVES), max_size=3, unique=True))
        return self.draw(st.permutations(plain)) + [make(depth) for make in chosen] or ["null"]

    def record(self, depth: int) -> Json:
        # Named when it is complete, so that no type contains itself and values come to an end.
        fields = [{"name": name, "type": self.type_(depth)} for name in self.draw(st.lists(NAMES, unique=True))]
        return {"type": "record", "name": self.name(), "fields": fields}


def label(schema: Json) -> str:
    """What must not come twice in a union."""
    if isinstance(schema, str):
        return schema
    return str(schema.get("name", schema["type"]))


@st.composite
def schemas(draw: Any) -> Json:
    return Schemas(draw).type_()


@st.composite
def annotated(draw: Any) -> Json:
    """A schema with properties, docs and aliases all over."""

    def decorate(node: Json) -> Json:
        if isinstance(node, list):
            return [decorate(branch) for branch in node]
        if not isinstance(node, dict):
            return node
        extra = {**draw(PROPS), "doc": draw(st.text(max_size=3))} if draw(st.booleans()) else {}
        below = {
            key: decorate(node[key]) for key in ("items", "values", "type") if isinstance(node.get(key), dict | list)
        }
        fields = {"fields": [decorate(field) for field in node["fields"]]} if "fields" in node else {}
        return {**extra, **node, **below, **fields}

    return decorate(draw(schemas()))


@given(annotated())
@SLOW
def test_a_canonical_text_is_its_own_canonical_text(schema: Json) -> None:
    text = parsed(schema).text
    assert AvroFormat().parse(text, {}, strict=True).text == text


@given(annotated())
@SLOW
def test_a_normal_form_is_its_own_normal_form_and_means_the_same(schema: Json) -> None:
    normal = parsed(schema).normalized()
    assert normal.normalized().text == normal.text
    assert normal.parsing_form == parsed(schema).parsing_form


@given(annotated())
@SLOW
def test_the_order_of_keys_is_no_part_of_a_schema(schema: Json) -> None:
    def turned(node: Json) -> Json:
        if isinstance(node, dict):
            return {key: turned(node[key]) for key in reversed(node)}
        return [turned(each) for each in node] if isinstance(node, list) else node

    one, other = parsed(schema), parsed(turned(schema))
    assert one.equivalent(other)
    assert one.normalized().text == other.normalized().text


@given(schemas())
@SLOW
def test_a_schema_reads_itself(schema: Json) -> None:
    assert parsed(schema).unreadable(parsed(schema)) == ()


CHANGES = [
    "keep",
    "keep",
    "keep",
    "other",
    "widen",
    "wrap",
    "unwrap",
    "add",
    "drop",
    "turn",
    "default",
    "name",
    "alias",
]
BRANCH_CHANGES = [change for change in CHANGES if change not in {"wrap", "unwrap"}]
WIDER = {
    "int": ["long", "float", "double"],
    "long": ["float", "double"],
    "float": ["double"],
    "string": ["bytes"],
    "bytes": ["string"],
}


class Evolution:
    """Draws what becomes of a schema, changed in ways that schemas are changed, good and bad."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw

    def any_of(self, choices: list[Any]) -> Any:
        return self.draw(st.sampled_from(choices))

    def changed(self, node: Json, changes: list[str] = CHANGES) -> Json:
        change = self.any_of(changes)
        if change == "other":
            return self.any_of(PRIMITIVES)
        if change == "wrap" and not isinstance(node, list) and node != "null":
            return ["null", self.evolved(node, "keep")]
        return self.evolved(node, change)

    def evolved(self, node: Json, change: str) -> Json:
        if isinstance(node, str):
            return self.any_of(WIDER.get(node, [node])) if change == "widen" else node
        if isinstance(node, list):
            return self.union(node, change)
        if "name" in node and change in {"name", "alias"}:
            node = {**node, "name": node["name"] + "x", **alias_of(node, change)}
        return getattr(self, node["type"])(node, change)

    def union(self, node: Json, change: str) -> Json:
        if change == "unwrap":
            return self.evolved(self.any_of(node), "keep")
        kept = node[1:] if change == "drop" and len(node) > 1 else node
        kept = self.draw(st.permutations(kept)) if change == "turn" else kept
        return [self.changed(branch, BRANCH_CHANGES) for branch in kept]

    def enum(self, node: Json, change: str) -> Json:
        symbols = {"drop": node["symbols"][1:] or ["Z"], "add": [*node["symbols"], "Y"]}.get(change, node["symbols"])
        return {**node, "symbols": symbols, **({"default": symbols[0]} if change == "default" else {})}

    def fixed(self, node: Json, change: str) -> Json:
        return {**node, "size": node["size"] + (change == "add")}

    def array(self, node: Json, _: str) -> Json:
        return {**node, "items": self.changed(node["items"])}

    def map(self, node: Json, _: str) -> Json:
        return {**node, "values": self.changed(node["values"])}

    def record(self, node: Json, change: str) -> Json:
        fields = [{**field, "type": self.changed(field["type"])} for field in node["fields"]]
        if change in {"name", "alias"} and fields:
            place = self.any_of([*range(len(fields))])
            fields[place] = {**fields[place], "name": "renamed", **alias_of(fields[place], change)}
        extra = {"name": "new", "type": "int", **({"default": 0} if change == "default" else {})}
        changed = {"drop": fields[1:], "add": [extra, *fields], "default": [extra, *fields], "turn": fields[::-1]}
        return {**node, "fields": changed.get(change, fields)}


def alias_of(node: Json, change: str) -> Json:
    """What keeps the former name, if that is the change."""
    return {"aliases": [node["name"]]} if change == "alias" else {}


@st.composite
def evolutions(draw: Any) -> tuple[Json, Json]:
    """A schema and a later one."""
    before = Schemas(draw).type_()
    return before, Evolution(draw).changed(before)


def resolvable(schema: Json) -> bool:
    """Whether every name that is used is still defined, before its use, after a change."""
    try:
        parsed(schema)
    except UnparsableSchema:
        return False
    return True


VERSIONS = evolutions().filter(lambda pair: resolvable(pair[1]))


@given(VERSIONS)
@SLOW
def test_full_is_backward_and_forward(pair: tuple[Json, Json]) -> None:
    old, new = map(parsed, pair)
    verdicts = {level: check(level, new, [(1, old)]).compatible for level in Level}
    assert verdicts[Level.FULL] is (verdicts[Level.BACKWARD] and verdicts[Level.FORWARD])
    assert verdicts[Level.NONE]


@given(VERSIONS, VERSIONS)
@SLOW
def test_a_level_implies_its_weaker_ones(one: tuple[Json, Json], other: tuple[Json, Json]) -> None:
    oldest, old = map(parsed, one)
    new = parsed(other[1])
    for level in (Level.BACKWARD, Level.FORWARD, Level.FULL):
        strong = check(Level[f"{level.name}_TRANSITIVE"], new, [(2, old), (1, oldest)])
        assert not strong.compatible or check(level, new, [(2, old), (1, oldest)]).compatible


def definitions(schema: Json) -> dict[str, Json]:
    """Every named type of a schema by its name."""
    if isinstance(schema, list):
        return {name: type_ for branch in schema for name, type_ in definitions(branch).items()}
    if isinstance(schema, str):
        return {}
    below = [schema[key] for key in ("items", "values") if key in schema]
    own = {schema["name"]: schema} if "name" in schema else {}
    return own | definitions([*below, *(field["type"] for field in schema.get("fields", []))])


class Bytes:
    """Draws values of a schema, as the bytes that an Avro writer makes of them.

    By hand, because fastavro's writer guesses the branches of unions. Bytes are always text, because what is read as a
    string has to be.
    """

    def __init__(self, draw: Any, schema: Json) -> None:
        self.draw = draw
        self.named = definitions(schema)

    def of(self, schema: Json) -> bytes:
        if isinstance(schema, list):
            place = self.draw(st.integers(0, len(schema) - 1))
            return zigzag(place) + self.of(schema[place])
        if isinstance(schema, str):
            return self.draw(PLAIN_BYTES[schema]) if schema in PLAIN_BYTES else self.of(self.named[schema])
        return getattr(self, schema["type"])(schema)

    def array(self, schema: Json) -> bytes:
        return self.block([self.of(schema["items"]) for _ in range(self.draw(st.integers(0, 2)))])

    def map(self, schema: Json) -> bytes:
        keys = self.draw(st.lists(NAMES, max_size=2, unique=True))
        return self.block([sized(key.encode()) + self.of(schema["values"]) for key in keys])

    def block(self, items: list[bytes]) -> bytes:
        return (zigzag(len(items)) + b"".join(items) if items else b"") + b"\0"

    def enum(self, schema: Json) -> bytes:
        return zigzag(self.draw(st.integers(0, len(schema["symbols"]) - 1)))

    def fixed(self, schema: Json) -> bytes:
        return self.draw(st.binary(min_size=schema["size"], max_size=schema["size"]))

    def record(self, schema: Json) -> bytes:
        return b"".join(self.of(field["type"]) for field in schema["fields"])


def zigzag(number: int) -> bytes:
    left, out = (number << 1) ^ (number >> 63), bytearray()
    while left >= 0x80:
        out.append(left & 0x7F | 0x80)
        left >>= 7
    return bytes([*out, left])


def sized(content: bytes) -> bytes:
    return zigzag(len(content)) + content


PLAIN_BYTES: dict[str, st.SearchStrategy[bytes]] = {
    "null": st.just(b""),
    "boolean": st.sampled_from([b"\0", b"\1"]),
    "int": st.integers(-(2**31), 2**31 - 1).map(zigzag),
    "long": st.integers(-(2**63), 2**63 - 1).map(zigzag),
    "float": st.floats(width=32).map(lambda number: struct.pack("<f", number)),
    "double": st.floats().map(lambda number: struct.pack("<d", number)),
    "bytes": st.text(max_size=5).map(str.encode).map(sized),
    "string": st.text(max_size=5).map(str.encode).map(sized),
}


def read_with(reader: Json, writer: Json, content: bytes) -> Any:
    return fastavro.schemaless_reader(io.BytesIO(content), fastavro.parse_schema(writer), fastavro.parse_schema(reader))


def has_no_forward_reference(schema: Json) -> bool:
    """Whether fastavro, which knows no forward references, can be asked at all."""
    try:
        fastavro.parse_schema(schema)
    except UnknownType:
        return False
    return True


@given(VERSIONS.filter(lambda pair: all(map(has_no_forward_reference, pair))), st.data())
@SLOW
def test_what_the_rules_call_readable_is_decoded(pair: tuple[Json, Json], data: Any) -> None:
    old, new = pair
    for writer, reader in ((old, new), (new, old)):
        if parsed(reader).unreadable(parsed(writer)) == ():
            read_with(reader, writer, Bytes(data.draw, writer).of(writer))


def record(*fields: Json) -> Json:
    return {"type": "record", "name": "R", "fields": [{"name": name, "type": type_} for name, type_ in fields]}


def enum(*symbols: str) -> Json:
    return {"type": "enum", "name": "E", "symbols": list(symbols)}


PLAIN_WITNESS = {
    "null": b"",
    "boolean": b"\1",
    "int": zigzag(2**31 - 1),
    "long": zigzag(2**40),
    "float": struct.pack("<f", 1.5),
    "double": struct.pack("<d", 1e300),
    "bytes": sized(b"x"),
    "string": sized(b"x"),
}


def witnesses(schema: Json, named: dict[str, Json]) -> list[bytes]:
    """Values of a schema, enough to meet whatever a reader may stumble over: each branch and each symbol once."""
    if isinstance(schema, list):
        return [zigzag(place) + each for place, branch in enumerate(schema) for each in witnesses(branch, named)]
    if isinstance(schema, str):
        return [PLAIN_WITNESS[schema]] if schema in PLAIN_WITNESS else witnesses(named[schema], named)
    return WITNESSES[schema["type"]](schema, named)


def record_witnesses(schema: Json, named: dict[str, Json]) -> list[bytes]:
    """Each value of each field once, beside the first ones of the others."""
    fields = [witnesses(field["type"], named) for field in schema["fields"]]
    firsts = [field[0] for field in fields]
    others = [[*firsts[:at], each, *firsts[at + 1 :]] for at, field in enumerate(fields) for each in field[1:]]
    return [b"".join(values) for values in [firsts, *others]]


WITNESSES: dict[str, Any] = {
    "record": record_witnesses,
    "enum": lambda schema, _: [zigzag(place) for place in range(len(schema["symbols"]))],
    "fixed": lambda schema, _: [bytes(schema["size"])],
    "array": lambda schema, named: [b"\2" + each + b"\0" for each in witnesses(schema["items"], named)],
    "map": lambda schema, named: [
        zigzag(1) + sized(b"k") + each + b"\0" for each in witnesses(schema["values"], named)
    ],
}


def cannot_be_decoded(reader: Json, writer: Json) -> bool:
    """Whether fastavro fails on a value of the writer."""
    try:
        for content in witnesses(writer, definitions(writer)):
            read_with(reader, writer, content)
    except (SchemaResolutionError, ValueError):
        return True
    return False


def says_no(reader: Json, writer: Json) -> bool:
    """Whether the rules do, other than because Java's own check fails."""
    findings = parsed(reader).unreadable(parsed(writer))
    return bool(findings) and findings[0].kind != "EXCEPTION"


@given(VERSIONS.filter(lambda pair: all(map(has_no_forward_reference, pair))))
@SLOW
def test_what_the_rules_call_unreadable_has_a_value_that_cannot_be_decoded_and_nothing_else_has(
    pair: tuple[Json, Json],
) -> None:
    old, new = pair
    for writer, reader in ((old, new), (new, old)):
        assert says_no(reader, writer) is cannot_be_decoded(reader, writer)


SAMPLES: dict[str, Json] = {
    **{word: word for word in PRIMITIVES},
    "array": {"type": "array", "items": "int"},
    "map": {"type": "map", "values": "int"},
    "record": {"type": "record", "name": "R", "fields": [{"name": "a", "type": "int"}]},
    "a record with another name": {"type": "record", "name": "S", "fields": [{"name": "a", "type": "int"}]},
    "a record in a namespace": {"type": "record", "name": "n.S", "fields": [{"name": "a", "type": "int"}]},
    "a record with an alias": {"type": "record", "name": "X", "aliases": ["R"], "fields": []},
    "a record with another field": {
        "type": "record",
        "name": "R",
        "fields": [{"name": "b", "type": "int"}, {"name": "a", "type": "int"}],
    },
    "a record with a default": {"type": "record", "name": "R", "fields": [{"name": "c", "type": "int", "default": 1}]},
    "a record with a nullable field": {
        "type": "record",
        "name": "R",
        "fields": [{"name": "d", "type": ["null", "int"]}],
    },
    "a record with an alias of a field": {
        "type": "record",
        "name": "R",
        "fields": [{"name": "e", "type": "long", "aliases": ["a", "z"]}],
    },
    "enum": {"type": "enum", "name": "E", "symbols": ["A", "B"]},
    "an enum with fewer symbols": {"type": "enum", "name": "E", "symbols": ["A"]},
    "an enum with a default": {"type": "enum", "name": "E", "symbols": ["A"], "default": "A"},
    "an enum with more symbols and a default": {
        "type": "enum",
        "name": "E",
        "symbols": ["A", "B", "C"],
        "default": "C",
    },
    "an enum with an alias": {"type": "enum", "name": "Y", "aliases": ["E"], "symbols": ["B", "A"]},
    "fixed": {"type": "fixed", "name": "F", "size": 1},
    "a longer fixed": {"type": "fixed", "name": "F", "size": 2},
    "a fixed with an alias": {"type": "fixed", "name": "Z", "aliases": ["F"], "size": 1},
    "a union of numbers": ["int", "long"],
    "a nullable text": ["null", "string"],
    "a union of all kinds": ["double", {"type": "array", "items": "long"}, {"type": "fixed", "name": "F", "size": 1}],
}
PLACES: dict[str, Any] = {
    "alone": lambda type_: type_,
    "in an array": lambda type_: {"type": "array", "items": type_},
    "in a map": lambda type_: {"type": "map", "values": type_},
    "in a field": lambda type_: {"type": "record", "name": "Outer", "fields": [{"name": "a", "type": type_}]},
}


@pytest.mark.parametrize("reader", SAMPLES.values(), ids=SAMPLES.keys())
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
def test_every_kind_reads_just_those_kinds_whose_values_it_can_decode(reader: Json, place: Any) -> None:
    reads = {name for name, writer in SAMPLES.items() if not says_no(place(reader), place(writer))}
    assert reads == {name for name, writer in SAMPLES.items() if not cannot_be_decoded(place(reader), place(writer))}


# Another name alone changes no bytes, so that no value shows it; every other kind of finding is here.
UNDECODABLE = [
    ("a field without default", record(("a", "int"), ("b", "string")), record(("a", "int")), {"a": 1}),
    ("another type", "int", "string", "x"),
    ("a narrower type", "int", "long", 2**40),
    ("another type in a field", record(("a", "int")), record(("a", "string")), {"a": "x"}),
    ("another type in a list", {"type": "array", "items": "int"}, {"type": "array", "items": "string"}, ["x"]),
    ("another type in a map", {"type": "map", "values": "int"}, {"type": "map", "values": "string"}, {"k": "x"}),
    ("a symbol that is gone", enum("A"), enum("A", "B"), "B"),
    ("a branch that is gone", ["null", "int"], ["null", "string"], "x"),
    ("null where none is allowed", "int", ["null", "int"], None),
    ("another size", {"type": "fixed", "name": "F", "size": 1}, {"type": "fixed", "name": "F", "size": 2}, b"xx"),
]


@pytest.mark.parametrize(
    ("reader", "writer", "value"), [case[1:] for case in UNDECODABLE], ids=[c[0] for c in UNDECODABLE]
)
def test_what_the_rules_call_unreadable_has_values_that_cannot_be_decoded(
    reader: Json, writer: Json, value: Any
) -> None:
    assert parsed(reader).unreadable(parsed(writer))
    buffer = io.BytesIO()
    fastavro.schemaless_writer(buffer, fastavro.parse_schema(writer), value)
    with pytest.raises((SchemaResolutionError, ValueError)):
        read_with(reader, writer, buffer.getvalue())
