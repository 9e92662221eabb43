"""Classes in the place of dictionaries: dataclasses, pydantic models and msgspec Structs."""

import dataclasses
import json
import math
import time
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Annotated, ClassVar
from uuid import UUID, uuid4

import msgspec
import pydantic
import pytest

from serdes import AvroDeserializer, AvroSerializer, MessageField, SchemaRegistryClient, SerializationContext
from serdes.errors import CorruptPayload, EncodeError, SettingInvalid
from serdes.models import Avro, schema_for

VALUE = SerializationContext("orders", MessageField.VALUE)
Money = Annotated[Decimal, Avro({"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2})]


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Size(Enum):
    SMALL = 1
    LARGE = 2


@dataclasses.dataclass
class Line:
    sku: str
    price: float
    colour: Colour = Colour.RED


@dataclasses.dataclass
class Gift:
    message: str


@dataclasses.dataclass
class Order:
    id: int
    customer: str | None
    lines: list[Line]
    extra: Line | Gift | None = None
    size: Size = Size.SMALL
    tags: dict[str, int] = dataclasses.field(default_factory=dict)
    placed: datetime = datetime(2026, 1, 2, tzinfo=UTC)
    total: Money = Decimal("0.00")


class OrderModel(pydantic.BaseModel):
    id: int
    customer: str | None = None
    due: date
    lines: list["LineModel"] = []


class LineModel(pydantic.BaseModel):
    sku: str
    count: int = 1


class OrderStruct(msgspec.Struct):
    id: UUID
    customer: str | None = None
    codes: list[bytes] = []


@dataclasses.dataclass
class Parcel:
    """With what dataclasses.fields does not tell, and what the constructor does not take."""

    id: int
    weight: dataclasses.InitVar[float] = 1.0
    carrier: ClassVar[str] = "post"
    heavy: bool = dataclasses.field(init=False, default=False)

    def __post_init__(self, weight):
        self.heavy = weight > 30


class Aliased(pydantic.BaseModel):
    id: int = pydantic.Field(alias="orderId")
    customer: str | None = pydantic.Field(None, validation_alias="the-customer")


class AliasedByName(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(alias_generator=str.upper, populate_by_name=True)
    id: int


OrderModel.model_rebuild()
OBJECTS = [
    Order(1, "Ada", [Line("a", 1.5), Line("b", 2.0, Colour.BLUE)], Gift("hello"), Size.LARGE, {"x": 1}),
    Order(2, None, [], Line("c", 0.5), total=Decimal("12.34")),
    Order(3, "", [], None),
    OrderModel(id=1, customer="Ada", due=date(2026, 3, 4), lines=[LineModel(sku="a"), LineModel(sku="b", count=2)]),
    OrderModel(id=2, due=date(2026, 3, 4)),
    OrderStruct(UUID(int=7), "Ada", [b"a", b""]),
    OrderStruct(UUID(int=8)),
    Parcel(9),
    Aliased(orderId=10),
    AliasedByName(id=11),
]


@pytest.fixture
def client(url):
    with SchemaRegistryClient({"url": url}) as opened:
        yield opened


@pytest.mark.parametrize("codegen", ["auto", "off"])
@pytest.mark.parametrize("thing", OBJECTS, ids=lambda thing: f"{type(thing).__name__}-{thing.id}")
def test_an_object_comes_back_as_an_equal_object(client, thing, codegen):
    serializer = AvroSerializer.for_type(type(thing), client, conf={"codegen": codegen})
    deserializer = AvroDeserializer.for_type(type(thing), client, conf={"codegen": codegen})
    assert deserializer(serializer(thing, VALUE), VALUE) == thing


@pytest.mark.parametrize("thing", OBJECTS, ids=lambda thing: f"{type(thing).__name__}-{thing.id}")
def test_generated_code_writes_what_fastavro_writes(client, thing):
    quick, plain = (
        AvroSerializer.for_type(type(thing), client, conf={"codegen": codegen}) for codegen in ("auto", "off")
    )
    assert quick(thing, VALUE) == plain(thing, VALUE)
    assert "fallbacks" not in client.stats()


def test_the_schema_of_a_class_tells_names_types_and_defaults():
    text, _ = schema_for(Line, "com.acme")
    assert json.loads(text) == {
        "type": "record",
        "name": "com.acme.Line",
        "fields": [
            {"name": "sku", "type": "string"},
            {"name": "price", "type": "double"},
            {
                "name": "colour",
                "type": {"type": "enum", "name": "com.acme.Colour", "symbols": ["red", "blue"]},
                "default": "red",
            },
        ],
    }


@dataclasses.dataclass
class Measured:
    """Defaults that JSON cannot say, and some that are others each time."""

    lowest: float = math.inf
    mean: float = math.nan
    name: str = dataclasses.field(default_factory=lambda: str(uuid4()))
    at: float = dataclasses.field(default_factory=time.time)
    values: list[float] = dataclasses.field(default_factory=list)


class MeasuredModel(pydantic.BaseModel):
    lowest: float = math.inf
    mean: float = math.nan
    name: str = pydantic.Field(default_factory=lambda: str(uuid4()))
    at: float = pydantic.Field(default_factory=lambda told: told["mean"])
    values: list[float] = pydantic.Field(default_factory=lambda: [*()])


class MeasuredStruct(msgspec.Struct):
    lowest: float = math.inf
    mean: float = math.nan
    name: str = msgspec.field(default_factory=lambda: str(uuid4()))
    at: float = msgspec.field(default_factory=time.time)
    values: list[float] = []


@pytest.mark.parametrize("model", [Measured, MeasuredModel, MeasuredStruct])
def test_a_schema_has_only_those_defaults_that_stay_the_same(model):
    told = {field["name"]: field for field in json.loads(schema_for(model)[0])["fields"]}
    assert [name for name, field in told.items() if "default" in field] == ["values"]


@dataclasses.dataclass
class LineTwo:
    sku: str
    colour: Colour = Colour.RED
    count: int = 5


def test_an_older_record_gets_the_defaults_of_the_class(client):
    LineTwo.__name__ = "Line"
    written = AvroSerializer.for_type(Line, client)(Line("a", 1.5, Colour.BLUE), VALUE)
    assert AvroDeserializer.for_type(LineTwo, client)(written, VALUE) == LineTwo("a", Colour.BLUE, 5)


def test_a_subclass_is_written_as_what_it_is_derived_from(client):
    @dataclasses.dataclass
    class Special(Line):
        pass

    serializer = AvroSerializer.for_type(Line, client)
    assert serializer(Special("a", 1.0), VALUE) == serializer(Line("a", 1.0), VALUE)


def test_an_attribute_that_does_not_fit_is_named(client):
    serializer = AvroSerializer.for_type(Order, client)
    with pytest.raises(EncodeError) as failure:
        serializer(Order(1, None, [Line("a", "expensive")]), VALUE)
    assert (failure.value.path, failure.value.expected, failure.value.value_type) == ("lines[0].price", "double", "str")


@dataclasses.dataclass
class NoAvro:
    amount: Decimal


@dataclasses.dataclass
class Empty:
    pass


class Progress(StrEnum):
    RUNNING = "in-progress"


@dataclasses.dataclass
class NoSymbol:
    progress: Progress


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (NoAvro, "NoAvro.amount: Decimal has no Avro type"),
        (NoSymbol, "NoSymbol.progress: 'in-progress' of Progress is no symbol"),
        (Empty, "no dataclass"),
    ],
)
def test_a_class_without_a_schema_is_refused(model, said):
    with pytest.raises(SettingInvalid, match=said):
        schema_for(model)


@dataclasses.dataclass
class Moment:
    when: date | datetime
    amount: float | int


@pytest.mark.parametrize("codegen", ["auto", "off"])
@pytest.mark.parametrize("when", [date(2024, 1, 1), datetime(2024, 1, 1, 12, tzinfo=UTC)])
@pytest.mark.parametrize("amount", [1.5, (1 << 53) + 1])
def test_no_value_is_written_as_a_wider_type_that_loses_a_part_of_it(client, codegen, when, amount):
    conf = {"codegen": codegen}
    data = AvroSerializer.for_type(Moment, client, conf=conf)(Moment(when, amount), VALUE)
    assert AvroDeserializer.for_type(Moment, client, conf=conf)(data, VALUE) == Moment(when, amount)


class Refusing(pydantic.BaseModel):
    count: Annotated[int, pydantic.Field(le=5)]


@dataclasses.dataclass
class RefusingToo:
    count: int

    def __post_init__(self):
        if self.count > 5:
            raise ValueError("count: Input should be less than or equal to 5")


@pytest.mark.parametrize("codegen", ["auto", "off"])
@pytest.mark.parametrize("kind", [Refusing, RefusingToo])
def test_a_class_that_does_not_take_a_record_says_why_in_one_line_without_the_data(client, kind, codegen):
    schema, _ = schema_for(kind)
    data = AvroSerializer(client, schema)({"count": 987}, VALUE)
    with pytest.raises(CorruptPayload) as failure:
        AvroDeserializer.for_type(kind, client, conf={"codegen": codegen})(data, VALUE)
    assert str(failure.value) == (
        f"{kind.__name__} does not take what was written: count: Input should be less than or equal to 5"
    )


@pytest.mark.parametrize("serde", [AvroSerializer, AvroDeserializer])
def test_an_object_in_the_place_of_a_class_is_told(client, serde):
    for model, kind in ((NoAvro(Decimal(1)), "NoAvro"), (client, "SchemaRegistryClient")):
        with pytest.raises(SettingInvalid, match=f"takes a class and then the client, not an object of {kind}"):
            serde.for_type(model, NoAvro)


def test_an_annotation_that_names_what_its_module_does_not_define_is_refused(client):
    local = dataclasses.make_dataclass("Local", [("line", "Nowhere")])
    with pytest.raises(SettingInvalid, match="Local: name 'Nowhere' is not defined"):
        AvroSerializer.for_type(local, client)
