"""What the worker of an ECS task wrote last, as CloudWatch Logs has it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Protocol

import botocore.config
from botocore.exceptions import ClientError

from watchbot.aws_session import AwsAccess
from watchbot.call_threads import CallThreads
from watchbot.contract import LOG_STREAM_PREFIX, WORKER_CONTAINER
from watchbot.tail import MOST_LINES, Tail
from watchbot.wait import passed

_LOOKS_AT_SECONDS = (1.0, 3.0, 6.0, 10.0, 15.0)
"""When, after the end of a job, its log is looked at: the last lines arrive some seconds late."""

_CALL_SECONDS = 30.0

_PAGES = 3
"""A page may be empty although there are events on the next.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html
"""


class LogReadError(Exception):
    """A log could not be read; ``refused`` when trying again would not help."""

    def __init__(self, problem: str, *, refused: bool = False) -> None:
        self.refused = refused
        super().__init__(problem)


class Streams(Protocol):
    """What the watcher asks of CloudWatch Logs."""

    async def last(self, stream: str, limit: int) -> list[str]:
        """Give the last lines of a stream, oldest first, none when there is none; raises :class:`LogReadError`."""


def stream_of(task_arn: str) -> str:
    """Name the stream that a worker's container writes to: a log driver puts the task's id into it.

    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_LogConfiguration.html
    """
    return f"{LOG_STREAM_PREFIX}/{WORKER_CONTAINER}/{task_arn.rpartition('/')[2]}"


class TaskLog:
    """Looks at the log of a task that has just ended until nothing more comes, for 15 seconds at most."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams

    async def last_lines(self, task_arn: str, hurried: asyncio.Event) -> list[str]:
        """Give the last lines there are; once ``hurried`` is set, those that one more look finds.

        Raises :class:`LogReadError` when no look found any because none could be taken.
        """
        found: list[str] = []
        problem: LogReadError | None = None
        waited = 0.0
        for at in _LOOKS_AT_SECONDS:
            is_last = not await passed(at - waited, unless=hurried)
            waited, before = at, found
            try:
                found, problem = await self._look(task_arn), None
            except LogReadError as error:
                problem = error
            if is_last or (found and found == before) or (problem is not None and problem.refused):
                break
        if problem is not None and not found:
            raise problem
        return found

    async def _look(self, task_arn: str) -> list[str]:
        tail = Tail()
        for text in await self._streams.last(stream_of(task_arn), MOST_LINES):
            tail.add(text)
        return tail.lines()


class BotoStreams:
    """boto3 behind the protocol, for one log group, with a client and a thread of its own."""

    def __init__(self, log_group: str, aws: AwsAccess) -> None:
        self._log_group = log_group
        config = botocore.config.Config(
            connect_timeout=5,
            read_timeout=10,
            max_pool_connections=1,
            retries={"total_max_attempts": 1},
            user_agent_extra="watchbot",
        )
        self._client = aws.client("logs", config)
        self._thread = CallThreads(1, "task-log", _CALL_SECONDS)

    async def last(self, stream: str, limit: int) -> list[str]:
        """Read from the end."""
        try:
            events = await self._thread.make(lambda: self._read(stream, limit))
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code == "ResourceNotFoundException":
                return []
            raise LogReadError(str(error), refused=code == "AccessDeniedException") from error
        except Exception as error:
            raise LogReadError(str(error)) from error
        return [str(event.get("message") or "").rstrip("\r\n") for event in events if isinstance(event, dict)]

    def _read(self, stream: str, limit: int) -> Sequence[Any]:
        token: dict[str, str] = {}
        for _ in range(_PAGES):
            page = self._client.get_log_events(
                logGroupName=self._log_group, logStreamName=stream, limit=limit, startFromHead=False, **token
            )
            found = page.get("events")
            events: list[Any] = found if isinstance(found, list) else []
            following = {"nextToken": str(page.get("nextBackwardToken") or "")}
            if events or following == token:
                return events
            token = following
        return []
