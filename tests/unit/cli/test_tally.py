from __future__ import annotations

from typing import Any

from watchbot.contract import Event
from watchbot.journal import Entry
from watchbot_cli.local.tally import Tally


def _entry(event: Event, message_id: str, **fields: Any) -> Entry:
    return Entry("watcher", message_id, event, fields, "")


def test_runs_and_messages_are_counted_apart() -> None:
    times = iter([10.0, 11.0, 12.0, 14.0])
    tally = Tally(lambda: next(times))
    tally.add(_entry(Event.JOB_STARTED, "a"))
    tally.add(_entry(Event.JOB_FINISHED, "a", outcome="failed", settlement="returned", duration_seconds=1))
    tally.add(_entry(Event.JOB_STARTED, "a"))
    assert tally.running == 1
    tally.add(_entry(Event.JOB_FINISHED, "a", outcome="succeeded", settlement="deleted", duration_seconds=2))
    tally.add(_entry(Event.JOB_STARTED, "b"))
    tally.add(_entry(Event.JOB_FINISHED, "b", outcome="dead_lettered", settlement="dead_lettered", duration_seconds=3))
    assert tally.running == 0
    summary = tally.summary(2, [{"message_id": "b"}])
    assert (summary.sent, summary.succeeded, summary.failed, summary.retried, summary.dead_lettered) == (2, 1, 2, 1, 1)
    assert summary.messages_per_second == 0.5
    assert (summary.job_p50_seconds, summary.job_p95_seconds) == (2.0, 2.9)


def test_a_run_without_jobs_has_a_summary_too() -> None:
    summary = Tally().summary(0, [])
    assert (summary.messages_per_second, summary.job_p50_seconds, summary.job_p95_seconds) == (0, 0, 0)


def test_why_workers_cannot_start_is_kept() -> None:
    tally = Tally()
    tally.add(_entry(Event.JOB_START_FAILED, "a", reason="out of memory"))
    assert tally.start_failure == "out of memory"
