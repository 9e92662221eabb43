"""How the value of a configuration key is checked, and how a class of settings is read from a configuration."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field, dataclass, fields
from difflib import get_close_matches
from math import inf
from pathlib import Path
from threading import TIMEOUT_MAX
from typing import Any, ClassVar, Self

from serdes.errors import SettingInvalid
from serdes.subjects import CLUSTER_ID, FALLBACK_TYPE, SubjectNameStrategyType

_HIGHEST_ID = 0xFFFFFFFF

NAMED_STRATEGIES = tuple(kind for kind in SubjectNameStrategyType if kind is not SubjectNameStrategyType.NONE)

Conf = Mapping[str, Any]
Check = Callable[[str, Any], Any]


def flag(key: str, value: Any) -> bool:
    """True or False, nothing that resembles them."""
    if not isinstance(value, bool):
        raise SettingInvalid(f"{key} must be a boolean value, not {value!r}")
    return value


def text(key: str, value: Any) -> str:
    """A text."""
    if not isinstance(value, str):
        raise SettingInvalid(f"{key} must be a text, not {type(value).__name__}")
    return value


def text_or_false(key: str, value: Any) -> str | bool:
    """A text, or False."""
    return False if value is False else text(key, value)


def number(key: str, value: Any) -> float:
    """A number of at least 0."""
    # Put this way round it refuses a NaN, which compares with nothing.
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0:
        raise SettingInvalid(f"{key} must be a number of at least 0, not {value!r}")
    return value


def number_or_none(key: str, value: Any) -> float | None:
    """A number of at least 0, or None for no limit."""
    return None if value is None else number(key, value)


def wait_seconds(key: str, value: Any) -> float:
    """Seconds that a thread can wait: a number of at least 0, and no infinity."""
    if number(key, value) > TIMEOUT_MAX:
        raise SettingInvalid(f"{key} must be at most {TIMEOUT_MAX:.0f} seconds, not {value!r}")
    return float(value)


def count(key: str, value: Any) -> int:
    """A whole number of at least 0; of a fraction its whole part."""
    if number(key, value) == inf:
        raise SettingInvalid(f"{key} must be a number that ends, not {value!r}")
    return int(value)


def at_least_one(key: str, value: Any) -> int:
    """A whole number of at least 1."""
    if count(key, value) < 1:
        raise SettingInvalid(f"{key} must be at least 1, not {value!r}")
    return int(value)


def folder(key: str, value: Any) -> Path:
    """A folder's path, as text or as a Path; it need not be there yet."""
    if not isinstance(value, (str, Path)):
        raise SettingInvalid(f"{key} must be a path, not {type(value).__name__}")
    return Path(value)


def texts(key: str, value: Any) -> str:
    """A text, or a list of texts, which are joined with commas."""
    return ",".join(text(key, item) for item in value) if isinstance(value, (list, tuple)) else text(key, value)


def schema_id(key: str, value: Any) -> int:
    """A whole number that fits into the four bytes which a record has for it."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _HIGHEST_ID:
        raise SettingInvalid(f"{key} must be an int value from 0 to {_HIGHEST_ID}, not {value!r}")
    return value


def pairs(key: str, value: Any) -> Mapping[str, Any]:
    """A dictionary."""
    if not isinstance(value, Mapping):
        raise SettingInvalid(f"{key} must be a dict value, not {type(value).__name__}")
    return value


def text_pairs(key: str, value: Any) -> Mapping[str, str]:
    """A dictionary of texts."""
    if not all(isinstance(one, str) for pair in pairs(key, value).items() for one in pair):
        raise SettingInvalid(f"{key} must have texts as keys and values")
    return pairs(key, value)


def function(key: str, value: Any) -> Callable[..., Any]:
    """Something that can be called."""
    if not callable(value):
        raise SettingInvalid(f"{key} must be callable, not {type(value).__name__}")
    return value  # type: ignore[no-any-return]  # callable() tells nothing about the signature


def strategy(key: str, value: Any) -> Callable[..., Any]:
    """A function that names subjects; Java's client takes the name of a class here."""
    if isinstance(value, str):
        raise SettingInvalid(f"{key} must be callable, not str; {key}.type takes one of {', '.join(NAMED_STRATEGIES)}")
    return function(key, value)


