"""An ECS by the documented rules, in virtual time: idempotent launches, late listings, limits that are enforced."""

from __future__ import annotations

import asyncio
import datetime
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from watchbot.ecs import EcsError

Fault = Callable[[str, int], Exception | None]


class SimulatedEcs:
    """Tasks that run as long as ``seconds`` says and exit as ``exit_code`` says."""

    def __init__(self, *, seconds: float = 60, exit_code: int | None = 0) -> None:
        self.seconds = seconds
        self.exit_code = exit_code
        self.tasks: dict[str, dict[str, Any]] = {}
        self.requests: list[Mapping[str, Any]] = []
        self.stops: list[tuple[str, str]] = []
        self.calls: list[str] = []
        self.fault: Fault = lambda name, number: None
        self.lose_answers = 0
        self.failures: list[str] = []
        self._tokens: dict[str, tuple[str, str]] = {}

    async def run_task(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        self._call("run_task")
        assert len(json.dumps(request["overrides"])) <= 8192
        assert len(request["startedBy"]) <= 128
        assert len(request["clientToken"]) <= 64
        self.requests.append(request)
        if self.failures:
            return {"tasks": [], "failures": [{"reason": self.failures.pop(0)}]}
        frozen = json.dumps(request, sort_keys=True)
        token = request["clientToken"]
        if token in self._tokens:
            arn, known = self._tokens[token]
            if known != frozen:
                raise EcsError("conflict", code="ConflictException", answered=True, tasks=[arn])
        else:
            arn = self._start(request)
            self._tokens[token] = (arn, frozen)
        if self.lose_answers:
            self.lose_answers -= 1
            raise EcsError("timed out")
        return {"tasks": [{"taskArn": arn}], "failures": []}

    async def describe_tasks(self, arns: Sequence[str]) -> Mapping[str, Any]:
        self._call("describe_tasks")
        assert 1 <= len(arns) <= 100
        known = [self._described(arn) for arn in arns if arn in self.tasks]
        missing = [{"arn": arn, "reason": "MISSING"} for arn in arns if arn not in self.tasks]
        return {"tasks": known, "failures": missing}

    async def list_tasks(self, started_by: str, desired_status: str) -> list[str]:
        self._call("list_tasks")
        return [
            arn
            for arn in self.tasks
            if self.tasks[arn]["startedBy"] == started_by and self._described(arn)["desiredStatus"] == desired_status
        ]

    async def stop_task(self, arn: str, reason: str) -> None:
        self._call("stop_task")
        self.stops.append((arn, reason))
        self.tasks[arn] |= {"ends_at": _now(), "stoppedReason": reason, "stopCode": "UserInitiated"}

    def _call(self, name: str) -> None:
        self.calls.append(name)
        error = self.fault(name, self.calls.count(name))
        if error is not None:
            raise error

    def _start(self, request: Mapping[str, Any]) -> str:
        arn = f"arn:task/{len(self.tasks) + 1}"
        self.tasks[arn] = {
            "taskArn": arn,
            "startedBy": request["startedBy"],
            "createdAt": _date(_now()),
            "starts_at": _now(),
            "ends_at": _now() + self.seconds,
            "exit_code": self.exit_code,
        }
        return arn

    def _described(self, arn: str) -> dict[str, Any]:
        task = self.tasks[arn]
        stopped = _now() >= task["ends_at"]
        described = {
            "taskArn": arn,
            "createdAt": task["createdAt"],
            "startedAt": _date(task["starts_at"]),
            "lastStatus": "STOPPED" if stopped else "RUNNING",
            "desiredStatus": "STOPPED" if stopped else "RUNNING",
            "containers": [{"name": "worker"}],
        }
        if stopped:
            described["stopCode"] = task.get("stopCode", "EssentialContainerExited")
            described["stoppedReason"] = task.get("stoppedReason", "Essential container in task exited")
            described["stoppedAt"] = _date(task["ends_at"])
            described["containers"] = [{"name": "worker", "exitCode": task["exit_code"]}]
        return described


def _now() -> float:
    return asyncio.get_running_loop().time()


def _date(seconds: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)
