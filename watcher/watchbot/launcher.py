"""Launching the task of a job: one request, asked until it is answered, so that it never becomes two tasks."""

from __future__ import annotations

import asyncio
import dataclasses
import random
from collections.abc import Callable, Mapping
from typing import Any

from watchbot.call_budget import CallBudget
from watchbot.ecs import Ecs, EcsError
from watchbot.job import Job
from watchbot.placement import Placement
from watchbot.result import StartFault
from watchbot.wait import passed

_PAUSE_FROM_SECONDS = 1.0
_PAUSE_TO_SECONDS = 30.0
_REMEMBERED = 20_000
_CONFLICT = "ConflictException"
_INVALID = "InvalidParameterException"

Request = Mapping[str, Any]
RequestOf = Callable[[Job, int, str | None], Request]
"""Builds RunTask's fields for the n-th task of a job on a capacity provider."""


class LaunchRefusedError(Exception):
    """ECS will not start this task now; the text says why."""

    def __init__(self, problem: str, fault: StartFault = StartFault.SERVICE) -> None:
        self.fault = fault
        super().__init__(problem)


class _UsedUpError(Exception):
    """The number of a launch belongs to one that ECS refused."""


class LaunchStoppedError(Exception):
    """The watcher is stopping or has lost the lease, and ECS has not said whether it started the task."""


@dataclasses.dataclass(frozen=True, slots=True)
class Launched:
    """The task of a job: ``is_new`` when launched just now, ``is_earlier`` when its number was used up already."""

    arn: str
    is_new: bool = True
    is_earlier: bool = False


@dataclasses.dataclass(slots=True)
class _Message:
    """How many tasks are known of a message, how often one was asked for, and what of its providers is known."""

    known: int = 0
    tries: int = 0
    provider: str | None = None
    refused: set[str] = dataclasses.field(default_factory=set)


class Launcher:
    """Turns a job into a running task, within the launch budget.

    The n-th task of a message has its own ``clientToken``, and the bytes of its request are frozen until ECS has
    answered: a lost answer is asked for again, never launched again. A conflict is an answer as well: another watcher,
    or this one in an earlier life, has launched this number already.

    After a refusal the same number is asked for, by a request that differs. Were the next one taken, a request of ours
    that is late, from before a pause, and one of the watcher that holds the message by then would have different
    numbers, and both start a task. Should ECS remember the token of a launch that it refused, it says so by a conflict
    with no task, and says the same to every watcher.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/ECS_Idempotency.html
    """

    def __init__(
        self, ecs: Ecs, request_of: RequestOf, placement: Placement, budget: CallBudget, chance: random.Random
    ) -> None:
        self._ecs = ecs
        self._request_of = request_of
        self._placement = placement
        self._budget = budget
        self._chance = chance
        self._messages: dict[str, _Message] = {}
        self._in_flight = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._stopping = asyncio.Event()

    def note_known(self, message_id: str, count: int) -> None:
        """Learn that a message has had so many tasks."""
        message = self._messages.setdefault(message_id, _Message())
        message.known = max(message.known, count)

    def note_unstarted(self, message_id: str) -> None:
        """Learn that the task launched last has not started: a provider may take tasks that it has no room for."""
        message = self._messages.get(message_id)
        if message is not None and message.provider is not None:
            message.refused.add(message.provider)

    def forget(self, message_id: str) -> None:
        """Forget what is known of a message that is done with."""
        self._messages.pop(message_id, None)

    async def launch(self, job: Job, may_launch: Callable[[], bool]) -> Launched:
        """Start the task; ``may_launch`` is asked last thing before each try, for a lease may be lost while we wait.

        Raises :class:`LaunchRefusedError`, :class:`LaunchStoppedError`, and what building the request raises.
        """
        message = self._messages.setdefault(job.message.message_id, _Message())
        if len(self._messages) > _REMEMBERED:
            del self._messages[next(iter(self._messages))]
        self._in_flight += 1
        self._idle.clear()
        try:
            launched = await self._launch(job, message, may_launch)
        except LaunchRefusedError:
            self.note_unstarted(job.message.message_id)
            raise
        else:
            message.known += 1
            return launched
        finally:
            self._in_flight -= 1
            if not self._in_flight:
                self._idle.set()

    async def stop(self, deadline: float) -> None:
        """Launch nothing more, and wait for the answers to what was asked already."""
        self._stopping.set()
        self._budget.close()
        try:
            async with asyncio.timeout_at(deadline):
                await self._idle.wait()
        except TimeoutError:
            pass

    async def _launch(self, job: Job, message: _Message, may_launch: Callable[[], bool]) -> Launched:
        provider = message.provider = self._placement.draw(message.refused)
        while True:
            message.tries += 1
            request = {**self._request_of(job, message.known, provider), "referenceId": str(message.tries)}
            try:
                return await self._until_answered(request, may_launch)
            except _UsedUpError:
                message.known += 1

    async def _until_answered(self, request: Request, may_launch: Callable[[], bool]) -> Launched:
        pause = _PAUSE_FROM_SECONDS
        asked = False
        while True:
            if not asked:
                await self._budget.take()
            if self._stopping.is_set() or not may_launch():
                # What was asked for and not answered is found, or its number taken, by whoever holds the lease next.
                raise LaunchStoppedError
            try:
                answer = await self._ecs.run_task(request)
            except EcsError as error:
                if error.code == _CONFLICT and error.tasks:
                    return Launched(error.tasks[0], is_new=False, is_earlier=True)
                if error.code == _CONFLICT:
                    raise _UsedUpError from error
                if error.throttled:
                    self._budget.refused()
                elif error.answered:
                    raise LaunchRefusedError(str(error), _fault(error)) from error
                else:
                    asked = True
            else:
                self._budget.granted()
                return _launched(answer)
            await passed(pause * (1 - 0.5 * self._chance.random()), unless=self._stopping)
            pause = min(pause * 2, _PAUSE_TO_SECONDS)


def _fault(error: EcsError) -> StartFault:
    """Leave open whose fault an invalid parameter is: the overrides are the message's, the rest is the service's."""
    return StartFault.EITHER if error.code == _INVALID else StartFault.SERVICE


def _launched(answer: Mapping[str, Any]) -> Launched:
    if answer.get("tasks"):
        return Launched(str(answer["tasks"][0]["taskArn"]))
    reasons = [str(failure.get("reason")) for failure in answer.get("failures", [])]
    raise LaunchRefusedError(f"ECS placed no task: {'; '.join(reasons) or 'no reason given'}")
