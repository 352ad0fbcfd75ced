"""What a stopped ECS task says about its job: one pure function, the first rule that matches wins."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from watchbot.contract import WORKER_CONTAINER, Outcome
from watchbot.result import USUAL_OUTCOMES, Result, result_of_exit

Task = Mapping[str, Any]
"""A task as DescribeTasks shows it."""

STOP_REASON_PREFIX = "watchbot:"
"""Before the outcome in the reason of a StopTask of ours, so that another watcher can read it back."""

_OWN_STOPS = {
    Outcome.TIMED_OUT: "over the job timeout",
    Outcome.DID_NOT_START: "its task did not start within the start timeout",
}

_INTERRUPTING_CODES = {
    "SpotInterruption",
    "TerminationNotice",
    "InfrastructureHealth",
    "ServiceSchedulerInitiated",
    "UserInitiated",
}


def is_stopped(task: Task) -> bool:
    """Whether the task has ended; one that is stopping or deprovisioning has no exit code yet."""
    return bool(task.get("lastStatus") == "STOPPED")


def result_of_task(task: Task, *, can_dead_letter: bool, outcomes: Mapping[int, Outcome] = USUAL_OUTCOMES) -> Result:
    """Classify a stopped task.

    A worker that is told to stop may well exit with 0: who stopped the task comes before what it answered. ``stopCode``
    is documented at https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html.
    """
    reason = str(task.get("stoppedReason") or "")
    code = task.get("stopCode")
    duration = _duration_seconds(task)
    if reason.startswith(STOP_REASON_PREFIX):
        outcome = _outcome(reason.removeprefix(STOP_REASON_PREFIX))
        return Result(
            outcome, reason=_OWN_STOPS.get(outcome, f"stopped by the watcher: {outcome}"), duration_seconds=duration
        )
    if code in _INTERRUPTING_CODES or _host_was_lost(reason):
        return Result(Outcome.INTERRUPTED, reason=reason or str(code), duration_seconds=duration)
    worker: Mapping[str, Any] = next(
        (one for one in task.get("containers", []) if one.get("name") == WORKER_CONTAINER), {}
    )
    exit_code = worker.get("exitCode")
    detail = str(worker.get("reason") or "")
    if code == "TaskFailedToStart" or exit_code is None:
        why = detail or reason or "the task stopped before its worker ran"
        return Result(Outcome.DID_NOT_START, reason=why, duration_seconds=duration)
    # A container reports death by a signal as 128 + its number.
    result = result_of_exit(exit_code, duration, can_dead_letter=can_dead_letter, outcomes=outcomes)
    if detail and result.reason is not None:
        return Result(result.outcome, exit_code, reason=f"{result.reason}: {detail}", duration_seconds=duration)
    return result


def _outcome(text: str) -> Outcome:
    try:
        return Outcome(text)
    except ValueError:
        return Outcome.INTERRUPTED


def _host_was_lost(reason: str) -> bool:
    return reason.startswith(("Your Spot Task was interrupted", "Host EC2", "Container instance deregistration forced"))


def _duration_seconds(task: Task) -> float:
    started: datetime.datetime | None = task.get("startedAt")
    stopped: datetime.datetime | None = task.get("stoppedAt") or task.get("stoppingAt")
    if started is None or stopped is None:
        return 0
    return max(0.0, (stopped - started).total_seconds())
