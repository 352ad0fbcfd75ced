"""The RunTask request for a job: where it runs, what it is called, and the message in its environment."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from watchbot.contract import WORKER_CONTAINER, Settings
from watchbot.job import Job

OVERRIDES_LIMIT = 7900
"""Characters of JSON that we put into RunTask's overrides, which take 8,192.

https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskOverride.html
"""


class MessageTooLargeError(Exception):
    """The message does not fit into a RunTask request."""


def started_by(message_id: str) -> str:
    """Name the tasks of a message, for ListTasks to find them by; at most 128 characters of A-Z a-z 0-9 - _ /."""
    return f"wb-{message_id}"


def task_request(settings: Settings, job: Job, shared: Mapping[str, str], attempt: int) -> dict[str, Any]:
    """Build RunTask's fields for the n-th task of a job; raises :class:`MessageTooLargeError`.

    The same attempt gives the same request and the same ``clientToken``: asked again because no answer came, ECS
    gives the task that it has started already.
    https://docs.aws.amazon.com/AmazonECS/latest/APIReference/ECS_Idempotency.html
    """
    message_id = job.message.message_id
    variables = [{"name": name, "value": value} for name, value in {**shared, **job.variables()}.items()]
    overrides = {"containerOverrides": [{"name": WORKER_CONTAINER, "environment": variables}]}
    size = len(json.dumps(overrides))
    if size > OVERRIDES_LIMIT:
        raise MessageTooLargeError(
            f"the message does not fit into the environment of an ECS task: {size} characters as JSON, "
            f"at most {OVERRIDES_LIMIT}"
        )
    return {
        "taskDefinition": settings.task_definition,
        "count": 1,
        "launchType": "FARGATE",
        "startedBy": started_by(message_id),
        "clientToken": _client_token(settings.queue_url, message_id, attempt),
        "networkConfiguration": {
            "awsvpcConfiguration": {
                "subnets": list(settings.task_subnets),
                "securityGroups": list(settings.task_security_groups),
                "assignPublicIp": "ENABLED" if settings.task_public_ip else "DISABLED",
            }
        },
        "overrides": overrides,
    }


def _client_token(queue_url: str, message_id: str, attempt: int) -> str:
    digest = hashlib.sha256(f"{queue_url}\n{message_id}\n{attempt}".encode()).digest()
    return base64.b32encode(digest).decode()[:52]
