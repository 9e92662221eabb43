"""What each route needs: a right, and where.

The one table of authorisation: method and template of a route to its need. A route without a row is not served; what
else an answer could show (lists, ids, GUIDs, references) is hidden where it is looked up, see operations/sight.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final, NamedTuple

from registry.auth.permissions import Right


class Place(Enum):
    """Where a right is needed."""

    NOWHERE = auto()
    """Any user will do; the answer shows nothing that is hidden from them."""
    SUBJECT = auto()
    """On the subject of the path."""
    SETTINGS = auto()
    """On the subject of the path, or on every subject of the context that it names."""
    CONTEXT = auto()
    """On every subject of the context of the path."""
    EVERYTHING = auto()
    """On every subject of every context."""


class Need(NamedTuple):
    """A right at a place; without a right any user will do."""

    right: Right | None = None
    place: Place = Place.NOWHERE


A_USER: Final = Need()
READ: Final = Need(Right.READ, Place.SUBJECT)
WRITE: Final = Need(Right.WRITE, Place.SUBJECT)
DELETE: Final = Need(Right.DELETE, Place.SUBJECT)
READ_SETTINGS: Final = Need(Right.READ, Place.SETTINGS)
CHANGE_SETTINGS: Final = Need(Right.ADMIN, Place.SETTINGS)
CHANGE_CONTEXT: Final = Need(Right.ADMIN, Place.CONTEXT)
CHANGE_EVERYTHING: Final = Need(Right.ADMIN, Place.EVERYTHING)
READ_EVERYTHING: Final = Need(Right.READ, Place.EVERYTHING)

OPEN: Final = frozenset({b"/health/live", b"/health/ready"})
"""Raw paths that are answered to anybody: probes have no credentials, and nothing of the registry shows there."""

NEEDS: Final[Mapping[tuple[str, str], Need]] = {
    ("GET", "/"): A_USER,
    ("POST", "/"): A_USER,
    ("GET", "/schemas"): A_USER,
    ("GET", "/schemas/types"): A_USER,
    ("GET", "/schemas/ids/{id}"): A_USER,
    ("GET", "/schemas/ids/{id}/schema"): A_USER,
    ("GET", "/schemas/ids/{id}/subjects"): A_USER,
    ("GET", "/schemas/ids/{id}/versions"): A_USER,
    ("GET", "/schemas/guids/{guid}"): A_USER,
    ("GET", "/schemas/guids/{guid}/ids"): A_USER,
    ("GET", "/subjects"): A_USER,
    ("POST", "/subjects/{subject}"): READ,
    ("DELETE", "/subjects/{subject}"): DELETE,
    ("GET", "/subjects/{subject}/metadata"): READ,
    ("GET", "/subjects/{subject}/versions"): READ,
    ("POST", "/subjects/{subject}/versions"): WRITE,
    ("GET", "/subjects/{subject}/versions/{version}"): READ,
    ("DELETE", "/subjects/{subject}/versions/{version}"): DELETE,
    ("GET", "/subjects/{subject}/versions/{version}/schema"): READ,
    ("GET", "/subjects/{subject}/versions/{version}/referencedby"): READ,
    ("POST", "/subjects/{subject}/versions/{version}/tags"): WRITE,
    ("GET", "/signet/v1/subjects/{subject}/versions/{version}"): READ,
    ("POST", "/signet/v1/subjects/{subject}/versions/{version}/undelete"): WRITE,
    ("POST", "/compatibility/subjects/{subject}/versions"): READ,
    ("POST", "/compatibility/subjects/{subject}/versions/{version}"): READ,
    ("POST", "/signet/v1/compatibility/subjects/{subject}/versions"): READ,
    ("POST", "/signet/v1/compatibility/subjects/{subject}/versions/{version}"): READ,
    ("GET", "/config"): A_USER,
    ("PUT", "/config"): CHANGE_EVERYTHING,
    ("DELETE", "/config"): CHANGE_EVERYTHING,
    ("GET", "/config/{subject}"): READ_SETTINGS,
    ("PUT", "/config/{subject}"): CHANGE_SETTINGS,
    ("DELETE", "/config/{subject}"): CHANGE_SETTINGS,
    ("GET", "/mode"): A_USER,
    ("PUT", "/mode"): CHANGE_EVERYTHING,
    ("DELETE", "/mode"): CHANGE_EVERYTHING,
    ("GET", "/mode/{subject}"): READ_SETTINGS,
    ("PUT", "/mode/{subject}"): CHANGE_SETTINGS,
    ("DELETE", "/mode/{subject}"): CHANGE_SETTINGS,
    ("GET", "/contexts"): A_USER,
    ("DELETE", "/contexts/{context}"): CHANGE_CONTEXT,
    ("GET", "/associations/subjects/{subject}"): READ,
    ("GET", "/associations/resources/{resource}"): A_USER,
    ("GET", "/associations/resources/{namespace}/{name}"): A_USER,
    ("POST", "/associations:batchGet"): A_USER,
    ("POST", "/associations:batchMutate"): A_USER,
    ("POST", "/associations"): A_USER,
    ("GET", "/v1/metadata/id"): A_USER,
    ("GET", "/v1/metadata/version"): A_USER,
    ("GET", "/v1/metadata/deployment"): A_USER,
    ("GET", "/signet/v1/events"): READ_EVERYTHING,
    ("GET", "/metrics"): A_USER,
    ("GET", "/health/live"): A_USER,
    ("GET", "/health/ready"): A_USER,
}
