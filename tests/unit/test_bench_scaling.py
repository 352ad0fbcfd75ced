"""The bench of scaling: its figures are those committed, its promises are held, and its differences are explained."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import pytest
from bench.scaling.__main__ import _written, main, page_rows, read_explained, read_figures, read_reference
from bench.scaling.contest import OFFSETS, OURS, Entry, Row, Table, contest, workloads
from bench.scaling.verdict import broken_promises, changes, unexplained

from watchbot_cli.simulation.ledger import Ledger
from watchbot_cli.simulation.peers import backlog_trackings, ecs_watchbot, queue_processing_service
from watchbot_cli.simulation.scalable_target import ScalableTarget
from watchbot_cli.simulation.setting import Conditions, Setting
from watchbot_cli.simulation.simulation import simulate
from watchbot_cli.simulation.workload import Workload

BURST, LONG, STEADY = "1,000 x 60 s", "200 x 30 min", "5/min x 120 s, 3 h"
FROM_ZERO, FROM_ONE = (Setting(name="svc", minimum=minimum, maximum=100, max_receives=None) for minimum in (0, 1))


@pytest.fixture(scope="module")
def table() -> Table:
    return contest()


def test_the_figures_are_the_committed_ones(table: Table) -> None:
    assert list(changes(table, read_figures())) == []


def test_what_is_written_is_what_is_read(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    text = _written(table)
    monkeypatch.setattr("pathlib.Path.read_text", lambda *_: text)
    assert list(changes(table, read_figures())) == []


def test_the_page_shows_the_committed_figures() -> None:
    page = (Path(__file__).parents[2] / "docs/simulation.md").read_text()
    assert page_rows(read_figures()) in page


def test_no_other_way_to_scale_is_better_at_any_moment_of_the_minute(table: Table) -> None:
    assert list(broken_promises(table)) == []


def test_no_workload_begins_at_a_metric_where_order_would_be_a_matter_of_taste() -> None:
    assert all(offset % 60 for offset in OFFSETS)
    assert min(OFFSETS) < 1
    assert max(OFFSETS) > 59


def test_ours_is_judged_beside_those_that_begin_with_as_many_tasks(table: Table) -> None:
    for workload in (BURST, LONG, STEADY):
        minima = {name: row.minimum for name, row in table[workload].items()}
        assert [minima[name] for name in OURS] == [0, 1]
        assert sorted(minima.values()).count(1) == 5


@pytest.mark.parametrize("at", range(len(OFFSETS)))
@pytest.mark.parametrize(
    ("worse", "said"),
    [
        ({"killed": 1}, "1 jobs were killed"),
        ({"p50": 99.0}, "p50 is 99.0 min, and 22.7"),
        ({"drained": None}, "drained is None min"),
        ({"task_hours": 99.0}, "99.0 task-hours"),
    ],
)
def test_a_promise_that_is_broken_at_one_offset_is_said(
    table: Table, at: int, worse: Mapping[str, float], said: str
) -> None:
    rows = {**table[BURST], OURS[0]: _changed(table[BURST][OURS[0]], at, worse)}
    (problem,) = broken_promises({BURST: rows})
    assert problem.startswith(f"{BURST}, watchbot, {OFFSETS[at]:g} s after a metric: ")
    assert said.partition(", and")[0] in problem
    assert list(changes({BURST: rows}, table))


def _changed(row: Row, at: int, values: Mapping[str, float]) -> Row:
    entries: list[Entry] = list(row.entries)
    entries[at] = dataclasses.replace(entries[at], **values)  # type: ignore[arg-type]  # the fields vary
    return dataclasses.replace(row, entries=entries)


def test_every_difference_to_the_other_model_is_explained_and_nothing_else(table: Table) -> None:
    assert list(unexplained(table, read_reference(), read_explained())) == []


def test_a_difference_without_a_reason_and_a_reason_without_a_difference_are_said(table: Table) -> None:
    explained = {**read_explained(), f"{BURST}, watchbot: p50": "because"}
    key = f"{LONG}, ecs-watchbot 10: p50"
    del explained[key]
    missing, stale = unexplained(table, read_reference(), explained)
    assert missing == f"{key} is 43.76 here, and 39.2 in the other model, and no reason is given"
    assert stale == f"{BURST}, watchbot: p50 is explained, but is no difference"


def test_figures_that_are_committed_but_no_longer_simulated_are_said(table: Table) -> None:
    rows = {name: row for name, row in table[BURST].items() if name != OURS[1]}
    assert list(changes({BURST: rows}, table)) == [f"{BURST}, {OURS[1]}: committed, but not simulated"]


def test_it_prints_and_finds_nothing(
    table: Table, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("bench.scaling.__main__.contest", lambda: table)
    monkeypatch.setattr("sys.argv", ["bench.scaling", "--check"])
    assert main() == 0
    printed = capsys.readouterr()
    assert "watchbot, min=1" in printed.out
    assert printed.err == ""


def _before_a_metric(workload: str) -> Workload:
    known = workloads()[workload]
    return Workload([sent + OFFSETS[-1] for sent in known.sent], known.durations)


def _played(setting: Setting, workload: str, seed: int = 1) -> Entry:
    return Entry.of(simulate(setting, _before_a_metric(workload), Conditions(seed=seed)), OFFSETS[-1])


def test_a_cooldown_counted_from_the_order_gives_the_other_models_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ScalableTarget, "complete", lambda *_: None)
    assert _played(ecs_watchbot(FROM_ZERO), LONG).p50 == pytest.approx(39.2, rel=0.1)
    cdks = queue_processing_service(FROM_ONE)
    long, steady = ([_played(cdks, one, seed) for seed in range(1, 17)] for one in (LONG, STEADY))
    assert (long[0].p50, long[1].drained) == pytest.approx((151.8, 286), rel=0.1)
    assert (steady[0].p50, steady[0].p95) == pytest.approx((18.0, 38.8), rel=0.1)
    assert 8 in {entry.killed for entry in steady}


@pytest.mark.parametrize(("workload", "task_hours"), [(BURST, 19.8), (LONG, 124.2), (STEADY, 59.5)])
def test_alarms_that_look_at_one_and_three_minutes_give_the_other_models_task_hours_of_ecs_watchbot(
    workload: str, task_hours: float
) -> None:
    setting = ecs_watchbot(FROM_ZERO)
    steps = [
        dataclasses.replace(
            one,
            alarm=dataclasses.replace(
                one.alarm, period_seconds=60, evaluation_periods=minutes, datapoints_to_alarm=minutes
            ),
        )
        for one, minutes in zip(setting.steps, (1, 3), strict=True)
    ]
    assert _played(dataclasses.replace(setting, steps=steps), workload).task_hours == pytest.approx(task_hours, rel=0.1)


def test_twelve_hours_of_jobs_killed_give_the_other_models_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watchbot_cli.simulation.simulation._LONGEST_RETENTION_SECONDS", 12 * 3600)
    waiting, _ = backlog_trackings(FROM_ONE)
    figures = simulate(waiting, _before_a_metric(LONG), Conditions())
    assert 2476 <= figures.killed <= 2619
    assert 712 <= figures.task_hours <= 823


def test_waits_to_the_last_start_give_the_other_models_p95(monkeypatch: pytest.MonkeyPatch) -> None:
    last: dict[int, float] = {}
    monkeypatch.setattr(Ledger, "start", lambda _, message, wait: last.update({message: wait}))
    waiting, _ = backlog_trackings(FROM_ONE)
    simulate(waiting, _before_a_metric(STEADY), Conditions())
    assert 4.8 <= sorted(last.values())[len(last) * 95 // 100] / 60 <= 9.8
