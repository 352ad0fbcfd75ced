"""What the log of a service says of one message."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from watchbot.contract import Event
from watchbot.journal import parse_line
from watchbot.task_log import stream_of


def lines_about(logs: Any, log_group: str, message_id: str, since: float) -> Iterator[str]:
    """Give the watchers' lines with this id, oldest first, and behind them the last that each of its tasks wrote.

    ``since`` is in seconds since 1970.
    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
    """
    tasks: list[str] = []
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=log_group, startTime=int(since * 1000), filterPattern=f'"{message_id}"'
    )
    for page in pages:
        for event in page.get("events", []):
            line = event["message"].rstrip()
            entry = parse_line(line)
            if entry is not None and entry.event == Event.TASK_STARTED:
                tasks.append(str(entry.fields.get("task")))
            yield line
    for task in dict.fromkeys(tasks):
        yield from _last_of(logs, log_group, task)


_LAST_LINES = 100


def _last_of(logs: Any, log_group: str, task: str) -> Iterator[str]:
    try:
        page = logs.get_log_events(
            logGroupName=log_group, logStreamName=stream_of(task), limit=_LAST_LINES, startFromHead=False
        )
    except logs.exceptions.ResourceNotFoundException:
        return
    for event in page.get("events", []):
        yield event["message"].rstrip()
