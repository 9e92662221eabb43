"""What answers leave out for clients that refuse members they do not know: Confluent's for Java before 6.1.2.

Owns which members those clients know, by route, from Confluent's registry before 7.4. An answer with metadata or rules
stays whole: they hold for whoever writes with the schema, and to hide them would be worse than to be refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

VERSION: Final = frozenset({"subject", "version", "id", "schemaType", "schema", "references"})
KNOWN: Final[Mapping[tuple[str, str], frozenset[str]]] = {
    ("POST", "/subjects/{subject}/versions"): frozenset({"id"}),
    ("POST", "/subjects/{subject}"): VERSION,
    ("GET", "/subjects/{subject}/versions/{version}"): VERSION,
    ("GET", "/schemas"): VERSION,
    # The last three are there for those alone who ask for them.
    ("GET", "/schemas/ids/{id}"): frozenset({"schemaType", "schema", "references", "maxId", "schemaTags", "subjects"}),
}
"""The members that are known of an answer with a schema, by method and path."""


def shortened(content: Any, known: frozenset[str]) -> Any:
    """An answer, or each of a list, with the members that are known; no language says Avro, as it did."""
    if isinstance(content, list):
        return [shortened(one, known) for one in content]
    # What has no GUID is no schema, but a refusal or the outcome of a dry run.
    if "guid" not in content or content.keys() & {"metadata", "ruleSet"}:
        return content
    return {name: value for name, value in content.items() if name in known and (name, value) != ("schemaType", "AVRO")}