def strategy_type(*choices: SubjectNameStrategyType) -> Check:
    """The name of one of some strategies, in any case."""

    def check(key: str, value: Any) -> SubjectNameStrategyType:
        word = str(getattr(value, "value", value)).upper()
        if word not in choices:
            raise SettingInvalid(f"{key} must be one of {', '.join(choices)}, not {value!r}")
        return SubjectNameStrategyType(word)

    return check


_fallback_type = strategy_type(
    SubjectNameStrategyType.TOPIC,
    SubjectNameStrategyType.RECORD,
    SubjectNameStrategyType.TOPIC_RECORD,
    SubjectNameStrategyType.NONE,
)


def associated_conf(key: str, value: Any) -> Mapping[str, Any]:
    """What the associated strategy is told: the id of the Kafka cluster, and the strategy for other topics."""
    told = {name: said for name, said in pairs(key, value).items() if said is not None}
    for name, check in ((CLUSTER_ID, text), (FALLBACK_TYPE, _fallback_type)):
        if name in told:
            told[name] = check(name, told[name])
    return told


def anything(_key: str, value: Any) -> Any:
    """Whatever is given."""
    return value


def one_of(*choices: str) -> Check:
    """One of some words."""

    def check(key: str, value: Any) -> str:
        word = getattr(value, "value", value)
        if word not in choices:
            raise SettingInvalid(f"{key} must be one of {', '.join(choices)}, not {value!r}")
        return str(word)

    return check


def key(name: str, check: Check, meaning: str) -> Mapping[str, Any]:
    """What stands beside a field: the key that fills it, the check of its value, one sentence."""
    return {"key": name, "check": check, "meaning": meaning}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the three kinds of settings share."""

    of_whom: ClassVar[str] = ""
    """Who takes these keys; nobody takes those alone that others share."""

    @classmethod
    def read(cls, conf: Conf | None) -> Self:
        """The settings that a configuration means.

        Raises SettingInvalid when a key is unknown or its value is not of the right kind.
        """
        if conf is not None and not isinstance(conf, Mapping):
            raise SettingInvalid(f"a configuration must be a dictionary of keys, not {type(conf).__name__}")
        known = cls.known()
        unknown = [str(key) for key in conf or {} if key not in known]
        if unknown:
            raise SettingInvalid(f"Unrecognized properties: {', '.join(map(cls._unrecognized, unknown))}")
        return cls(**{known[key].name: known[key].metadata["check"](key, value) for key, value in _given(conf, known)})

    @classmethod
    def known(cls) -> dict[str, Field[Any]]:
        """The fields by their keys."""
        return {one.metadata["key"]: one for one in fields(cls)}

    @classmethod
    def _unrecognized(cls, key: str) -> str:
        """A key that is unknown here, and what was probably meant by it."""
        takers = [kind.of_whom for kind in _kinds(Settings) if kind.of_whom and key in kind.known()]
        close = get_close_matches(key, cls.known(), n=1, cutoff=0.8)
        hint = f"a key of {' and '.join(takers)}" if takers else f"did you mean {close[0]}?" if close else ""
        return f"{key} ({hint})" if hint else key


def _kinds(kind: type[Settings]) -> Iterator[type[Settings]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _kinds(below)


def _given(conf: Conf | None, known: Mapping[str, Field[Any]]) -> Iterator[tuple[str, Any]]:
    """The keys that say something: None is "not set", except where it means "no limit"."""
    for key, value in (conf or {}).items():
        if value is not None or known[key].metadata["check"] is number_or_none:
            yield key, value
