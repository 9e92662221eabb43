"""Numbers, booleans and versions as Java reads them."""

import pytest

from registry.api.parameters import java_boolean, java_int, read_version
from registry.errors import InvalidVersion


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", 1),
        ("+1", 1),
        ("-1", -1),
        ("01", 1),
        ("0", 0),
        ("2147483647", 2**31 - 1),
        ("-2147483648", -(2**31)),
        ("\u0661", 1),
    ],
)
def test_a_java_int_is_read(text: str, number: int) -> None:
    assert java_int(text) == number


@pytest.mark.parametrize(
    "text", ["", " 1", "1 ", "1_0", "1.0", "0x1", "2147483648", "-2147483649", "+", "a", "9" * 5000]
)
def test_anything_else_is_no_java_int(text: str) -> None:
    with pytest.raises(ValueError, match="not a 32-bit number"):
        java_int(text)


@pytest.mark.parametrize(
    ("text", "truth"),
    [("true", True), ("TRUE", True), ("True", True), ("", False), ("1", False), ("yes", False), (" true", False)],
)
def test_only_the_word_true_is_true(text: str, truth: bool) -> None:
    assert java_boolean(text) is truth


@pytest.mark.parametrize(
    ("text", "version"),
    [("1", 1), ("+1", 1), ("01", 1), (" 2 ", 2), ("-1", -1), ("latest", -1), ("LATEST", -1), (" Latest ", -1)],
)
def test_a_version_is_read(text: str, version: int) -> None:
    assert read_version(text) == version


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("0", "0"),
        ("-2", "-2"),
        ("newest", "newest"),
        ("1_0", "1_0"),
        ("2147483648", "2147483648"),
        ("00", "0"),
        (" x ", " x "),
    ],
)
def test_no_other_version_is_read(text: str, shown: str) -> None:
    with pytest.raises(InvalidVersion, match=f"The specified version '{shown}' is not a valid version id"):
        read_version(text)
