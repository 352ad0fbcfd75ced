"""Jobs: when, and how long."""

from __future__ import annotations

import random
import statistics
from pathlib import Path

import pytest

from watchbot_cli.chart import columns, drawn
from watchbot_cli.errors import UsageError
from watchbot_cli.simulation.workload import DISTRIBUTIONS, burst, duration_draw, read_trace, steady
from watchbot_cli.span import per_second_of, seconds_of, spoken


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_every_distribution_has_the_mean_that_was_asked_for(distribution: str) -> None:
    draw = duration_draw(distribution, 60, random.Random(1))
    assert statistics.fmean(draw() for _ in range(50_000)) == pytest.approx(60, rel=0.03)


def test_a_rate_is_even_or_random() -> None:
    even = steady(0.1, 60, lambda: 1)
    assert list(even.sent) == pytest.approx([0, 10, 20, 30, 40, 50])
    rng = random.Random(2)
    assert len(steady(1, 10_000, lambda: 1, rng).sent) == pytest.approx(10_000, rel=0.03)


def test_a_trace_is_sorted_and_may_lack_durations(tmp_path: Path) -> None:
    file = tmp_path / "trace.csv"
    file.write_text("seconds,duration\n30,5\n\n10\n20.5,7.5\n")
    workload = read_trace(file, lambda: 60)
    assert list(zip(workload.sent, workload.durations, strict=True)) == [(10, 60), (20.5, 7.5), (30, 5)]


@pytest.mark.parametrize("text", ["\ufeff0,60\n10,\n", "\ufeffseconds\r\n0\r\n \r\n10\r\n"])
def test_a_trace_may_be_as_spreadsheets_write_it(tmp_path: Path, text: str) -> None:
    file = tmp_path / "trace.csv"
    file.write_bytes(text.encode())
    workload = read_trace(file, lambda: 60)
    assert list(zip(workload.sent, workload.durations, strict=True)) == [(0, 60), (10, 60)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a,b\nc,d\n",
        "1,2\n-3,1\n",
        "1,2\n4,x\n",
        "1\n\n\xff,1",
        "-5,1\n0,1\n",
        "0;5\n1,5\n",
        "1767571200000,5\n",
        "0,1\n2026-01-05T08:00:00,1\n",
        "2026-01-05T08:00:00,1\n2028-01-05T08:00:00,1\n",
        "2026-13-05,1\n",
        "1900-01-01T00:00:00,1\n",
        "0,nan\n",
    ],
)
def test_refuses_a_trace_that_holds_no_jobs(tmp_path: Path, text: str) -> None:
    file = tmp_path / "trace.csv"
    file.write_text(text)
    with pytest.raises(UsageError, match=r"--trace .*(must be seconds|holds no jobs|must be of at most)"):
        read_trace(file, lambda: 60)


@pytest.mark.parametrize(
    "text",
    [
        "1767600000,5\n1767600090.5\n",
        "time,took\n2026-01-05T08:00:00Z,5\n2026-01-05T08:01:30.5Z\n",
        "2026-01-05T09:00:00+01:00,5\n2026-01-05T08:01:30.500+00:00,\n",
        "2026-01-05 08:01:30.5\n2026-01-05 08:00:00,5\n",
        "1767600000,5\n2026-01-05T08:01:30.5\n",
    ],
    ids=["since 1970", "UTC", "zones", "without a zone", "both"],
)
def test_a_trace_may_have_dates_which_count_from_the_earliest(tmp_path: Path, text: str) -> None:
    file = tmp_path / "trace.csv"
    file.write_text(text)
    workload = read_trace(file, lambda: 60)
    assert list(zip(workload.sent, workload.durations, strict=True)) == [(0, 5), (90.5, 60)]


def test_refuses_a_trace_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_trace(tmp_path / "none.csv", lambda: 60)


@pytest.mark.parametrize(("text", "seconds"), [("90", 90), ("5min", 300), ("1.5 h", 5400), ("2d", 172_800), ("0", 0)])
def test_times_have_units(text: str, seconds: float) -> None:
    assert seconds_of(text, "--for") == seconds


@pytest.mark.parametrize(("text", "rate"), [("5/min", 5 / 60), ("0.5/s", 0.5), ("100/h", 100 / 3600)])
def test_rates_have_units(text: str, rate: float) -> None:
    assert per_second_of(text, "--rate") == pytest.approx(rate)


@pytest.mark.parametrize("text", ["", "fast", "-5", "5 weeks", "1e3"])
def test_refuses_a_time_that_is_none(text: str) -> None:
    with pytest.raises(UsageError, match=r"--for must be a time such as 90, 60s, 5min or 3h, got"):
        seconds_of(text, "--for")


@pytest.mark.parametrize("text", ["5", "0/min", "5/fortnight", "/s"])
def test_refuses_a_rate_that_is_none(text: str) -> None:
    with pytest.raises(UsageError, match=r"--rate must be a rate above 0 such as 5/min"):
        per_second_of(text, "--rate")


def test_times_are_said_in_the_unit_that_suits_them() -> None:
    assert [spoken(one) for one in (None, 0, 105, 1800, 86_400)] == ["-", "0 s", "105 s", "30.0 min", "24.0 h"]


def test_a_mean_without_jobs_is_nothing() -> None:
    assert burst(0, lambda: 1).mean_seconds == 0


def test_a_chart_shows_the_largest_of_a_column_and_whatever_is_not_zero() -> None:
    assert drawn([0, 8, 4, 0], width=2, height=1) == ["█▄"]
    assert drawn([0, 1000, 1], width=3, height=2) == [" █ ", " █▁"]
    assert drawn([3], width=3, height=1) == ["███"]
    assert columns([1, 5, 2, 0, 0], 2) == [5, 2]
    assert drawn([], width=3, height=2) == ["", ""]
