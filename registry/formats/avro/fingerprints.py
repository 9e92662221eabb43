"""The parsing canonical form of a schema and its fingerprints, as the Avro specification defines them."""

from __future__ import annotations

import hashlib
from typing import Final

from registry.formats.avro.trampoline import Task, run
from registry.formats.avro.types import Array, Enum, Fixed, Map, Named, Node, Record, Union

_EMPTY: Final = 0xC15D213AA4D7A795


# Each byte's share of the CRC, so that a text takes one step for each byte.
def _table() -> tuple[int, ...]:
    entries = []
    for byte in range(256):
        entry = byte
        for _ in range(8):
            entry = (entry >> 1) ^ (_EMPTY if entry & 1 else 0)
        entries.append(entry)
    return tuple(entries)


_TABLE: Final = _table()


def parsing_form(node: Node) -> str:
    """The parsing canonical form: full names, no docs, no defaults, no properties."""
    out: list[str] = []
    run(_write(node, out, set()))
    return "".join(out)


def crc64(form: str) -> bytes:
    """CRC-64-AVRO of a parsing canonical form, 8 bytes little-endian as single-object encoding has them."""
    crc = _EMPTY
    for byte in form.encode("utf-8", "replace"):
        crc = (crc >> 8) ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc.to_bytes(8, "little")


def md5(form: str) -> bytes:
    """MD5 of a parsing canonical form, 16 bytes."""
    return hashlib.md5(form.encode("utf-8", "replace"), usedforsecurity=False).digest()


def sha256(form: str) -> bytes:
    """SHA-256 of a parsing canonical form, 32 bytes."""
    return hashlib.sha256(form.encode("utf-8", "replace")).digest()


def _write(node: Node, out: list[str], known: set[str]) -> Task[None]:
    # Names and symbols are written without escapes, as Java does; strict names need none.
    if isinstance(node, Named):
        if node.name.full in known:
            out.append(f'"{node.name.full}"')
        else:
            known.add(node.name.full)
            yield _write_named(node, out, known)
    elif isinstance(node, Union):
        yield _write_union(node, out, known)
    elif isinstance(node, Array | Map):
        key = "items" if isinstance(node, Array) else "values"
        out.append(f'{{"type":"{node.label}","{key}":')
        yield _write(node.below[0], out, known)
        out.append("}")
    else:
        out.append(f'"{node.label}"')


def _write_union(node: Union, out: list[str], known: set[str]) -> Task[None]:
    out.append("[")
    for index, branch in enumerate(node.branches):
        out.append("," if index else "")
        yield _write(branch, out, known)
    out.append("]")


def _write_named(node: Named, out: list[str], known: set[str]) -> Task[None]:
    out.append(f'{{"name":"{node.name.full}","type":"{node.kind.lower()}"')
    if isinstance(node, Enum):
        symbols = ",".join(f'"{symbol}"' for symbol in node.symbols)
        out.append(f',"symbols":[{symbols}]')
    if isinstance(node, Fixed):
        out.append(f',"size":{node.size}')
    if isinstance(node, Record):
        out.append(',"fields":[')
        for index, field in enumerate(node.fields.values()):
            out.append(f'{"," if index else ""}{{"name":"{field.name}","type":')
            yield _write(field.type, out, known)
            out.append("}")
        out.append("]")
    out.append("}")
