"""An ECS cluster on Fargate by the documented rules: what RunTask, StopTask, DescribeTasks and ListTasks answer."""

from __future__ import annotations

import dataclasses
import json
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bench.scale.refusal import Refusal, invalid
from bench.scale.task import Task

_OVERRIDES_LIMIT = 8192
"""Characters of JSON: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html."""

_PAGE = 100
"""Tasks that a DescribeTasks takes and a page of ListTasks holds.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html
"""

_SHOWN_SECONDS = 3600.0
"""Stopped tasks are shown for at least an hour.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html
"""

_TOKEN_SECONDS = 24 * 3600.0
"""How long a client token is known: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/ECS_Idempotency.html."""

_STOPPING_SECONDS = 2.0

Request = Mapping[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Life:
    """How long tasks take to start and, from then on, to end; and how many of them fail.

    They run for exponentially distributed times: how long one has run already says nothing about when it ends, so a
    cluster filled a minute ago is as steady as one filled last year.
    """

    start_seconds: tuple[float, float] = (20.0, 40.0)
    mean_seconds: float = 300.0
    failing_share: float = 0.0
    hidden_seconds: float = 5.0
    """A new task is unknown to all reads for up to this long: the API is eventually consistent.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RunTask.html
    """


class Cluster:
    """Every task there has been. It tells time by ``now``, in seconds since 1970."""

    def __init__(self, life: Life, chance: random.Random, now: Callable[[], float]) -> None:
        self._life = life
        self._chance = chance
        self._now = now
        self._tasks: dict[str, Task] = {}
        self._alive: dict[str, Task] = {}
        self._by_starter: defaultdict[str, list[Task]] = defaultdict(list)
        self._tokens: dict[str, tuple[str, Task]] = {}
        self.twice_at_once = 0

    def run_task(self, request: Request) -> bytes:
        """Launch a task, or find the one that this token has launched; raises :class:`Refusal`."""
        overrides = request.get("overrides", {})
        if (length := len(json.dumps(overrides))) > _OVERRIDES_LIMIT:
            raise invalid(f"Container Overrides length must be at most {_OVERRIDES_LIMIT}, got {length}.")
        if len(request.get("startedBy", "")) > 128 or len(request["clientToken"]) > 64:
            raise invalid("startedBy must have at most 128 characters, and clientToken 64.")
        now, token, frozen = self._now(), request["clientToken"], json.dumps(request, sort_keys=True)
        known, task = self._tokens.get(token, ("", None))
        if task is None or now - task.created_at >= _TOKEN_SECONDS:
            task = self._launch(request["startedBy"], _family(request["taskDefinition"]), overrides)
            self._tokens[token] = (frozen, task)
        elif known != frozen:
            raise Refusal(
                "ConflictException", "The client token is used by another request.", fields={"resourceIds": [task.arn]}
            )
        return b'{"tasks":[%b],"failures":[]}' % task.description(now)

    def stop_task(self, request: Request) -> bytes:
        """Stop a task, which takes a moment; raises :class:`Refusal`."""
        now, task = self._now(), self._tasks.get(request["task"])
        if task is None:
            raise invalid("The referenced task was not found.")
        if not task.is_stopped(now):
            task.stop_asked = task.stop_asked or request.get("reason") or "Task stopped by user"
            task.stops_at = min(task.stops_at, now + _STOPPING_SECONDS)
            task.exit_code = 143
        return b'{"task":%b}' % task.description(now)

    def describe_tasks(self, request: Request) -> bytes:
        """Describe tasks, and name those that are not known, or not yet, or no longer; raises :class:`Refusal`."""
        arns = request.get("tasks", [])
        if not 1 <= len(arns) <= _PAGE:
            raise invalid(f"Tasks must have 1 to {_PAGE} elements, got {len(arns)}.")
        now = self._now()
        tasks = {arn: self._tasks.get(arn) for arn in arns}
        shown = [task.description(now) for task in tasks.values() if task is not None and self._is_shown(task, now)]
        missing = [
            {"arn": arn, "reason": "MISSING"}
            for arn, task in tasks.items()
            if task is None or not self._is_shown(task, now)
        ]
        return b'{"tasks":[%b],"failures":%b}' % (b",".join(shown), json.dumps(missing).encode())

    def list_tasks(self, request: Request) -> bytes:
        """List a page of tasks, oldest first; raises :class:`Refusal`."""
        if not 1 <= request.get("maxResults", _PAGE) <= _PAGE:
            raise invalid(f"maxResults must be from 1 to {_PAGE}.")
        now, status = self._now(), request.get("desiredStatus", "RUNNING")
        after = int(request.get("nextToken", "0"))
        page: list[Task] = []
        for task in self._candidates(request, status, now):
            if task.number > after and task.desired_status(now) == status and self._is_shown(task, now):
                page.append(task)
            if len(page) > _PAGE:
                break
        answer: dict[str, Any] = {"taskArns": [task.arn for task in page[:_PAGE]]}
        if len(page) > _PAGE:
            answer["nextToken"] = str(page[_PAGE - 1].number)
        return json.dumps(answer).encode()

    def adopt(self, started_by: str, family: str, overrides: Mapping[str, Any]) -> None:
        """Have a task that somebody has started a while ago and that runs by now."""
        task = self._launch(started_by, family, overrides)
        left = task.stops_at - task.starts_at
        task.created_at -= 2 * self._life.start_seconds[1] + self._life.hidden_seconds
        task.shown_at = task.created_at + self._life.hidden_seconds
        task.starts_at = task.created_at + self._life.start_seconds[1]
        task.stops_at = self._now() + left

    def tasks_of(self, started_by: str) -> list[Task]:
        """Give all tasks with this starter, hidden or forgotten ones too."""
        return self._by_starter.get(started_by, [])

    @property
    def alive(self) -> int:
        """How many have not stopped."""
        self._bury(self._now())
        return len(self._alive)

    def _launch(self, started_by: str, family: str, overrides: Mapping[str, Any]) -> Task:
        now, life, others = self._now(), self._life, self._by_starter[started_by]
        self.twice_at_once += any(not other.is_stopped(now) for other in others)
        starts_at = now + self._chance.uniform(*life.start_seconds)
        task = Task(
            number=len(self._tasks) + 1,
            name=f"{self._chance.getrandbits(128):032x}",
            started_by=started_by,
            family=family,
            overrides=overrides,
            created_at=now,
            shown_at=now + self._chance.uniform(0, life.hidden_seconds),
            starts_at=starts_at,
            stops_at=starts_at + max(1.0, self._chance.expovariate(1 / life.mean_seconds)),
            exit_code=1 if self._chance.random() < life.failing_share else 0,
        )
        self._tasks[task.arn] = self._alive[task.arn] = task
        others.append(task)
        return task

    def _candidates(self, request: Request, status: str, now: float) -> Iterable[Task]:
        if "startedBy" in request:
            return self.tasks_of(request["startedBy"])
        self._bury(now)
        tasks = self._alive if status == "RUNNING" else self._tasks
        return (task for task in tasks.values() if request.get("family") in (None, task.family))

    def _bury(self, now: float) -> None:
        for arn in [arn for arn, task in self._alive.items() if task.is_stopped(now)]:
            del self._alive[arn]

    def _is_shown(self, task: Task, now: float) -> bool:
        return task.shown_at <= now < task.stops_at + _SHOWN_SECONDS


def _family(task_definition: str) -> str:
    return task_definition.rpartition("/")[2].partition(":")[0]
