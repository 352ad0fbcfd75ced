"""Isolation.TASK: every job is an ECS task of the user's own image."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Mapping
from typing import Literal

from watchbot.contract import Outcome
from watchbot.ecs import EcsError
from watchbot.job import Job
from watchbot.launcher import Launched, Launcher, LaunchRefusedError, LaunchStoppedError
from watchbot.message import Message
from watchbot.payload_store import PayloadError, PayloadGoneError
from watchbot.result import USUAL_OUTCOMES, Result
from watchbot.stopped_task import Task, is_stopped, result_of_task
from watchbot.task_deadline import TaskDeadline
from watchbot.task_lookup import TaskLookup
from watchbot.task_message import LARGE_BYTES, TaskMessage
from watchbot.task_poller import Lost, TaskPoller
from watchbot.task_request import MessageTooLargeError

_HANDOVER_SECONDS = 10
"""A message handed over stays away for as long as a task just started may take to show up in ListTasks."""

_LAST_LAUNCH_SECONDS = 10.0
"""How long a drain waits for the answers to launches that ECS was asked for."""

_KEEP_SECONDS = 24 * 3600.0
"""How often stored content is written again: the bucket deletes objects that are two days old."""

_KEEP_AGAIN_SECONDS = 60.0

_REMOVING = {Outcome.SUCCEEDED, Outcome.REJECTED, Outcome.DEAD_LETTERED}

TaskStarted = Callable[[str, str], None]
"""Takes the message id and the ARN of the task that was started for it."""


@dataclasses.dataclass(slots=True)
class _Run:
    """A job that is being launched or followed here; ``arn`` once its task is known."""

    held: Callable[[], bool]
    arn: str | None = None
    abandoned: bool = False
    started: bool = False
    keeping: asyncio.Task[None] | None = None


class TaskRunner:
    """Starts an ECS task for each job and follows it; the tasks belong to ECS and outlive any watcher.

    On a drain or a lost lease a task is let go, never stopped: the next watcher that receives its message finds it
    again by ``startedBy``. ECS shows stopped tasks for about an hour; a finished task whose message nobody receives
    for that long runs again.
    """

    outlives_watcher = True

    def __init__(
        self,
        launcher: Launcher,
        lookup: TaskLookup,
        poller: TaskPoller,
        deadline: TaskDeadline,
        task_message: TaskMessage,
        task_started: TaskStarted,
        *,
        workers: int,
        can_dead_letter: bool,
        outcomes: Mapping[int, Outcome] = USUAL_OUTCOMES,
    ) -> None:
        self._launcher = launcher
        self._lookup = lookup
        self._poller = poller
        self._task_message = task_message
        self._task_started = task_started
        self._workers = workers
        self._can_dead_letter = can_dead_letter
        self._outcomes = outcomes
        self._deadline = deadline
        self._runs: dict[str, _Run] = {}
        self._found: dict[str, str] = {}
        self._extras: dict[str, dict[str, asyncio.Task[None]]] = {}
        self._draining = False

    @property
    def capacity(self) -> int:
        """The number of worker tasks that may run at once."""
        return self._workers

    async def recover(self, message: Message) -> Result | Literal["running"] | None:
        """Find the tasks of earlier receives: adopt one that has not stopped, or take the answer of one that has."""
        self._found.pop(message.message_id, None)
        try:
            tasks = await self._lookup.tasks_of(message.message_id)
        except EcsError as error:
            if self._draining:
                return _handed_over()
            return Result(Outcome.DID_NOT_START, reason=f"earlier tasks of this message cannot be looked up: {error}")
        self._launcher.note_known(message.message_id, len(tasks))
        alive = [task for task in tasks if not is_stopped(task)]
        if alive:
            self._found[message.message_id] = alive[0]["taskArn"]
            for task in alive[1:]:
                self._stop_extra(message.message_id, task)
            return "running"
        return next((result for result in map(self._result, tasks) if result.outcome in _REMOVING), None)

    async def run(self, job: Job, started: Callable[[], None], held: Callable[[], bool]) -> Result:
        """Start a task, or take up the one that :meth:`recover` has found, and follow it to its end."""
        message_id = job.message.message_id
        run = self._runs[message_id] = _Run(held)
        if message_id in self._found and job.content_bytes > LARGE_BYTES:
            run.keeping = asyncio.create_task(self._keep_content(job))
        try:
            result = await self._launch_and_follow(job, run, started)
        finally:
            if run.keeping is not None:
                run.keeping.cancel()
            del self._runs[message_id]
        if result.outcome in _REMOVING:
            self._launcher.forget(message_id)
        else:
            self._leave_extras(message_id)
        return result

    async def _launch_and_follow(self, job: Job, run: _Run, started: Callable[[], None]) -> Result:
        message_id = job.message.message_id
        found = self._found.pop(message_id, None)
        result = None
        if found is not None:
            result = await self._follow(message_id, run, Launched(found, is_new=False), started)
        while result is None:
            launched = await self._launch(job, run)
            if isinstance(launched, Result):
                return launched
            result = await self._follow(message_id, run, launched, started)
        return result

    async def _keep_content(self, job: Job) -> None:
        """Store the content of a message, once adopted, and write it again before the bucket deletes it.

        A failure is tried again after a minute: until then the message stays in memory.
        """
        pause = 0.0 if job.message.stored is None else _KEEP_SECONDS
        while True:
            await asyncio.sleep(pause)
            try:
                if job.message.stored is None:
                    await self._task_message.prepared(job)
                else:
                    await self._task_message.renew(job.message)
                pause = _KEEP_SECONDS
            except (MessageTooLargeError, PayloadError):
                pause = _KEEP_AGAIN_SECONDS

    async def _launch(self, job: Job, run: _Run) -> Launched | Result:
        try:
            form = await self._task_message.prepared(job)
            if job.message.stored is not None and run.keeping is None:
                run.keeping = asyncio.create_task(self._keep_content(job))
            return await self._launcher.launch(form, lambda: run.held() and not (run.abandoned or self._draining))
        except (MessageTooLargeError, PayloadGoneError) as error:
            return Result(Outcome.DEAD_LETTERED if self._can_dead_letter else Outcome.FAILED, reason=str(error))
        except (LaunchRefusedError, PayloadError) as error:
            return Result(Outcome.DID_NOT_START, reason=str(error), fault=error.fault)
        except LaunchStoppedError:
            return _handed_over()

    async def _follow(
        self, message_id: str, run: _Run, launched: Launched, started: Callable[[], None]
    ) -> Result | None:
        """Wait for the end of a task; None when it had ended before and its failure was settled then."""
        if run.abandoned or self._draining:
            return _handed_over()
        run.arn = launched.arn
        was_over = launched.is_earlier
        self._task_started(message_id, launched.arn)
        watch = self._deadline.watch(message_id, launched.arn, launched_here=launched.is_new)

        def seen(task: Task) -> None:
            nonlocal was_over
            was_over = was_over and is_stopped(task)
            if not run.started and not was_over and task.get("startedAt") is not None:
                run.started = True
                started()
            watch(task)

        try:
            task = await self._poller.stopped(launched.arn, seen)
        finally:
            watch.end()
        if task is Lost.FORGOTTEN:
            return _handed_over()
        if task is Lost.GONE and was_over:
            return None  # an earlier launch had used this number, so long ago that ECS has forgotten its task
        if task is Lost.GONE:
            outcome = Outcome.INTERRUPTED if run.started else Outcome.DID_NOT_START
            return Result(outcome, reason=f"ECS no longer knows the task {launched.arn}")
        result = self._result(task)
        if result.outcome is Outcome.DID_NOT_START:
            self._launcher.note_unstarted(message_id)
        return None if was_over and result.outcome not in _REMOVING else result

    def _stop_extra(self, message_id: str, task: Task) -> None:
        """Stop a second task of a message in the background, and look on until it has stopped."""
        arn = task["taskArn"]
        extras = self._extras.setdefault(message_id, {})
        if arn not in extras:
            extras[arn] = asyncio.create_task(self._until_stopped(message_id, task))

    async def _until_stopped(self, message_id: str, task: Task) -> None:
        arn = task["taskArn"]
        watch = self._deadline.watch_extra(message_id, arn)
        try:
            watch(task)
            await self._poller.stopped(arn, watch)
        finally:
            watch.end()
            extras = self._extras.get(message_id, {})
            if extras.pop(arn, None) is not None and not extras:
                del self._extras[message_id]

    def _leave_extras(self, message_id: str) -> None:
        """Leave the other tasks of a message alone: whoever receives it next may take one of them up."""
        for arn, extra in self._extras.pop(message_id, {}).items():
            extra.cancel()
            self._poller.forget(arn)

    def _result(self, task: Task) -> Result:
        result = result_of_task(task, can_dead_letter=self._can_dead_letter, outcomes=self._outcomes)
        return dataclasses.replace(result, task=task["taskArn"])

    def abandon(self, message_id: str) -> None:
        """Let the task of this message go; whoever holds its lease now will find it."""
        run = self._runs.get(message_id)
        if run is None:
            return
        self._leave_extras(message_id)
        run.abandoned = True
        if run.arn is not None:
            self._poller.forget(run.arn)

    async def drain(self, deadline: float) -> None:
        """Finish the launches in flight and let every task go; the deadline bounds only the former."""
        self._draining = True
        self._lookup.stop()
        for run in self._runs.values():
            if run.arn is not None:
                self._poller.forget(run.arn)
        for message_id in list(self._extras):
            self._leave_extras(message_id)
        await self._launcher.stop(min(deadline, asyncio.get_running_loop().time() + _LAST_LAUNCH_SECONDS))


def _handed_over() -> Result:
    return Result(
        Outcome.INTERRUPTED, reason="left to the watcher that receives it next", delay_seconds=_HANDOVER_SECONDS
    )
