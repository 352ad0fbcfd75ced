"""The wire to SNS: messages of jobs, published in batches, and every one of them accounted for."""

from __future__ import annotations

import dataclasses
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from watchbot.contract import TOPIC_VARIABLE
from watchbot.progress.errors import InvalidValueError, NotPublishedError

BATCH_MESSAGES = 10
BATCH_BYTES = 262_144
"""What one call takes. https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html"""

CONNECTIONS = 16
"""Calls that may be under way at once."""

_TRIES = 8
_ARN = re.compile(r"arn:[\w-]+:sns:([\w-]+):\d*:[\w-]{1,256}(\.fifo)?")


@dataclasses.dataclass(frozen=True, slots=True)
class Message:
    """What is to be published; ``key`` is unlike that of every other message, and the same when it is sent again."""

    subject: str
    text: str
    key: str

    @property
    def size(self) -> int:
        """Bytes that count towards the limit of a batch."""
        return len(self.text.encode("utf-8", "surrogatepass")) + len(self.subject)


def batches(messages: Iterable[Message]) -> Iterator[tuple[Message, ...]]:
    """Put messages together in their order, as many as one call takes.

    Raises :class:`NotPublishedError` at a message that no call takes.
    """
    batch: list[Message] = []
    size = 0
    for message in messages:
        if message.size > BATCH_BYTES:
            raise NotPublishedError(
                f"a message must have at most {BATCH_BYTES} bytes, got {message.size}: {message.text[:100]}…"
            )
        if batch and (len(batch) == BATCH_MESSAGES or size + message.size > BATCH_BYTES):
            yield tuple(batch)
            batch, size = [], 0
        batch.append(message)
        size += message.size
    if batch:
        yield tuple(batch)


class Topic:
    """One topic, behind a boto3 client of SNS, which may be shared by threads.

    On a FIFO topic every message is a group of its own, and one that is sent again within five minutes is dropped.
    https://docs.aws.amazon.com/sns/latest/dg/fifo-message-dedup.html
    """

    def __init__(self, client: Any, arn: str, wait: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._arn = arn
        self._wait = wait

    @classmethod
    def of_arn(cls, arn: str | None = None) -> Topic:
        """Open this topic, by default the one that the environment variable ``WorkTopic`` names, in its region."""
        arn = os.environ.get(TOPIC_VARIABLE) if arn is None else arn
        found = None if arn is None else _ARN.fullmatch(arn)
        if arn is None or found is None:
            allowed = "the ARN of a topic, such as arn:aws:sns:eu-central-1:111122223333:work"
            raise InvalidValueError(TOPIC_VARIABLE, arn, allowed)
        return cls(_client(region=found[1]), arn)

    def publish(self, batch: Sequence[Message]) -> None:
        """Publish a batch that one call takes; what SNS puts off is tried again.

        Raises :class:`NotPublishedError` with what is left when SNS refuses, or does not take it in eight tries.
        """
        left = {str(number): message for number, message in enumerate(batch)}
        for tries in range(_TRIES):
            failed = self._publish([self._entry(number, message) for number, message in left.items()])
            left = {one["Id"]: left[one["Id"]] for one in failed}
            if not left:
                return
            if any(one.get("SenderFault") for one in failed):
                break
            self._wait(min(0.1 * 2**tries, 5.0))
        reasons = ", ".join(sorted({f"{one.get('Code')}: {one.get('Message', '')}" for one in failed}))
        texts = "; ".join(message.text[:100] for message in left.values())
        raise NotPublishedError(f"{self._arn} did not take {len(left)} of {len(batch)} messages ({reasons}): {texts}")

    def _publish(self, entries: list[dict[str, str]]) -> Sequence[dict[str, Any]]:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer = self._client.publish_batch(TopicArn=self._arn, PublishBatchRequestEntries=entries)
        except (ClientError, BotoCoreError) as error:
            raise NotPublishedError(f"{self._arn}: {error}") from error
        failed: Sequence[dict[str, Any]] = answer.get("Failed") or []
        return failed

    def _entry(self, number: str, message: Message) -> dict[str, str]:
        entry = {"Id": number, "Subject": message.subject, "Message": message.text}
        if self._arn.endswith(".fifo"):
            entry |= {"MessageGroupId": message.key, "MessageDeduplicationId": message.key}
        return entry


def _client(region: str) -> Any:
    import boto3
    import botocore.config
    from botocore.exceptions import BotoCoreError

    config = botocore.config.Config(
        region_name=region,
        connect_timeout=5,
        read_timeout=10,
        max_pool_connections=CONNECTIONS,
        retries={"mode": "standard", "total_max_attempts": 10},
        user_agent_extra="watchbot",
    )
    try:
        return boto3.client("sns", config=config)
    except (BotoCoreError, ValueError) as error:
        raise NotPublishedError(f"no client of SNS can be made of this environment: {error}") from error
