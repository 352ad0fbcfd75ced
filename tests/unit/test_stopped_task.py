from __future__ import annotations

import datetime
from typing import Any

import pytest

from watchbot.contract import Outcome
from watchbot.stopped_task import is_stopped, result_of_task

STARTED = {"startedAt": datetime.datetime(2026, 12, 1, tzinfo=datetime.UTC)}


def _task(exit_code: int | None = None, code: str | None = None, reason: str = "", detail: str = "") -> dict[str, Any]:
    worker: dict[str, Any] = {"name": "worker", "reason": detail}
    if exit_code is not None:
        worker["exitCode"] = exit_code
    sidecar = {"name": "sidecar", "exitCode": 0}
    return {"lastStatus": "STOPPED", "stopCode": code, "stoppedReason": reason, "containers": [sidecar, worker]}


@pytest.mark.parametrize(
    ("task", "outcome"),
    [
        (_task(0, "EssentialContainerExited"), Outcome.SUCCEEDED),
        (_task(3, "EssentialContainerExited"), Outcome.REJECTED),
        (_task(4, "EssentialContainerExited"), Outcome.NO_OP),
        (_task(5, "EssentialContainerExited"), Outcome.DEAD_LETTERED),
        (_task(1, "EssentialContainerExited"), Outcome.FAILED),
        (_task(0, None), Outcome.SUCCEEDED),
        (_task(137, "EssentialContainerExited", detail="OutOfMemoryError: killed"), Outcome.FAILED),
        (_task(0, "UserInitiated", "watchbot:timed_out"), Outcome.TIMED_OUT),
        (_task(0, "UserInitiated", "watchbot:nonsense"), Outcome.INTERRUPTED),
        (_task(0, "SpotInterruption"), Outcome.INTERRUPTED),
        (_task(0, "TerminationNotice"), Outcome.INTERRUPTED),
        (_task(0, None, "Your Spot Task was interrupted."), Outcome.INTERRUPTED),
        (_task(2, None, "Your Spot Task was interrupted."), Outcome.INTERRUPTED),
        (_task(None, None, "Host EC2 (instance i-1) terminated."), Outcome.INTERRUPTED),
        (_task(0, None, "Container instance deregistration forced by user"), Outcome.INTERRUPTED),
        (_task(0, "UserInitiated", "stopped by hand"), Outcome.INTERRUPTED),
        (_task(0, "InfrastructureHealth"), Outcome.INTERRUPTED),
        (_task(None, "TaskFailedToStart", "CannotPullContainerError: no such tag"), Outcome.DID_NOT_START),
        (_task(None, "EssentialContainerExited"), Outcome.DID_NOT_START),
        ({"lastStatus": "STOPPED", "containers": []}, Outcome.DID_NOT_START),
    ],
)
def test_who_stopped_a_task_comes_before_what_its_worker_answered(task: dict[str, Any], outcome: Outcome) -> None:
    assert result_of_task(task, can_dead_letter=True).outcome is outcome


def test_an_out_of_memory_kill_is_named() -> None:
    result = result_of_task(_task(137, "EssentialContainerExited", detail="OutOfMemoryError: x"), can_dead_letter=True)
    assert result.reason == "exit code 137: OutOfMemoryError: x"


@pytest.mark.parametrize(
    "detail",
    ["OutOfMemoryError: Container killed", "CannotInspectContainerError: timed out", "DockerTimeoutError: stop", ""],
)
@pytest.mark.parametrize("code", ["EssentialContainerExited", None])
def test_a_task_that_ran_and_has_no_exit_code_has_failed(detail: str, code: str | None) -> None:
    result = result_of_task(_task(None, code, "Essential container exited", detail) | STARTED, can_dead_letter=True)
    assert result.outcome is Outcome.FAILED
    assert (detail or "Essential container exited") in (result.reason or "")


def test_a_task_that_ran_and_shows_no_container_has_failed() -> None:
    result = result_of_task({"lastStatus": "STOPPED", "containers": [], **STARTED}, can_dead_letter=True)
    assert (result.outcome, result.exit_code) == (Outcome.FAILED, None)


@pytest.mark.parametrize(
    ("task", "outcome"),
    [
        (_task(None, "TaskFailedToStart", "CannotStartContainerError"), Outcome.DID_NOT_START),
        (_task(None, "SpotInterruption"), Outcome.INTERRUPTED),
        (_task(None, None, "Host EC2 (instance i-1) terminated."), Outcome.INTERRUPTED),
        (_task(None, "UserInitiated", "watchbot:timed_out"), Outcome.TIMED_OUT),
        (_task(0, "UserInitiated", "watchbot:did_not_start"), Outcome.INTERRUPTED),
    ],
)
def test_what_stopped_a_started_task_still_comes_first(task: dict[str, Any], outcome: Outcome) -> None:
    assert result_of_task(task | STARTED, can_dead_letter=True).outcome is outcome


@pytest.mark.parametrize(("code", "outcome"), [(0, Outcome.SUCCEEDED), (4, Outcome.NO_OP), (3, Outcome.REJECTED)])
def test_a_child_that_was_out_of_memory_is_named_whatever_the_exit_code(code: int, outcome: Outcome) -> None:
    task = _task(code, "EssentialContainerExited", detail="OutOfMemoryError: Container killed") | STARTED
    result = result_of_task(task, can_dead_letter=True)
    assert (result.outcome, result.exit_code) == (outcome, code)
    assert result.reason == f"exit code {code}: OutOfMemoryError: Container killed"


@pytest.mark.parametrize(
    ("status", "stopped"), [("STOPPED", True), ("DELETED", True), ("DEPROVISIONING", False), ("STOPPING", False)]
)
def test_a_task_that_is_still_stopping_has_no_answer_yet(status: str, stopped: bool) -> None:
    assert is_stopped({"lastStatus": status}) is stopped
