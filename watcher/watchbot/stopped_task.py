"""What a stopped ECS task says about its job: one pure function, the first rule that matches wins."""

from __future__ import annotations

import dataclasses
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
    """Return whether the task has ended; one that is stopping or deprovisioning has no exit code yet.

    DescribeTasks shows DELETED for a moment after STOPPED:
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html
    """
    return task.get("lastStatus") in ("STOPPED", "DELETED")


def result_of_task(task: Task, *, can_dead_letter: bool, outcomes: Mapping[int, Outcome] = USUAL_OUTCOMES) -> Result:
    """Classify a stopped task.

    A worker that is told to stop may well exit with 0: who stopped the task comes before what it answered. A task with
    ``startedAt`` has run, also when ECS does not know its exit code (out of memory, CannotInspectContainerError, a
    replaced agent): it has failed. ``stopCode`` and ``startedAt`` are documented at
    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html.
    """
    reason = str(task.get("stoppedReason") or "")
    code = task.get("stopCode")
    duration = _duration_seconds(task)
    has_run = task.get("startedAt") is not None
    if reason.startswith(STOP_REASON_PREFIX):
        return _stopped_by_watcher(reason.removeprefix(STOP_REASON_PREFIX), duration, has_run=has_run)
    if code in _INTERRUPTING_CODES or _host_was_lost(reason):
        return Result(Outcome.INTERRUPTED, reason=reason or str(code), duration_seconds=duration)
    worker: Mapping[str, Any] = next(
        (one for one in task.get("containers", []) if one.get("name") == WORKER_CONTAINER), {}
    )
    exit_code = worker.get("exitCode")
    detail = str(worker.get("reason") or "")
    if code == "TaskFailedToStart" or (exit_code is None and not has_run):
        why = detail or reason or "the task stopped before its worker ran"
        return Result(Outcome.DID_NOT_START, reason=why, duration_seconds=duration)
    if exit_code is None:
        why = f"the worker ran, and ECS knows no exit code: {detail or reason or 'no reason given'}"
        return Result(Outcome.FAILED, reason=why, duration_seconds=duration)
    # A container reports death by a signal as 128 + its number.
    result = result_of_exit(exit_code, duration, can_dead_letter=can_dead_letter, outcomes=outcomes)
    if not detail:
        return result
    # Also beside an exit code of 0: a child that ran out of memory may be why a job has done only half of its work.
    return dataclasses.replace(result, reason=f"exit code {exit_code}: {detail}")


def _stopped_by_watcher(text: str, duration_seconds: float, *, has_run: bool) -> Result:
    outcome = _outcome(text)
    if outcome is Outcome.DID_NOT_START and has_run:
        # It started while StopTask was on its way.
        return Result(
            Outcome.INTERRUPTED, reason="it started just when it was stopped", duration_seconds=duration_seconds
        )
    reason = _OWN_STOPS.get(outcome, f"stopped by the watcher: {outcome}")
    return Result(outcome, reason=reason, duration_seconds=duration_seconds)


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
