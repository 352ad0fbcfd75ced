"""The bench of scaling: its figures are those committed, and its promises are held."""

from __future__ import annotations

import dataclasses

import pytest
from bench.scaling.__main__ import _read
from bench.scaling.contest import OURS, Entry, Table, contest
from bench.scaling.verdict import broken_promises, changes


@pytest.fixture(scope="module")
def table() -> Table:
    return contest()


def test_the_figures_are_the_committed_ones(table: Table) -> None:
    assert list(changes(table, _read())) == []


def test_no_other_way_to_scale_is_better(table: Table) -> None:
    assert list(broken_promises(table)) == []


@pytest.mark.parametrize(
    ("worse", "said"),
    [
        ({"killed": 1}, "1 jobs were killed"),
        ({"p50": 99.0}, "p50 is 99.0 min, and 7.75 min elsewhere"),
        ({"drained": None}, "drained is None min"),
        ({"task_hours": 99.0}, "99.0 task-hours"),
    ],
)
def test_a_broken_promise_is_said(table: Table, worse: dict[str, float], said: str) -> None:
    workload = "1,000 x 60 s"
    entries: dict[str, Entry] = {**table[workload], OURS: dataclasses.replace(table[workload][OURS], **worse)}  # type: ignore[arg-type]  # the fields vary
    (problem,) = broken_promises({workload: entries})
    assert said in problem
    assert list(changes({workload: entries}, table))
