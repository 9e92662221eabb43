import inspect
import pickle
import re

import pytest

from serdes import errors
from serdes.errors import SerdesError

LEAVES = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, SerdesError)]
SAMPLES = [
    errors.EncodeError("no", root="Order", path="lines[0].price", expected="double", value_type="str"),
    errors.FramingError("no"),
    errors.UnknownSchemaId(5, "gone"),
    errors.TrailingData(3),
    errors.PoisonStorm(60, 100),
    errors.RegistryTimedOut("slow"),
    errors.RegistryRedirected(302, "http://elsewhere"),
    errors.SchemaIdReused(7),
    errors.refusal(409, 40901, "incompatible"),
]


def test_the_tree_in_the_docstring_is_complete():
    assert set(re.findall(r"[│├└─ ]*([A-Z]\w+)", errors.__doc__.split("Owns")[0])) >= {kind.__name__ for kind in LEAVES}


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, -1, errors.AuthError),
        (403, 40301, errors.AuthError),
        (404, 40401, errors.SubjectNotFound),
        (404, 40402, errors.VersionNotFound),
        (404, 40403, errors.SchemaNotFound),
        (404, 404, errors.RegistryError),
        (409, 40901, errors.IncompatibleSchema),
        (422, 42201, errors.InvalidSchema),
        (418, -1, errors.RegistryError),
    ],
)
def test_a_refusal_is_found_by_code_then_by_status(status, code, kind):
    error = errors.refusal(status, code, "said")
    assert (type(error), error.http_status_code, error.error_code, error.error_message) == (kind, status, code, "said")


@pytest.mark.parametrize("error", SAMPLES, ids=lambda error: type(error).__name__)
def test_an_error_survives_pickling(error):
    error.at("orders", "value", 9)
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.__dict__) == (type(error), str(error), error.__dict__)


@pytest.mark.parametrize(
    ("error", "retriable"), [(errors.RegistryTimedOut("x"), True), (errors.FramingError("x"), False)]
)
def test_an_error_says_whether_trying_again_can_help(error, retriable):
    assert error.retriable is retriable


def test_no_error_is_a_type_error():
    assert not [kind for kind in LEAVES if issubclass(kind, TypeError)]


def test_the_first_place_that_is_known_stays():
    error = errors.FramingError("x").at("orders", "key", 1).at("others", "value", 2)
    assert (error.topic, error.field, error.schema_id) == ("orders", "key", 1)
