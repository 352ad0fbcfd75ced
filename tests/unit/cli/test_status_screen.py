"""A snapshot as people see it."""

from __future__ import annotations

import dataclasses
import io

import pytest
from rich.console import Console

from tests.unit.cli.snapshots import BUSY, IDLE, busy
from watchbot.contract import Isolation
from watchbot_cli.status.run import drawn
from watchbot_cli.status.snapshot import PARTS, Alarms, Limits, Metrics, Snapshot, Unreadable, Watchers, WorkerTasks


def _seen(snapshot: Snapshot, width: int = 200) -> str:
    return drawn(Console(file=io.StringIO(), width=width, highlight=False), snapshot)


@pytest.mark.parametrize(
    "line",
    [
        "Thumbnails/svc (task) in eu-central-1",
        "queue         1240 visible, 32 in flight, 3 delayed; the oldest is 6.9 min old",
        "dead letters  3; the oldest is 5.1 h old",
        "watchers      4 of 6 run, 2 start; scales from 1 to 10",
        "deployment    under way: 2 of 6 new watchers run",
        "workers       32 tasks run, 1 could not be started yet",
        "alarms        1 of 8 in ALARM",
        "ALARM Thumbnails-svcMonitorsDeadLetterAlarm0BF1-Q3ZC for 5.0 h, since 2026-01-01 22:04:05 UTC",
    ],
)
def test_every_fact_is_a_line(line: str) -> None:
    assert line in _seen(BUSY).splitlines()


def test_a_runbook_is_told_with_its_alarm() -> None:
    assert _seen(BUSY).endswith("docs/reference/alarms.md#deadletter")


@pytest.mark.parametrize("width", [20, 40, 80])
def test_no_line_is_wider_than_the_terminal_and_nothing_is_lost(width: int) -> None:
    shown = _seen(BUSY, width)
    assert max(map(len, shown.splitlines())) <= width
    assert "".join(_seen(BUSY).split()).count("deadletter") == "".join(shown.split()).count("deadletter")


def test_a_busy_service_fits_the_smallest_usual_screen() -> None:
    assert len(_seen(BUSY, 80).splitlines()) <= 24


def test_only_what_is_no_news_is_quiet() -> None:
    quiet = _seen(IDLE)
    for word in ("paused", "deployment", "not readable", "oldest", "ALARM Thumbnails"):
        assert word not in quiet
    assert "alarms        0 of 8 in ALARM" in quiet


@pytest.mark.parametrize("part", PARTS)
def test_what_is_unreadable_is_said_in_its_place_and_the_rest_shown(part: str) -> None:
    shown = _seen(busy(**{part: Unreadable("these credentials may not")}))
    assert "not readable: these credentials may not" in shown
    others = {"queue": "1240 visible", "watchers": "4 of 6 run", "metrics": "41.2"}
    assert all(text in shown for name, text in others.items() if name != part)


def test_where_jobs_of_many_parts_are_counted_is_said_if_there_is_such_a_table() -> None:
    table = "arn:aws:dynamodb:eu-central-1:111122223333:table/Thumbnails-Progress"
    assert f"progress      {table}" in _seen(busy(progress_table=table))
    assert "progress" not in _seen(BUSY)


def test_scaling_that_is_unreadable_hides_no_watchers() -> None:
    watchers = Watchers(running=2, pending=0, desired=2, limits=Unreadable("denied"), paused=None, deployment=None)
    assert "watchers      2 of 2 run; scaling: not readable: denied" in _seen(busy(watchers=watchers))


def test_a_pause_says_what_comes_back() -> None:
    limits = Limits(1, 9, suspended=True)
    watchers = Watchers(running=0, pending=0, desired=0, limits=limits, paused=3, deployment=None)
    shown = _seen(busy(watchers=watchers))
    assert "paused        watchbot resume brings back 3 watchers" in shown
    assert "scales from 1 to 9, which is suspended" in shown


def test_workers_are_processes_or_more_tasks_than_were_counted() -> None:
    process = busy(isolation=Isolation.PROCESS, worker_tasks=None)
    assert "workers       about 32 processes at once" in _seen(process)
    assert isinstance(BUSY.metrics, Metrics)
    silent = dataclasses.replace(BUSY.metrics, workers=None)
    assert "no watcher has told of any" in _seen(dataclasses.replace(process, metrics=silent))
    assert "at least 1000 tasks run" in _seen(busy(worker_tasks=WorkerTasks(1000, at_least=True)))


def test_a_service_without_alarms_is_said_to_have_none() -> None:
    assert "alarms        the stack has none that watch this service" in _seen(busy(alarms=Alarms(0, ())))


def test_colours_are_for_terminals_and_not_against_their_will(monkeypatch: pytest.MonkeyPatch) -> None:
    def on_terminal() -> str:
        return drawn(Console(file=io.StringIO(), force_terminal=True, color_system="standard"), BUSY)

    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[1;31m" in on_terminal()
    assert "\x1b" not in _seen(BUSY)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[1;31m" not in on_terminal()


def test_json_keeps_its_keys() -> None:
    found = BUSY.to_dict()
    assert set(found) == {"service", "isolation", "region", "read_at", "progress_table", "stack", *PARTS}
    assert found["read_at"] == "2026-01-02T03:04:05+00:00"
    assert set(found["watchers"]) == {"running", "pending", "desired", "limits", "paused", "deployment"}
    assert set(found["metrics"]) == {
        "oldest_seconds",
        "oldest_dead_letter_seconds",
        "workers",
        "waiting_to_start",
        "per_minute",
        "job_seconds",
        "sent_to_settled_seconds",
    }
    assert set(found["alarms"]["in_alarm"][0]) == {"name", "since", "description"}
    assert busy(queue=Unreadable("no")).to_dict()["queue"] == {"unreadable": "no"}
