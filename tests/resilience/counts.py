"""How often each scenario repeats what it does: a short form for every change, the full numbers for a release."""

from __future__ import annotations

from typing import Final, NamedTuple


class Count(NamedTuple):
    """A count in its short form and in full."""

    short: int
    full: int


COUNTS: Final = {
    "sqlite_kills": Count(6, 500),
    "start_kills": Count(1, 40),
    "snapshot_kills": Count(4, 200),
    "postgres_kills": Count(4, 200),
    "sqlite_fail_points": Count(1, 20),
    "postgres_fail_points": Count(1, 20),
    "database_crashes": Count(2, 50),
    "terminations": Count(9, 100),
    "schemas_per_client": Count(4, 1_000),
    "dangling_races": Count(16, 1_000),
    "read_only_races": Count(8, 500),
    "pairs": Count(96, 10_000),
    "bounded_pairs": Count(24, 2_000),
    "outages": Count(1, 10),
    "outage_seconds": Count(2, 30),
    "notify_cuts": Count(2, 100),
    "freezes": Count(1, 10),
    "frozen_seconds": Count(7, 15),
    "disk_full_cycles": Count(2, 20),
    "clock_jumps": Count(2, 20),
    "soak_seconds": Count(5, 1_800),
    "soak_fault_seconds": Count(2, 20),
}
"""By name; `pytest tests/resilience --full` takes the second number of each, `--count NAME=NUMBER` another."""
