"""What a worker of a job of many parts has: a table, a topic, and a queue that hears of it, in the embedded AWS."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

from watchbot.contract import PROGRESS_KEY, PROGRESS_VARIABLE, TOPIC_VARIABLE
from watchbot_cli.local.emulator import Emulator


class Parts:
    """The variables of such a worker, and the messages that it publishes."""

    def __init__(self, emulator: Emulator, table: str, name: str) -> None:
        self._sns, self._sqs = emulator.client("sns"), emulator.client("sqs")
        topic = self._sns.create_topic(Name=name)["TopicArn"]
        self._queue = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])["Attributes"]
        self._sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=attributes["QueueArn"])
        self._topic = topic
        self.environment = {**emulator.environment(), PROGRESS_VARIABLE: table, TOPIC_VARIABLE: topic}

    @property
    def waiting(self) -> int:
        """How many messages were published and not received yet."""
        name = "ApproximateNumberOfMessages"
        return int(self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=[name])["Attributes"][name])

    def receive(self) -> list[dict[str, Any]]:
        """Receive up to ten messages, as SNS puts them; waits for the first."""
        found = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10, WaitTimeSeconds=5)
        return [json.loads(message["Body"]) for message in found["Messages"]]

    def remove(self) -> None:
        """Remove the topic and its queue."""
        self._sns.delete_topic(TopicArn=self._topic)
        self._sqs.delete_queue(QueueUrl=self._queue)


@contextlib.contextmanager
def parts_of_jobs(emulator: Emulator, name: str) -> Iterator[Parts]:
    """Have a table and a topic of this name while the block runs."""
    dynamodb = emulator.client("dynamodb")
    created = dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": PROGRESS_KEY, "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": PROGRESS_KEY, "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    parts = Parts(emulator, created["TableDescription"]["TableArn"], name)
    yield parts
    dynamodb.delete_table(TableName=name)
    parts.remove()
