"""The wire to ECS: a small asynchronous protocol, and boto3 in threads behind it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import botocore.config
from botocore.exceptions import BotoCoreError, ClientError

from watchbot.aws_session import AwsAccess
from watchbot.call_threads import CallThreads, NoThreadError
from watchbot.deadline import CallTimeoutError
from watchbot.task_answer import cut_down

_T = TypeVar("_T")

DESCRIBE_LIMIT = 100
"""Tasks that one DescribeTasks call takes.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTasks.html
"""

_THROTTLED = {"ThrottlingException", "Throttling", "RequestLimitExceeded", "TooManyRequestsException"}

_LAUNCH_THREADS = 8
"""Enough for the 20 launches a second of an account when an answer takes 0.4 seconds."""

_THREADS = 4
_TIMEOUT_SECONDS = 20


@dataclasses.dataclass(frozen=True, slots=True)
class TaskPage:
    """A page of up to 100 tasks' ARNs, and where the next one begins."""

    arns: list[str]
    next_token: str | None = None


class EcsError(Exception):
    """A call failed.

    ``answered`` when ECS has refused it, so that the same call would be refused again; ``throttled`` when it would take
    it at another time; ``tasks`` are those that a conflict names.
    """

    def __init__(self, problem: str, *, code: str = "", answered: bool = False, tasks: Sequence[str] = ()) -> None:
        self.code = code
        self.answered = answered
        self.throttled = code in _THROTTLED
        self.tasks = tuple(tasks)
        super().__init__(problem)


class Ecs(Protocol):
    """What the watcher asks of ECS. Every call raises :class:`EcsError`."""

    async def run_task(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """RunTask, with its own fields; gives its answer."""

    async def describe_tasks(self, arns: Sequence[str]) -> Mapping[str, Any]:
        """DescribeTasks for at most 100 tasks; gives its answer, ``failures`` included."""

    async def list_tasks(
        self,
        *,
        started_by: str | None = None,
        family: str | None = None,
        desired_status: str = "RUNNING",
        next_token: str | None = None,
    ) -> TaskPage:
        """ListTasks of the cluster: one page."""

    async def stop_task(self, arn: str, reason: str) -> None:
        """StopTask, with a reason that another watcher can read back."""


class BotoEcs:
    """boto3 behind the protocol, in a few threads however many tasks run; reads never wait behind launches."""

    def __init__(self, cluster: str, aws: AwsAccess) -> None:
        self._cluster = cluster
        config = botocore.config.Config(
            connect_timeout=5,
            read_timeout=_TIMEOUT_SECONDS,
            max_pool_connections=_THREADS + _LAUNCH_THREADS,
            retries={"total_max_attempts": 1},
            user_agent_extra="watchbot",
        )
        self._client = aws.client("ecs", config)
        self._client.meta.events.register("before-parse.ecs.DescribeTasks", cut_down)
        self._threads = CallThreads(_THREADS, "ecs", _TIMEOUT_SECONDS)
        self._launches = CallThreads(_LAUNCH_THREADS, "launch", _TIMEOUT_SECONDS)

    async def run_task(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Start one task."""
        answer: Mapping[str, Any] = await self._call(
            lambda: self._client.run_task(cluster=self._cluster, **request), self._launches
        )
        if not _is_launch(answer):
            raise EcsError("ECS's answer to RunTask names neither a task nor a failure")
        return answer

    async def describe_tasks(self, arns: Sequence[str]) -> Mapping[str, Any]:
        """Ask how up to 100 tasks are."""
        return await self._call(lambda: self._client.describe_tasks(cluster=self._cluster, tasks=list(arns)))

    async def list_tasks(
        self,
        *,
        started_by: str | None = None,
        family: str | None = None,
        desired_status: str = "RUNNING",
        next_token: str | None = None,
    ) -> TaskPage:
        """Look up tasks by who started them or by their family."""
        filters = {"startedBy": started_by, "family": family, "nextToken": next_token}
        fields = {name: value for name, value in filters.items() if value is not None}
        # RUNNING is what is listed without this filter, beside which startedBy should stand alone.
        fields |= {} if desired_status == "RUNNING" else {"desiredStatus": desired_status}
        answer = await self._call(lambda: self._client.list_tasks(cluster=self._cluster, **fields))
        token = answer.get("nextToken")
        return TaskPage(_texts(answer.get("taskArns")), token if isinstance(token, str) and token else None)

    async def stop_task(self, arn: str, reason: str) -> None:
        """Stop one task."""
        await self._call(lambda: self._client.stop_task(cluster=self._cluster, task=arn, reason=reason))

    async def _call(self, call: Callable[[], _T], threads: CallThreads | None = None) -> _T:
        try:
            return await (threads or self._threads).make(call)
        except ClientError as error:
            response: Mapping[str, Any] = error.response
            status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
            code = str(response.get("Error", {}).get("Code") or "")
            answered = 400 <= status < 500 and code not in _THROTTLED
            tasks = _texts(response.get("resourceIds"))
            raise EcsError(str(error), code=code, answered=answered, tasks=tasks) from error
        except (BotoCoreError, CallTimeoutError, NoThreadError) as error:
            raise EcsError(f"ECS cannot be reached: {error}", code=type(error).__name__) from error
        except Exception as error:
            # What botocore raises for an answer of another shape.
            raise EcsError(f"ECS cannot be called: {error!r}", code=type(error).__name__) from error


def _is_launch(answer: Mapping[str, Any]) -> bool:
    started, failures = answer.get("tasks") or [], answer.get("failures") or []
    if started:
        arn = started[0].get("taskArn") if isinstance(started[0], Mapping) else None
        return isinstance(arn, str) and arn != ""
    return bool(failures) and all(isinstance(failure, Mapping) for failure in failures)


def _texts(value: Any) -> list[str]:
    """Read a list of texts; anything else in it, or instead of it, is left out."""
    return [text for text in value if isinstance(text, str)] if isinstance(value, list) else []
