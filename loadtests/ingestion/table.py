"""The report as Markdown: what a registry costs, and what happens while it is down.

Owns the arithmetic, medians over the rounds; refuses to know how it was measured.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from loadtests.ingestion.observation import Outage, Run, Slot

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
YARDSTICK = "json"
NAMES = {
    "json": "no registry, JSON goes through",
    "cached": "registry, serdes with its cache",
    "asking": "registry, asked for every record",
}
GOALS = {("cached", 1): 0.93, ("cached", 100): 0.5}
"""What must be left of the throughput without a registry, by encoder and records in a request."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one way of writing costs; shares are what is left of the throughput without a registry, each the median of
    the rounds' ratios: what disturbs a round disturbs both sides of its ratio.

    rate_share: as measured; cpu_share: as the gateway's processor time per record allows, whoever else is the limit.
    """

    encoder: str
    batch: int
    per_second: float
    rate_share: float
    cpu_us: float
    cpu_share: float
    p99_ms: float
    calls_per_million: float
    bytes_per_record: float
    registry_cpu_us: float


def costs(run: Run) -> list[Cost]:
    """A row for each way of writing and size of request, in the order of NAMES.

    Raises ValueError when a slot saw no record.
    """
    batches = sorted({slot.batch for slot in run.slots})
    return [_cost(_slots(run, encoder, batch), _slots(run, YARDSTICK, batch)) for batch in batches for encoder in NAMES]


def _slots(run: Run, encoder: str, batch: int) -> list[Slot]:
    return [slot for slot in run.slots if (slot.encoder, slot.batch) == (encoder, batch)]


def _cost(slots: Sequence[Slot], yardstick: Sequence[Slot]) -> Cost:
    """The cost of one way beside the yardstick's. Raises ValueError when there is nothing to tell."""
    if not all(slot.records for slot in (*slots, *yardstick)):
        raise ValueError("a gateway took no record in one of its slots, which are too short for this machine")
    records = sum(slot.records for slot in slots)
    pairs = list(zip(slots, yardstick, strict=True))
    return Cost(
        encoder=slots[0].encoder,
        batch=slots[0].batch,
        per_second=median(slot.records_per_second for slot in slots),
        rate_share=median(slot.records_per_second / plain.records_per_second for slot, plain in pairs),
        cpu_us=median(slot.cpu_us for slot in slots),
        cpu_share=median(plain.cpu_us / slot.cpu_us for slot, plain in pairs),
        p99_ms=median(slot.p99_ms for slot in slots),
        calls_per_million=sum(slot.registry_calls for slot in slots) / records * 1e6,
        bytes_per_record=sum(slot.bytes for slot in slots) / records,
        registry_cpu_us=sum(slot.registry_cpu_seconds for slot in slots) / records * 1e6,
    )


def complaints(run: Run) -> list[str]:
    """What must not happen in any run; where something did, the figures mean nothing."""
    found = [
        f"{slot.encoder}, {slot.batch} a request: {slot.failures} requests failed, {slot.undelivered} records were lost"
        for slot in run.slots
        if slot.failures or slot.undelivered
    ]
    calm = [outage for outage in run.outages if outage.encoder != "asking"]
    refused = sum(phase.failures for outage in calm for phase in outage.phases)
    return found + ([f"{refused} requests failed that needed no registry"] if refused else [])


def _share(share: float) -> str:
    """Two decimals, and more where nothing would be left."""
    return f"{share:.2f}" if share >= 0.1 else f"{share:.2g}"


Column = tuple[str, Callable[[Cost], str]]
COLUMNS: tuple[Column, ...] = (
    ("records a request", lambda cost: str(cost.batch)),
    ("gateway", lambda cost: NAMES[cost.encoder]),
    ("records/s", lambda cost: f"{cost.per_second:,.0f}"),
    ("of no registry", lambda cost: _share(cost.rate_share)),
    ("CPU per record, µs", lambda cost: f"{cost.cpu_us:,.1f}"),
    ("of no registry", lambda cost: _share(cost.cpu_share)),
    ("goal", lambda cost: f"{GOALS[cost.encoder, cost.batch]:.2f}" if (cost.encoder, cost.batch) in GOALS else "-"),
    ("p99, ms", lambda cost: f"{cost.p99_ms:,.0f}"),
    ("registry calls per million records", lambda cost: f"{cost.calls_per_million:,.0f}"),
    ("registry CPU per record, µs", lambda cost: f"{cost.registry_cpu_us:,.0f}"),
    ("bytes per record", lambda cost: f"{cost.bytes_per_record:.0f}"),
)
OUTAGE_COLUMNS: tuple[tuple[str, Callable[[Outage], str]], ...] = (
    ("gateway", lambda outage: NAMES[outage.encoder]),
    ("records/s before", lambda outage: f"{outage.phases[0].taken_per_second:,.0f}"),
    ("while it is down", lambda outage: f"{outage.phases[1].taken_per_second:,.0f}"),
    ("after", lambda outage: f"{outage.phases[2].taken_per_second:,.0f}"),
    ("refused while it is down", lambda outage: f"{outage.phases[1].failures:,}"),
    ("p99 before, ms", lambda outage: f"{outage.phases[0].p99_ms:,.0f}"),
    ("while it is down, ms", lambda outage: f"{outage.phases[1].p99_ms:,.0f}"),
    ("registry calls", lambda outage: f"{outage.registry_calls:,}"),
)


def markdown(run: Run) -> str:
    """Both tables and what they were measured on."""
    rounds = len(_slots(run, YARDSTICK, 1))
    busy = max(slot.generator_cpu_seconds / slot.seconds for slot in run.slots)
    down = max((outage.phases[1].seconds for outage in run.outages), default=0.0)
    return "\n".join(
        (
            *_table([heading for heading, _ in COLUMNS], [[cell(c) for _, cell in COLUMNS] for c in costs(run)]),
            "",
            f"Medians of {rounds} rounds, measured on {run.date} with {run.machine}: {run.users} users send single",
            f"records, {run.batch_users} batches. Shares are medians of the rounds' ratios, not ratios of medians.",
            f"The load generator, with the broker in it, needed at most {busy:.0%} of a processor.",
            "",
            "All three at the same time, one record a request; the registry is killed under load and is back after",
            f"{down:.1f} seconds:",
            "",
            *_table(
                [heading for heading, _ in OUTAGE_COLUMNS],
                [[cell(outage) for _, cell in OUTAGE_COLUMNS] for outage in run.outages],
            ),
        )
    )


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    numbers = [not any(row[column][:1].isalpha() for row in rows) for column in range(len(headings))]
    rule = ["---:" if number else "---" for number in numbers]
    return [f"| {' | '.join(cells)} |" for cells in (headings, rule, *rows)]


def write(page: Path, text: str) -> None:
    """Put the report between the page's markers. Raises OSError and ValueError as `around` does."""
    before, after = around(page)
    page.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}")


def around(page: Path) -> tuple[str, str]:
    """What stands before and after the report. Raises OSError without such a page, ValueError when it has no place."""
    old = page.read_text()
    if old.count(BEGIN) != 1 or old.count(END) != 1 or old.index(END) < old.index(BEGIN):
        raise ValueError(f"{page} must have the lines {BEGIN} and {END} once each, in this order")
    return old.partition(BEGIN)[0], old.partition(END)[2]
