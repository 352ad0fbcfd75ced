"""The tasks that earlier receives of a message have left behind."""

from __future__ import annotations

from collections.abc import Iterable

from watchbot.ecs import DESCRIBE_LIMIT, Ecs, EcsError
from watchbot.stopped_task import Task
from watchbot.task_request import started_by

_REFUSED = "InvalidParameterException"
_FAMILY_PAGES = 10


class TaskLookup:
    """Finds tasks by who started them.

    ECS's reference says of ``startedBy`` that it must be the only filter, while stopped tasks are listed only with
    another one. ECS takes both in practice; where it does not, the family's stopped tasks are looked through.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListTasks.html
    """

    def __init__(self, ecs: Ecs, task_definition: str) -> None:
        self._ecs = ecs
        self._family = family_of(task_definition)
        self._takes_both_filters = True

    async def tasks_of(self, message_id: str) -> list[Task]:
        """Give a message's tasks, the newest first; raises :class:`EcsError`."""
        name = started_by(message_id)
        arns = await self._ecs.list_tasks(started_by=name)
        arns += [arn for arn in await self._stopped(name) if arn not in arns]
        tasks: list[Task] = []
        for start in range(0, len(arns), DESCRIBE_LIMIT):
            answer = await self._ecs.describe_tasks(arns[start : start + DESCRIBE_LIMIT])
            tasks += [task for task in answer.get("tasks", []) if task.get("startedBy") == name]
        return _newest_first(tasks)

    async def _stopped(self, name: str) -> list[str]:
        if self._takes_both_filters:
            try:
                return await self._ecs.list_tasks(started_by=name, desired_status="STOPPED")
            except EcsError as error:
                if error.code != _REFUSED:
                    raise
                self._takes_both_filters = False
        return await self._ecs.list_tasks(family=self._family, desired_status="STOPPED", pages=_FAMILY_PAGES)


def family_of(task_definition: str) -> str:
    """Give the family of a task definition's ARN or name."""
    return task_definition.rpartition("/")[2].partition(":")[0]


def _newest_first(tasks: Iterable[Task]) -> list[Task]:
    return sorted(tasks, key=lambda task: str(task.get("createdAt", "")), reverse=True)
