"""The tasks that earlier receives of messages have left behind."""

from __future__ import annotations

import asyncio
import enum
import itertools
from collections.abc import Iterable

from watchbot.ecs import DESCRIBE_LIMIT, EcsError
from watchbot.ecs_reads import EcsReads
from watchbot.stopped_task import Task, is_stopped
from watchbot.task_request import started_by

_REFUSED = "InvalidParameterException"
_FAMILY_PAGES = 10

_MANY = 20
"""Messages that are worth going through all running tasks for, instead of two or three calls for each of them."""

_GATHER_SECONDS = 2.0
"""Before that: how long more of them are waited for, since it costs the same for a thousand."""

_TOGETHER = 10
"""Messages whose tasks are described with one call."""


class _Went(enum.Enum):
    """How far the running tasks were gone through for a message that was not found among them."""

    THROUGH = enum.auto()
    PART_OF_THE_WAY = enum.auto()


class TaskLookup:
    """Finds tasks by who started them.

    One message is looked up by ``startedBy``. ECS's reference says of it that it must be the only filter, while stopped
    tasks are listed only with another one. ECS takes both in practice; where it does not, the family's stopped tasks
    are looked through.

    When many messages wait, as after a watcher that had a thousand tasks, the running tasks of the family are gone
    through once for all of them: two calls for a hundred tasks. Most are found so. For the rest only stopped tasks are
    left to be looked up, one message after the other.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListTasks.html
    """

    def __init__(self, reads: EcsReads, task_definition: str) -> None:
        self._reads = reads
        self._family = family_of(task_definition)
        self._takes_both_filters = True
        self._waiting: dict[str, asyncio.Future[list[Task]]] = {}
        self._went: dict[str, _Went] = {}
        self._working: asyncio.Task[None] | None = None

    async def tasks_of(self, message_id: str) -> list[Task]:
        """Give a message's tasks, the newest first; of one that has a running task, maybe not those before it.

        Raises :class:`EcsError`.
        """
        name = started_by(message_id)
        found: asyncio.Future[list[Task]] = asyncio.get_running_loop().create_future()
        self._waiting[name] = found
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work())
        try:
            return await found
        finally:
            self._waiting.pop(name, None)
            self._went.pop(name, None)

    def stop(self) -> None:
        """Look no further; whoever waits gets an :class:`EcsError`."""
        if self._working is not None:
            self._working.cancel()
        self._fail(EcsError("the watcher is stopping"))

    async def _work(self) -> None:
        while self._waiting:
            if len(self._waiting.keys() - self._went.keys()) >= _MANY:
                await asyncio.sleep(_GATHER_SECONDS)
                await self._go_through_running()
            else:
                await self._look_up(dict(itertools.islice(self._waiting.items(), _TOGETHER)))

    async def _go_through_running(self) -> None:
        """Answer those who wait and have running tasks; given up where it would cost more than it saves."""
        wanted, whole = dict(self._waiting), True
        found: dict[str, list[Task]] = {}
        token = None
        try:
            for _ in range(len(wanted) // 2):
                page = await self._reads.list_tasks(family=self._family, next_token=token)
                described, unread = await self._described(page.arns)
                whole = whole and not unread
                for task in described:
                    if task.get("startedBy") in wanted and not is_stopped(task):
                        found.setdefault(task["startedBy"], []).append(task)
                token = page.next_token
                if token is None:
                    break
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer to all who wait
            self._fail(error)
            return
        for name in found:
            self._answer(name, _newest_first(found[name]))
        went = _Went.THROUGH if token is None and whole else _Went.PART_OF_THE_WAY
        self._went |= dict.fromkeys(wanted.keys() & self._waiting.keys(), went)

    async def _look_up(self, names: Iterable[str]) -> None:
        """Answer these few: list the tasks of each, and describe all of them together."""
        arns: dict[str, list[str]] = {}
        for name in names:
            try:
                arns[name] = await self._listed(name)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer to who waits
                self._answer(name, error)
        try:
            tasks, unread = await self._described(list(dict.fromkeys(itertools.chain(*arns.values()))))
        except Exception as error:  # noqa: BLE001 - the same
            for name in arns:
                self._answer(name, error)
        else:
            for name in arns:
                if unread.isdisjoint(arns[name]):
                    self._answer(name, _newest_first(task for task in tasks if task.get("startedBy") == name))
                else:
                    # One of them may run the message right now.
                    self._answer(name, EcsError("ECS did not say how a task of this message is"))

    async def _listed(self, name: str) -> list[str]:
        running: list[str] = []
        if self._went.get(name) is not _Went.THROUGH:
            running = (await self._reads.list_tasks(started_by=name)).arns
        return running + [arn for arn in await self._stopped(name) if arn not in running]

    async def _described(self, arns: list[str]) -> tuple[list[Task], set[str]]:
        """Describe tasks; the second part of the answer are those of which it neither says how they are nor denies."""
        tasks: list[Task] = []
        unread = set(arns)
        for start in range(0, len(arns), DESCRIBE_LIMIT):
            answer = await self._reads.describe_tasks(arns[start : start + DESCRIBE_LIMIT])
            tasks += answer.get("tasks") or []
            missing = (one for one in answer.get("failures") or () if one.get("reason") == "MISSING")
            unread -= {one.get("arn", "") for one in missing}
        return tasks, unread - {task.get("taskArn", "") for task in tasks}

    async def _stopped(self, name: str) -> list[str]:
        if self._takes_both_filters:
            try:
                return (await self._reads.list_tasks(started_by=name, desired_status="STOPPED")).arns
            except EcsError as error:
                if error.code != _REFUSED:
                    raise
                self._takes_both_filters = False
        arns: list[str] = []
        token = None
        for _ in range(_FAMILY_PAGES):
            page = await self._reads.list_tasks(family=self._family, desired_status="STOPPED", next_token=token)
            arns += page.arns
            token = page.next_token
            if token is None:
                break
        return arns

    def _fail(self, error: Exception) -> None:
        for name in list(self._waiting):
            self._answer(name, error)

    def _answer(self, name: str, answer: list[Task] | Exception) -> None:
        found = self._waiting.pop(name, None)
        if found is None or found.done():
            return
        if isinstance(answer, Exception):
            found.set_exception(answer)
        else:
            found.set_result(answer)


def family_of(task_definition: str) -> str:
    """Give the family of a task definition's ARN or name."""
    return task_definition.rpartition("/")[2].partition(":")[0]


def _newest_first(tasks: Iterable[Task]) -> list[Task]:
    return sorted(tasks, key=lambda task: str(task.get("createdAt", "")), reverse=True)
