"""Checks what a store promises: nothing missing, nothing said twice, nothing that refers to nowhere.

Owns which findings there are; refuses to mend any of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

from msgspec.structs import replace

from registry.envelope import Logged
from registry.log.protocol import History
from registry.model import Schema, guid_text
from registry.records import Record, SchemaKey, SchemaValue, UnreadableRecordError, read_record
from registry.state import State
from registry.transfer.names import owner_of
from registry.transfer.outlines import outlined


@dataclass(slots=True)
class Verification:
    """What was found while a log was read from its beginning to its end.

    state: what the records add up to, in outline; findings: one sentence for each thing that should not be;
    out_of_order: how many versions came after a higher one of their subject, as they do in imports and in compacted
    topics.
    """

    uuid: UUID
    state: State = field(default_factory=State)
    end: int = 0
    records: int = 0
    out_of_order: int = 0
    findings: list[str] = field(default_factory=list)

    def take(self, logged: Logged) -> None:
        """Check a record against all before it, and take it in."""
        place = f"Position {logged.position}"
        if logged.position != self.end + 1:
            self.findings.append(f"{place} follows position {self.end}")
        self.end = logged.position
        self.records += 1
        try:
            record = outlined(read_record(logged.key, logged.value))
        except UnreadableRecordError as reason:
            self.findings.append(f"{place} cannot be read: {reason}")
            return
        self._check_version(place, record)
        conflicts = self.state.conflicting_records
        self.state.apply([record], logged.author, logged.timestamp_ms)
        if self.state.conflicting_records > conflicts:
            self.findings.append(f"{place} binds an id to another schema than the one that it means")

    # The one way in which an acknowledged version gets lost without a trace: two writers chose the same number.
    def _check_version(self, place: str, record: Record) -> None:
        if not (isinstance(record.key, SchemaKey) and isinstance(record.value, SchemaValue)):
            return
        subject, version = record.key.subject, record.key.version
        rows = self.state.rows(subject)
        row = self.state.row(subject, version)
        if row is None:
            self.out_of_order += bool(rows) and rows[-1].version > version
        elif (row.id, row.content.schema) != (record.value.id, record.value.schema):
            self.findings.append(
                f"{place} replaces version {version} of {owner_of(record.key)}, which was id {row.id},"
                f" by id {record.value.id}"
            )


async def verify(history: History) -> Verification:
    """Read a log from its beginning, and check it record by record and as a whole."""
    found = Verification(history.uuid)
    async for batch in history.read(0):
        for logged in batch.entries:
            found.take(logged)
    if damage := await history.damage():
        found.findings.append(f"The file is damaged: {damage}")
    found.findings.extend(_dangling(found.state))
    found.findings.extend(_ambiguous_guids(found.state))
    return found


def _dangling(state: State) -> Iterator[str]:
    for subject in state.subjects():
        for row in state.rows(subject):
            targets = list(state.targets(subject, row.content.schema))
            referrer = f"Version {row.version} of {owner_of(SchemaKey(subject, row.version))}"
            if len(targets) < len(row.content.schema.references):
                yield f"{referrer} has a reference without a subject or a version"
            for target in targets:
                if state.row(target.subject, target.version) is None:
                    yield f"{referrer} refers to version {target.version} of {owner_of(target)}, which is not there"


def _ambiguous_guids(state: State) -> Iterator[str]:
    meanings: dict[bytes, Schema] = {}
    for subject in state.subjects():
        for row in state.rows(subject):
            schema, guid = row.content.schema, row.content.guid
            # The type is not hashed, so it may differ.
            if replace(meanings.setdefault(guid, schema), type=schema.type) != schema:
                yield f"The GUID {guid_text(guid)} means two schemas, one of them version {row.version} of {subject}"
