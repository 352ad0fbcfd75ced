"""Snapshots of a service that does nothing, or whatever a test says."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

from watchbot.contract import Isolation
from watchbot_cli.status.snapshot import (
    Alarm,
    Alarms,
    Depth,
    Limits,
    Metrics,
    Percentiles,
    Rate,
    Snapshot,
    Watchers,
    WorkerTasks,
)

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

_NAMES = ("received", "succeeded", "failed", "dead_lettered", "no_op", "interrupted")

IDLE = Snapshot(
    service="Thumbnails/svc",
    isolation=Isolation.TASK,
    region="eu-central-1",
    read_at=NOW,
    queue=Depth(0, 0, 0),
    dead_letters=Depth(0, 0, 0),
    watchers=Watchers(running=1, pending=0, desired=1, limits=None, paused=None, deployment=None),
    worker_tasks=WorkerTasks(0, at_least=False),
    metrics=Metrics(
        oldest_seconds=None,
        oldest_dead_letter_seconds=None,
        workers=0,
        waiting_to_start=0,
        per_minute=dict.fromkeys(_NAMES, Rate(0.0, 0.0)),
        job_seconds=Percentiles(None, None, None),
        sent_to_settled_seconds=Percentiles(None, None, None),
    ),
    alarms=Alarms(8, ()),
)

_DESCRIPTION = (
    "Why: messages are in the dead-letter queue; nobody works on them any more. What to do: read why, in their "
    "attribute watchbot.Reason and the log; repair; send them back to the queue. "
    "watchbot-cdk: docs/reference/alarms.md#deadletter"
)

BUSY = dataclasses.replace(
    IDLE,
    queue=Depth(1240, 32, 3),
    dead_letters=Depth(2, 1, 0),
    watchers=Watchers(
        running=4,
        pending=2,
        desired=6,
        limits=Limits(1, 10, suspended=False),
        paused=None,
        deployment="under way: 2 of 6 new watchers run",
    ),
    worker_tasks=WorkerTasks(32, at_least=False),
    metrics=Metrics(
        oldest_seconds=412.0,
        oldest_dead_letter_seconds=18_300.0,
        workers=32,
        waiting_to_start=1,
        per_minute={
            "received": Rate(41.2, 38.5),
            "succeeded": Rate(36.0, 35.1),
            "failed": Rate(4.8, 3.0),
            "dead_lettered": Rate(0.0, 0.05),
            "no_op": Rate(0.4, 0.4),
            "interrupted": Rate(0.0, 0.0),
        },
        job_seconds=Percentiles(42.0, 71.5, 130.0),
        sent_to_settled_seconds=Percentiles(95.0, 301.0, 640.0),
    ),
    alarms=Alarms(
        8, (Alarm("Thumbnails-svcMonitorsDeadLetterAlarm0BF1-Q3ZC", NOW - timedelta(hours=5), _DESCRIPTION),)
    ),
)


def busy(**changes: Any) -> Snapshot:
    """Give a busy service, changed."""
    return dataclasses.replace(BUSY, **changes)
