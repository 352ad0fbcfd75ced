"""An ECS by the documented rules, in virtual time: idempotent launches, late listings, limits that are enforced.

A call has its effect first and is answered later, as over a network.
"""

from __future__ import annotations

import asyncio
import datetime
import functools
import json
import math
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Concatenate, ParamSpec, TypeVar

from watchbot.ecs import EcsError, TaskPage
from watchbot.notice import Notice

Fault = Callable[[str, int], Exception | None]


ANSWER_SECONDS = 0.02
"""From the effect of a call to its answer."""

_SHOWN_SECONDS = 3600.0
"""ECS shows a stopped task for at least an hour."""


_P = ParamSpec("_P")
_T = TypeVar("_T")


def _answered_later(
    call: Callable[Concatenate[SimulatedEcs, _P], Coroutine[Any, Any, _T]],
) -> Callable[Concatenate[SimulatedEcs, _P], Coroutine[Any, Any, _T]]:
    """Let the answer to a call, or its error, arrive later than its effect."""

    @functools.wraps(call)
    async def answered_later(ecs: SimulatedEcs, /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return await call(ecs, *args, **kwargs)
        finally:
            await asyncio.sleep(ecs.answer_seconds(call.__name__))

    return answered_later


class SimulatedEcs:
    """Tasks that run for ``seconds`` and exit with ``exit_code``, or with what is drawn for each.

    ``answer_seconds`` takes the name of a call and draws how long after its effect it is answered.
    """

    def __init__(self, *, seconds: float = 60, exit_code: int | None = 0) -> None:
        self.draw_seconds: Callable[[], float] = lambda: seconds
        self.draw_exit_code: Callable[[], int | None] = lambda: exit_code
        self.tasks: dict[str, dict[str, Any]] = {}
        self.requests: list[Mapping[str, Any]] = []
        self.stops: list[tuple[str, str]] = []
        self.calls: list[str] = []
        self.troubles: list[str] = []
        self.notices: list[Notice] = []
        self.fault: Fault = lambda name, number: None
        self.lose_answers = 0
        self.answer_seconds: Callable[[str], float] = lambda name: ANSWER_SECONDS
        self.failures: list[str] = []
        self.startedby_stands_alone = False
        self.refuses: Callable[[], str | None] = lambda: None
        self.refuses_provider: str | None = None
        self.remembers_refusals = False
        self.fails_provider: str | None = None
        self.start_failure: Callable[[], str | None] = lambda: None
        self.start_seconds = 0.0
        self.listed_after_seconds = 0.0
        self._tokens: dict[str, tuple[str, str]] = {}
        self._refused: dict[str, str] = {}

    @_answered_later
    async def run_task(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        self._call("run_task")
        assert len(json.dumps(request["overrides"])) <= 8192
        assert len(request["startedBy"]) <= 128
        assert len(request["clientToken"]) <= 64
        self.requests.append(request)
        frozen = json.dumps(request, sort_keys=True)
        token = request["clientToken"]
        if token in self._refused:
            if self._refused[token] != frozen:
                raise EcsError("conflict", code="ConflictException", answered=True)
            return {"tasks": [], "failures": [{"reason": "refused before"}]}
        refusal = self.failures.pop(0) if self.failures else self._refusal(request)
        if refusal is not None and token not in self._tokens:
            if self.remembers_refusals:
                self._refused[token] = frozen
            return {"tasks": [], "failures": [{"reason": refusal}]}
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

    @_answered_later
    async def describe_tasks(self, arns: Sequence[str]) -> Mapping[str, Any]:
        self._call("describe_tasks")
        assert 1 <= len(arns) <= 100
        known = [self._described(arn) for arn in arns if self._is_shown(arn)]
        missing = [{"arn": arn, "reason": "MISSING"} for arn in arns if not self._is_shown(arn)]
        return {"tasks": known, "failures": missing}

    @_answered_later
    async def list_tasks(
        self,
        *,
        started_by: str | None = None,
        family: str | None = None,
        desired_status: str = "RUNNING",
        next_token: str | None = None,
    ) -> TaskPage:
        self._call("list_tasks")
        if started_by is not None and desired_status != "RUNNING" and self.startedby_stands_alone:
            raise EcsError("startedBy must be the only filter", code="InvalidParameterException", answered=True)
        arns = [
            arn
            for arn, task in self.tasks.items()
            if started_by in (None, task["startedBy"])
            and self._described(arn)["desiredStatus"] == desired_status
            and _now() >= task["listed_at"]
            and _now() - task["ends_at"] < _SHOWN_SECONDS
        ]
        start = int(next_token or 0)
        return TaskPage(arns[start : start + 100], str(start + 100) if len(arns) > start + 100 else None)

    @_answered_later
    async def stop_task(self, arn: str, reason: str) -> None:
        self._call("stop_task")
        self.stops.append((arn, reason))
        if _now() >= self.tasks[arn]["ends_at"]:
            return  # it keeps its own reason
        self.tasks[arn] |= {"ends_at": _now(), "stoppedReason": reason, "stopCode": "UserInitiated"}

    def _refusal(self, request: Mapping[str, Any]) -> str | None:
        providers = [one["capacityProvider"] for one in request.get("capacityProviderStrategy", [])]
        return "Capacity is unavailable at this time" if self.refuses_provider in providers else self.refuses()

    def _is_shown(self, arn: str) -> bool:
        task = self.tasks.get(arn)
        return task is not None and _now() >= task["listed_at"] and _now() - task["ends_at"] < _SHOWN_SECONDS

    def _call(self, name: str) -> None:
        self.calls.append(name)
        error = self.fault(name, self.calls.count(name))
        if error is not None:
            raise error

    def _start(self, request: Mapping[str, Any]) -> str:
        arn = f"arn:task/{len(self.tasks) + 1}"
        providers = [one["capacityProvider"] for one in request.get("capacityProviderStrategy", [])]
        failure = "no room" if self.fails_provider in providers else self.start_failure()
        self.tasks[arn] = {
            "taskArn": arn,
            "startedBy": request["startedBy"],
            "createdAt": _date(_now()),
            "listed_at": _now() + self.listed_after_seconds,
            "starts_at": _now() + self.start_seconds,
            "created": _now(),
            "ends_at": _now() + self.start_seconds + self.draw_seconds(),
            "exit_code": self.draw_exit_code(),
        }
        if failure is not None:
            ends_at = _now() + self.start_seconds
            failed = {"stopCode": "TaskFailedToStart", "stoppedReason": failure, "ends_at": ends_at}
            self.tasks[arn] |= failed | {"starts_at": math.inf}
        return arn

    def _described(self, arn: str) -> dict[str, Any]:
        task = self.tasks[arn]
        stopped = _now() >= task["ends_at"]
        started = min(_now(), task["ends_at"]) >= task["starts_at"]
        described = {
            "taskArn": arn,
            "startedBy": task["startedBy"],
            "createdAt": task["createdAt"],
            "startedAt": _date(task["starts_at"]) if started and task["starts_at"] < math.inf else None,
            "lastStatus": "STOPPED" if stopped else "RUNNING" if started else "PROVISIONING",
            "desiredStatus": "STOPPED" if stopped else "RUNNING",
            "containers": [{"name": "worker"}],
        }
        if stopped:
            described["stopCode"] = task.get("stopCode", "EssentialContainerExited")
            described["stoppedReason"] = task.get("stoppedReason", "Essential container in task exited")
            described["stoppedAt"] = _date(task["ends_at"])
            described["containers"] = [{"name": "worker", "exitCode": task["exit_code"] if started else None}]
        return described


def _now() -> float:
    return asyncio.get_running_loop().time()


def _date(seconds: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)
