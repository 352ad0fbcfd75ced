"""The RunTask request for a job: where it runs, what it is called, and the message in its environment."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

from watchbot.contract import FAMILY_TAG, WORKER_CONTAINER, Settings
from watchbot.job import Job
from watchbot.placement import Placement

OVERRIDES_LIMIT = 7900
"""Characters of JSON that we put into RunTask's overrides, which take 8,192.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskOverride.html
"""


_SHORT = {"Subject": 1_000, "TRACEPARENT": 512, "_X_AMZN_TRACE_ID": 512}
"""Characters of JSON that are left to variables which are never long: SNS takes subjects of 100 characters."""

_UNSPEAKABLE = re.compile("[\0\ud800-\udfff]")


class MessageTooLargeError(Exception):
    """The message does not fit into a RunTask request."""


class TaskRequest:
    """Builds the requests of a service."""

    def __init__(self, settings: Settings, shared: Mapping[str, str], placement: Placement) -> None:
        self._settings = settings
        self._shared = shared
        self._placement = placement
        # Of the family's name, its ARN or its revision: family, family:revision, arn:…:task-definition/family:revision.
        self._family = str(settings.task_definition).rpartition("/")[2].partition(":")[0]

    def __call__(self, job: Job, number: int, provider: str | None) -> dict[str, Any]:
        """Give RunTask's fields for the n-th task of a job; the same number gives the same ``clientToken``."""
        message_id = job.message.message_id
        return {
            "taskDefinition": self._settings.task_definition,
            "count": 1,
            "startedBy": started_by(message_id),
            "clientToken": _client_token(self._settings.queue_url, message_id, number),
            "propagateTags": "TASK_DEFINITION",
            # By it the watcher may stop what it has launched, and no other task of the cluster.
            "tags": [{"key": FAMILY_TAG, "value": self._family}],
            "overrides": _overrides(job, self._shared),
            **self._placement.fields(provider),
        }


def started_by(message_id: str) -> str:
    """Name the tasks of a message, for ListTasks to find them by; at most 128 characters of A-Z a-z 0-9 - _ /."""
    return f"wb-{message_id}"


def overrides_size(job: Job, shared: Mapping[str, str]) -> int:
    """Count the characters that a job takes of what RunTask's overrides hold."""
    return len(json.dumps(_overrides(job, shared)))


def is_speakable(text: str) -> bool:
    """Whether a text can be in an environment: no NUL byte can, nor what is no character and so has no UTF-8."""
    return _UNSPEAKABLE.search(text) is None


def _overrides(job: Job, shared: Mapping[str, str]) -> dict[str, Any]:
    values = {**shared, **{name: value for name, value in job.variables().items() if _is_sent(name, value)}}
    variables = [{"name": name, "value": value} for name, value in values.items()]
    return {"containerOverrides": [{"name": WORKER_CONTAINER, "environment": variables}]}


def _is_sent(name: str, value: str) -> bool:
    return is_speakable(value) and (name not in _SHORT or len(json.dumps(value)) <= _SHORT[name])


def _client_token(queue_url: str, message_id: str, number: int) -> str:
    digest = hashlib.sha256(f"{queue_url}\n{message_id}\n{number}".encode()).digest()
    return base64.b32encode(digest).decode()[:52]
