"""The ingestion report on fixed figures: arithmetic, words, page and picture."""

from dataclasses import replace

import pytest

from loadtests.ingestion import table
from loadtests.ingestion.observation import Interval, Outage, Run, Slot
from loadtests.ingestion.plot import draw
from loadtests.ingestion.turn import Turn


def slot(encoder, batch, records, cpu_seconds, **others):
    """Two seconds in which a gateway took this many records for this much processor time."""
    figures = {
        "requests": records // batch,
        "failures": 0,
        "seconds": 2.0,
        "registry_cpu_seconds": 0.0,
        "generator_cpu_seconds": 1.2,
        "undelivered": 0,
        "registry_calls": records if encoder == "asking" else 0,
        "bytes": records * (231 if encoder == "json" else 105),
        "p99_ms": 12.4,
    }
    return Slot(encoder, batch, records=records, gateway_cpu_seconds=cpu_seconds, **(figures | others))


def outage(encoder, taken, refused):
    """A thousand records a second before and after, and what came of those in the two seconds between."""
    before, after = Interval(0.0, 4.0, 4000, 0, 9.0), Interval(6.0, 4.0, 4000, 0, 9.0)
    return Outage(encoder, 0, (before, Interval(4.0, 2.0, taken, refused, 11.0), after), (before,))


SLOTS = (
    *(slot("json", 1, 10_000, 1.0), slot("cached", 1, 9_600, 1.0), slot("asking", 1, 1_000, 1.0)),
    *(slot("cached", 1, 5_000, 1.0), slot("asking", 1, 500, 1.0), slot("json", 1, 5_000, 0.9)),
    *(slot("asking", 1, 800, 1.0), slot("json", 1, 8_000, 0.8), slot("cached", 1, 7_600, 0.8)),
    *(slot("json", 100, 100_000, 0.4), slot("cached", 100, 60_000, 0.4), slot("asking", 100, 1_000, 2.0)),
)
OUTAGES = (outage("json", 2000, 0), outage("cached", 1990, 0), outage("asking", 0, 5000))
RUN = Run("2 x Test CPU, Python 3.11", "2026-11-22", 32, 8, SLOTS, OUTAGES)


def cost(encoder, batch):
    return next(found for found in table.costs(RUN) if (found.encoder, found.batch) == (encoder, batch))


def test_figures_are_medians_of_the_rounds():
    assert cost("json", 1).per_second == 4000
    assert cost("json", 1).cpu_us == pytest.approx(100)


def test_shares_are_medians_of_the_ratios_within_each_round():
    assert cost("cached", 1).rate_share == pytest.approx(0.96)  # of 0.96, 1 and 0.95
    assert cost("cached", 1).cpu_share == pytest.approx(0.95)  # of 0.96, 0.9 and 0.95
    assert cost("json", 1).rate_share == cost("json", 1).cpu_share == 1


@pytest.mark.parametrize(("encoder", "calls", "size"), [("json", 0, 231), ("cached", 0, 105), ("asking", 1e6, 105)])
def test_calls_and_bytes_are_those_of_all_records(encoder, calls, size):
    assert cost(encoder, 1).calls_per_million == calls
    assert cost(encoder, 1).bytes_per_record == size


def test_the_report_has_a_row_for_each_way_and_each_outage():
    lines = table.markdown(RUN).splitlines()
    assert lines[2].startswith("| 1 | no registry, JSON goes through | 4,000 | 1.00 | 100.0 | 1.00 | - | 12 | 0 | 0 |")
    assert lines[6].startswith("| 100 | registry, serdes with its cache | 30,000 | 0.60 | 6.7 | 0.60 | 0.50 |")
    assert lines[-1] == "| registry, asked for every record | 1,000 | 0 | 1,000 | 5,000 | 9 | 11 | 0 |"
    assert lines[7].startswith("| 100 | registry, asked for every record | 500 | 0.01 | 2,000.0 | 0.002 | - |")
    assert "Medians of 3 rounds, measured on 2026-11-22 with 2 x Test CPU" in table.markdown(RUN)


def test_every_row_has_as_many_cells_as_its_heading():
    rows = [line.count("|") for line in table.markdown(RUN).splitlines() if line.startswith("|")]
    assert rows == [12] * 8 + [9] * 5


def test_a_sound_run_has_no_complaints():
    assert table.complaints(RUN) == []


UNSOUND = [
    (replace(RUN, slots=(*SLOTS, slot("cached", 1, 10, 1.0, failures=3))), "3 requests failed"),
    (replace(RUN, slots=(*SLOTS, slot("json", 1, 10, 1.0, undelivered=7))), "7 records were lost"),
    (replace(RUN, outages=(*OUTAGES, outage("cached", 10, 4))), "4 requests failed that needed no registry"),
]


@pytest.mark.parametrize(("run", "words"), UNSOUND)
def test_failures_that_must_not_be_are_complained_of(run, words):
    assert words in table.complaints(run)[0]


def test_a_slot_without_records_is_said_and_not_divided_by():
    empty = replace(RUN, slots=tuple(replace(one, records=0) if one.batch == 100 else one for one in SLOTS))
    with pytest.raises(ValueError, match="took no record"):
        table.markdown(empty)


def test_a_run_survives_its_file(tmp_path):
    RUN.save(tmp_path / "run.json")
    assert Run.load(tmp_path / "run.json") == RUN


def test_only_what_stands_between_the_markers_is_replaced(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n\n{table.BEGIN}\nold\n{table.END}\n\nafter\n")
    for text in ("| 1 |", "| 2 |"):
        table.write(page, text)
        assert page.read_text() == f"before\n\n{table.BEGIN}\n{text}\n{table.END}\n\nafter\n"


@pytest.mark.parametrize("text", ["", table.BEGIN, table.END + table.BEGIN, (table.BEGIN + table.END) * 2])
def test_a_page_without_its_markers_is_left_alone(text, tmp_path):
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(ValueError, match="must have the lines"):
        table.write(page, "| 1 |")
    assert page.read_text() == text


def test_the_picture_is_drawn(tmp_path):
    file = tmp_path / "run.png"
    draw(RUN, file)
    content = file.read_bytes()
    assert content.startswith(b"\x89PNG")
    assert int.from_bytes(content[16:20], "big") == 1760


def test_a_turn_counts_requests_where_they_ended():
    turn = Turn("json", "http://gateway/records", "json", 4, iter(()), began=100.0)
    turn.ended += [(100.5, 5.0, True), (100.9, 7.0, False), (101.0, 9.0, True)]
    assert turn.interval(0.0, 1.0) == Interval(0.0, 1.0, 1, 1, 7.0)
    assert turn.interval(1.0, 2.0) == Interval(1.0, 1.0, 1, 0, 9.0)
    assert turn.interval(2.0, 3.0) == Interval(2.0, 1.0, 0, 0, 0.0)
    assert (turn.failures, turn.p99_ms) == (1, 9.0)


def test_a_slot_lasts_from_its_first_request_to_its_last_answer():
    turn = Turn(
        "json", "http://127.0.0.1", "row", 1, iter(()), began=5.0, ended=[(6.5, 500.0, True), (8.0, 100.0, True)]
    )
    assert turn.seconds == pytest.approx(2.0)
    assert Turn("json", "http://127.0.0.1", "row", 1, iter(())).seconds == 0
