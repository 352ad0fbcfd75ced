"""Isolation.TASK: every job is an ECS task of the user's own image."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

from watchbot.contract import Outcome, Settings
from watchbot.ecs import Ecs, EcsError
from watchbot.job import Job
from watchbot.message import Message
from watchbot.payload_store import PayloadError, PayloadGoneError, Payloads
from watchbot.result import Result
from watchbot.stopped_task import STOP_REASON_PREFIX, is_stopped, result_of_task
from watchbot.task_poller import Task, TaskPoller
from watchbot.task_request import OVERRIDES_LIMIT, MessageTooLargeError, started_by, task_request

_HANDOVER_SECONDS = 10
"""A message handed over stays away for as long as a task just started may take to show up in ListTasks."""

_UNANSWERED_SECONDS = 2.0

_REMOVING = {Outcome.SUCCEEDED, Outcome.REJECTED, Outcome.DEAD_LETTERED}

TaskStarted = Callable[[str, str], None]
"""Takes the message id and the ARN of the task that was started for it."""


class TaskRunner:
    """Starts an ECS task for each job and follows it; the tasks belong to ECS and outlive any watcher.

    On a drain or a lost lease a task is let go, never stopped: the next watcher that receives its message finds it
    again by ``startedBy``. ECS shows stopped tasks for about an hour; a finished task whose message nobody receives
    for that long runs again.
    """

    outlives_watcher = True

    def __init__(
        self,
        ecs: Ecs,
        settings: Settings,
        shared: Mapping[str, str],
        task_started: TaskStarted,
        payloads: Payloads | None = None,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._ecs = ecs
        self._settings = settings
        self._shared = shared
        self._task_started = task_started
        self._payloads = payloads
        self._now = now
        self._poller = TaskPoller(ecs)
        self._can_dead_letter = settings.dead_letter_queue_url is not None
        self._running: dict[str, str] = {}
        self._found: dict[str, str] = {}
        self._attempts: dict[str, int] = {}
        self._launching = 0
        self._launched = asyncio.Event()
        self._draining = False

    @property
    def capacity(self) -> int:
        """The number of worker tasks that may run at once."""
        return self._settings.workers

    async def recover(self, message: Message) -> Result | Literal["running"] | None:
        """Find the tasks of earlier receives: adopt one that has not stopped, or take the answer of one that has."""
        name = started_by(message.message_id)
        try:
            arns = await self._ecs.list_tasks(name, "RUNNING") + await self._ecs.list_tasks(name, "STOPPED")
            tasks = (await self._ecs.describe_tasks(arns[:100])).get("tasks", []) if arns else []
        except EcsError as error:
            return Result(Outcome.DID_NOT_START, reason=f"earlier tasks of this message cannot be looked up: {error}")
        tasks.sort(key=lambda task: str(task.get("createdAt", "")), reverse=True)
        self._attempts[message.message_id] = len(tasks)
        for task in tasks:
            if not is_stopped(task):
                self._found[message.message_id] = task["taskArn"]
                return "running"
        for task in tasks:
            result = result_of_task(task, can_dead_letter=self._can_dead_letter)
            if result.outcome in _REMOVING:
                del self._attempts[message.message_id]
                return result
        return None

    async def run(self, job: Job, started: Callable[[], None]) -> Result:
        """Start a task, or take up the one that :meth:`recover` has found, and follow it to its end."""
        message_id = job.message.message_id
        arn = self._found.pop(message_id, None)
        if arn is None:
            launched = await self._launch(job)
            if isinstance(launched, Result):
                return launched
            arn = launched
        self._running[message_id] = arn
        started()
        self._task_started(message_id, arn)
        try:
            task = None if self._draining else await self._poller.stopped(arn, self._overdue_check(arn))
        finally:
            del self._running[message_id]
        if task is None:
            return self._handed_over()
        self._attempts.pop(message_id, None)
        return result_of_task(task, can_dead_letter=self._can_dead_letter)

    async def _launch(self, job: Job) -> str | Result:
        message_id = job.message.message_id
        attempt = self._attempts.get(message_id, 0)
        try:
            request = task_request(self._settings, await self._with_text(job), self._shared, attempt)
        except (MessageTooLargeError, PayloadGoneError) as error:
            return Result(Outcome.DEAD_LETTERED if self._can_dead_letter else Outcome.FAILED, reason=str(error))
        except PayloadError as error:
            return Result(Outcome.DID_NOT_START, reason=str(error))
        self._launching += 1
        try:
            launched = await self._until_answered(request)
        finally:
            self._launching -= 1
            self._launched.set()
        if isinstance(launched, Result) and launched.outcome is Outcome.DID_NOT_START:
            # A definite refusal has used this attempt's token up.
            self._attempts[message_id] = attempt + 1
        return launched

    async def _with_text(self, job: Job) -> Job:
        """Fetch what a pointer points at; raises :class:`MessageTooLargeError` when a task cannot take it."""
        if job.pointer is None or self._payloads is None:
            return job
        text = await self._payloads.text(job.pointer, OVERRIDES_LIMIT)
        if text is None:
            raise MessageTooLargeError(
                f"its payload {job.pointer} does not fit into the environment of an ECS task: "
                f"it must be text of at most {OVERRIDES_LIMIT} bytes"
            )
        return dataclasses.replace(job, text=text)

    async def _until_answered(self, request: Mapping[str, Any]) -> str | Result:
        """Ask again with the very same request until ECS has answered, so that it never starts a second task."""
        while not self._draining:
            try:
                answer = await self._ecs.run_task(request)
            except EcsError as error:
                if error.tasks:
                    return error.tasks[0]
                if error.answered:
                    return Result(Outcome.DID_NOT_START, reason=str(error))
                await asyncio.sleep(_UNANSWERED_SECONDS)
                continue
            if answer.get("tasks"):
                return str(answer["tasks"][0]["taskArn"])
            failures = "; ".join(str(failure.get("reason")) for failure in answer.get("failures", []))
            return Result(Outcome.DID_NOT_START, reason=f"ECS placed no task: {failures or 'no reason given'}")
        return self._handed_over()

    def _overdue_check(self, arn: str) -> Callable[[Task], None]:
        timeout_seconds = self._settings.job_timeout_seconds
        asked = False

        def check(task: Task) -> None:
            nonlocal asked
            started_at = task.get("startedAt")
            if asked or not timeout_seconds or started_at is None or task.get("desiredStatus") == "STOPPED":
                return
            if self._now() - started_at.timestamp() >= timeout_seconds:
                asked = True
                stopping = asyncio.create_task(self._stop(arn, Outcome.TIMED_OUT))
                stopping.add_done_callback(lambda done: done.exception())

        return check

    async def _stop(self, arn: str, outcome: Outcome) -> None:
        await self._ecs.stop_task(arn, f"{STOP_REASON_PREFIX}{outcome.value}")

    def abandon(self, message_id: str) -> None:
        """Let the task of this message go; whoever holds its lease now will find it."""
        arn = self._running.get(message_id)
        if arn is not None:
            self._poller.forget(arn)

    async def drain(self, deadline: float) -> None:
        """Finish the launches in flight and let every task go; the deadline bounds only the former."""
        self._draining = True
        for arn in list(self._running.values()):
            self._poller.forget(arn)
        loop = asyncio.get_running_loop()
        while self._launching and loop.time() < deadline:
            self._launched.clear()
            try:
                async with asyncio.timeout_at(min(deadline, loop.time() + 10)):
                    await self._launched.wait()
            except TimeoutError:
                return

    def _handed_over(self) -> Result:
        return Result(
            Outcome.INTERRUPTED, reason="left to the watcher that receives it next", delay_seconds=_HANDOVER_SECONDS
        )
