"""The report as a picture: what is left of the throughput, and what happens while the registry is down."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from loadtests.ingestion.observation import Run
from loadtests.ingestion.table import NAMES, Cost, costs

COLOURS = {"json": "#8c8c8c", "cached": "#1b7f5c", "asking": "#c8553d"}
BAR = 0.27
PIXELS_PER_INCH = 160


def draw(run: Run, file: Path) -> None:
    """Draw a run; the file's ending tells the format."""
    figure = Figure(figsize=(11, 4.4), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.25))
    found = costs(run)
    _bars(left, found)
    _outages(right, run)
    figure.savefig(file, dpi=PIXELS_PER_INCH)


def _bars(axes: Axes, found: list[Cost]) -> None:
    batches = sorted({cost.batch for cost in found})
    for place, (encoder, name) in enumerate(NAMES.items()):
        shares = [cost.rate_share for cost in found if cost.encoder == encoder]
        places = [group + (place - 1) * BAR for group in range(len(batches))]
        bars = axes.bar(places, shares, BAR * 0.94, color=COLOURS[encoder], label=name)
        axes.bar_label(bars, [f"{share:.2g}" for share in shares], padding=2, fontsize=9)
    axes.set_xticks(range(len(batches)), [f"{batch} record{'s' * (batch > 1)} a request" for batch in batches])
    axes.set_ylim(0, 1.45 * max(cost.rate_share for cost in found))
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1])
    axes.set_title("Throughput, relative to no registry", loc="left", fontsize=11)
    axes.legend(loc="upper left", frameon=False, fontsize=9)
    _plain(axes)


def _outages(axes: Axes, run: Run) -> None:
    for outage in run.outages:
        middles = [interval.began + interval.seconds / 2 for interval in outage.intervals]
        rates = [interval.taken_per_second for interval in outage.intervals]
        axes.plot(middles, rates, color=COLOURS[outage.encoder], linewidth=2)
    limit = max(interval.taken_per_second for outage in run.outages for interval in outage.intervals)
    down = run.outages[0].phases[1]
    axes.axvspan(down.began, down.began + down.seconds, color="#000000", alpha=0.07, linewidth=0)
    axes.set_xlim(0, max(interval.began + interval.seconds for interval in run.outages[0].intervals))
    axes.set_ylim(0, 1.15 * limit)
    axes.text(down.began + down.seconds / 2, 1.07 * limit, "registry killed", ha="center", fontsize=9, color="#444444")
    axes.set_xlabel("seconds", fontsize=9)
    axes.set_title("Records per second, all three at the same time", loc="left", fontsize=11)
    axes.yaxis.set_major_formatter("{x:,.0f}")
    _plain(axes)


def _plain(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=9)
    axes.grid(axis="y", color="#e6e6e6", linewidth=0.8)
    axes.set_axisbelow(True)
