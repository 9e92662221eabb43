"""Moving a registry: what is taken out of a store, what is brought in, and how both are checked."""

from registry.transfer.backups import RESERVED_IDS, back_up, restore
from registry.transfer.comparison import Comparison, Difference
from registry.transfer.facts import Fact, Held, digest, held, ordered_facts
from registry.transfer.lines import read_lines, write_line
from registry.transfer.loading import Loaded, load, replay
from registry.transfer.remote import read_registry
from registry.transfer.sources import LeftOut, Source, gather, gather_facts, gather_history
from registry.transfer.verification import Verification, verify

__all__ = [
    "RESERVED_IDS",
    "Comparison",
    "Difference",
    "Fact",
    "Held",
    "LeftOut",
    "Loaded",
    "Source",
    "Verification",
    "back_up",
    "digest",
    "gather",
    "gather_facts",
    "gather_history",
    "held",
    "load",
    "ordered_facts",
    "read_lines",
    "read_registry",
    "replay",
    "restore",
    "verify",
    "write_line",
]
