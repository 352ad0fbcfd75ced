"""The log of a service, as CloudWatch has it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from watchbot.contract import Isolation
from watchbot.task_log import stream_of
from watchbot_cli.logs.line import Line
from watchbot_cli.logs.wanted import Wanted, about, starts_of_tasks, watchers_prefix

_LAST_LINES = 100


class Log:
    """Reads a log group; a stream that is not there (yet) is empty."""

    def __init__(self, client: Any, group: str, isolation: Isolation) -> None:
        self._client = client
        self._group = group
        self._isolation = isolation
        self._watchers = watchers_prefix(isolation)

    def lines(self, wanted: Wanted, since: int) -> Iterator[Line]:
        """Give what is wanted since a time in ms since 1970, oldest first.

        Pages may be empty and yet have another behind them:
        https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
        """
        pages = self._client.get_paginator("filter_log_events").paginate(
            logGroupName=self._group, startTime=since, **wanted.request()
        )
        try:
            for page in pages:
                lines = (Line.of(event, self._watchers) for event in page.get("events", []))
                yield from filter(wanted.has, lines)
        except ClientError as error:
            if wanted.stream is None or error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise

    def tasks_of(self, message_id: str, since: int) -> list[str]:
        """Give the ARNs of the tasks that a message's job had, oldest first; none where jobs are processes."""
        if self._isolation is not Isolation.TASK:
            return []
        entries = [line.entry for line in self.lines(starts_of_tasks(message_id), since)]
        arns = [str(one.fields.get("task")) for one in entries if one is not None and one.message_id == message_id]
        return list(dict.fromkeys(arns))

    def digest(self, message_id: str, since: int) -> Iterator[str]:
        """Give the lines with this id, and behind them the last that each of its tasks wrote."""
        for line in self.lines(about(message_id), since):
            yield line.text
        for task in self.tasks_of(message_id, since):
            yield from self._last_of(task)

    def _last_of(self, task: str) -> Iterator[str]:
        try:
            page = self._client.get_log_events(
                logGroupName=self._group, logStreamName=stream_of(task), limit=_LAST_LINES, startFromHead=False
            )
        except self._client.exceptions.ResourceNotFoundException:
            return
        for event in page.get("events", []):
            yield event["message"].rstrip()
