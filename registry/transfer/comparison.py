"""What a source and a store say differently, thing by thing.

Owns which differences contradict each other and in which only one side is ahead; refuses to know where states come
from and what is done about them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from msgspec.structs import replace

from registry.records import Key, NoopKey, Record, SchemaKey, SchemaValue, Value
from registry.state import State
from registry.transfer.facts import Fact, facts, ordered_facts
from registry.transfer.names import name_of, owner_of


class Difference(NamedTuple):
    """A thing about which source and store differ: the subject (or context) that it belongs to, and one sentence."""

    about: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """The differences between a source and a store.

    missing: what the store does not have; ahead: what the source has changed since, if it is the newer one;
    contradictions: what cannot both be right; extra: what only the store has.
    """

    missing: list[Fact] = field(default_factory=list)
    ahead: list[tuple[Fact, Difference]] = field(default_factory=list)
    contradictions: list[Difference] = field(default_factory=list)
    extra: list[Difference] = field(default_factory=list)

    def listed(self) -> list[Difference]:
        """All differences, those of a subject together."""
        missing = [_difference(fact.record.key, "is in the source only") for fact in self.missing]
        ahead = [difference for _, difference in self.ahead]
        return sorted([*missing, *ahead, *self.contradictions, *self.extra])

    @property
    def agrees(self) -> bool:
        """Whether the store holds all that the source holds, and nothing that contradicts it."""
        return not (self.missing or self.ahead or self.contradictions)


def compare(source: State, store: State) -> Comparison:
    """Compare all that two states hold, both in outline; the highest ids are left to the caller."""
    found = Comparison()
    ours = {fact.record.key: fact.record.value for fact in facts(store)}
    for fact in facts(source):
        key, value = fact.record.key, fact.record.value
        here = ours.pop(key, None)
        # Of two highest ids the higher one is right, so they are no difference.
        if here == value or isinstance(key, NoopKey):
            continue
        if isinstance(key, SchemaKey) and isinstance(value, SchemaValue):
            _compare_version(found, fact, key, value, here, store)
        elif here is None:
            found.missing.append(fact)
        else:
            shown = f"{_value_text(fact.record)} in the source and {_value_text(Record(key, here))} in the store"
            found.ahead.append((fact, _difference(key, f"is {shown}")))
    found.extra.extend(_difference(key, "is in the store only") for key in ours if not isinstance(key, NoopKey))
    if found.missing:
        # Only what is to be written has to be in an order, which takes more memory than all the rest.
        missing = {fact.record.key for fact in found.missing}
        found.missing[:] = [fact for fact in ordered_facts(source) if fact.record.key in missing]
    return found


def _compare_version(
    found: Comparison, fact: Fact, key: SchemaKey, value: SchemaValue, here: Value | None, store: State
) -> None:
    if isinstance(here, SchemaValue):
        if here.id != value.id:
            sentence = f"is id {value.id} in the source and id {here.id} in the store"
            found.contradictions.append(_difference(key, sentence))
        elif replace(here, deleted=value.deleted) != value:
            found.contradictions.append(_difference(key, f"(id {value.id}) says something else in the store"))
        elif value.deleted:
            found.ahead.append((fact, _difference(key, "is deleted in the source and live in the store")))
        else:
            # Nothing ever brings a deleted version back, so the source is the older one or another registry.
            found.contradictions.append(_difference(key, "is live in the source and deleted in the store"))
        return
    held = store.holding(key.subject.context, value.id)
    if held is not None and held.content.schema.text != value.schema.text:
        found.contradictions.append(_difference(key, f"has id {value.id}, which means another schema in the store"))
    else:
        found.missing.append(fact)


def _difference(key: Key, predicate: str) -> Difference:
    return Difference(owner_of(key), f"{name_of(key)} {predicate}")


def _value_text(record: Record) -> str:
    return (record.entry().value or b"").decode()
