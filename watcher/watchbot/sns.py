"""The wire to SNS: a small asynchronous protocol, and boto3 in a thread behind it."""

from __future__ import annotations

import dataclasses
from typing import Protocol

import botocore.config
from botocore.exceptions import ClientError

from watchbot.aws_session import AwsAccess
from watchbot.call_threads import CallThreads

SUBJECT_LIMIT = 99
"""Characters of a subject, which must be fewer than 100, with no line break or control character among them.

https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
"""

MESSAGE_LIMIT = 262_144
"""Bytes of a message, unless the topic allows more. https://docs.aws.amazon.com/sns/latest/api/API_Publish.html"""

_REFUSED_CODES = {
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "InvalidParameter",
    "InvalidSecurity",
    "KMSAccessDenied",
    "KMSDisabled",
    "KMSInvalidState",
    "KMSNotFound",
    "KMSOptInRequired",
    "NotFound",
    "ParameterValueInvalid",
    "ValidationException",
}


_CALL_SECONDS = 15.0


class PublishError(Exception):
    """A notification was not sent; ``refused`` when trying the same again would not help."""

    def __init__(self, problem: str, *, refused: bool = False) -> None:
        self.refused = refused
        super().__init__(problem)


@dataclasses.dataclass(frozen=True, slots=True)
class Notification:
    """What people are told: a subject of at most 99 printable ASCII characters, and a text."""

    subject: str
    text: str


class Publisher(Protocol):
    """What the watcher asks of SNS."""

    async def publish(self, notification: Notification) -> None:
        """Send a notification; raises :class:`PublishError`."""


class BotoSns:
    """boto3 behind the protocol, for one topic, with a client and a thread of its own.

    The client is one of the topic's region, which may be another than the queue's, and takes its credentials anew
    from the session whenever they are about to end.
    """

    def __init__(self, topic_arn: str, aws: AwsAccess) -> None:
        self._topic_arn = topic_arn
        config = botocore.config.Config(
            region_name=_region(topic_arn),
            connect_timeout=5,
            read_timeout=10,
            max_pool_connections=1,
            retries={"total_max_attempts": 1},
            user_agent_extra="watchbot",
        )
        self._client = aws.client("sns", config)
        self._thread = CallThreads(1, "notification", _CALL_SECONDS)

    async def publish(self, notification: Notification) -> None:
        """Publish once."""

        def call() -> None:
            self._client.publish(TopicArn=self._topic_arn, Subject=notification.subject, Message=notification.text)

        try:
            await self._thread.make(call)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            raise PublishError(f"{self._topic_arn}: {error}", refused=code in _REFUSED_CODES) from error
        except Exception as error:
            raise PublishError(f"{self._topic_arn}: {error}") from error


def _region(topic_arn: str) -> str | None:
    parts = topic_arn.split(":")
    return parts[3] if len(parts) == 6 and parts[3] else None
