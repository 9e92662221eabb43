"""What the registry can do, by noun: each class asks the state, or sends one command through the writer."""

from registry.operations.barrier import Consistency
from registry.operations.core import PageLimits, Policy
from registry.operations.listing import unhurried
from registry.operations.registry import Change, Registry, opened
from registry.operations.requests import (
    Bound,
    BoundFilter,
    Candidate,
    ConfigPatch,
    Details,
    Listed,
    Page,
    Plan,
    SchemaFilter,
    Stored,
    TagChange,
    Visibility,
)
from registry.operations.sight import EVERYTHING_SEEN, Sight
from registry.replay import OnReplay
from registry.rules.compatibility import Verdict

__all__ = [
    "EVERYTHING_SEEN",
    "Bound",
    "BoundFilter",
    "Candidate",
    "Change",
    "ConfigPatch",
    "Consistency",
    "Details",
    "Listed",
    "OnReplay",
    "Page",
    "PageLimits",
    "Plan",
    "Policy",
    "Registry",
    "SchemaFilter",
    "Sight",
    "Stored",
    "TagChange",
    "Verdict",
    "Visibility",
    "opened",
    "unhurried",
]
