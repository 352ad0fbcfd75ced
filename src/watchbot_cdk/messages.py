"""Where jobs are sent and wait: a topic, a queue and its dead-letter queue."""

from __future__ import annotations

import dataclasses

from aws_cdk import Duration
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from watchbot_cdk.arguments import Arguments

_LARGEST_MESSAGE = 1_048_576


@dataclasses.dataclass(frozen=True)
class Messages:
    """A topic whose messages, in SNS's envelope, go to a queue, and from there after too many receives to another."""

    topic: sns.Topic
    queue: sqs.Queue
    dead_letter_queue: sqs.Queue


def add_messages(scope: Construct, arguments: Arguments) -> Messages:
    """Create topic and queues: encrypted at rest by SQS's own keys, and reached over TLS only.

    The queues take the most that SQS does, 1 MiB, whatever the default in a region is.
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html

    A FIFO topic leaves deduplication to the content where the sender names no deduplication id.
    """
    dead_letter_queue = _queue(scope, "DeadLetterQueue", arguments, retention_period=Duration.days(14))
    queue = _queue(
        scope,
        "Queue",
        arguments,
        retention_period=arguments.retention_period,
        visibility_timeout=arguments.visibility_timeout,
        dead_letter_queue=sqs.DeadLetterQueue(queue=dead_letter_queue, max_receive_count=arguments.max_receive_count),
    )
    topic = sns.Topic(
        scope,
        "Topic",
        enforce_ssl=True,
        fifo=True if arguments.fifo else None,
        content_based_deduplication=True if arguments.fifo else None,
    )
    topic.add_subscription(subscriptions.SqsSubscription(queue))
    return Messages(topic, queue, dead_letter_queue)


def _queue(
    scope: Construct,
    construct_id: str,
    arguments: Arguments,
    *,
    retention_period: Duration,
    visibility_timeout: Duration | None = None,
    dead_letter_queue: sqs.DeadLetterQueue | None = None,
) -> sqs.Queue:
    return sqs.Queue(
        scope,
        construct_id,
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        fifo=True if arguments.fifo else None,
        content_based_deduplication=True if arguments.fifo else None,
        max_message_size_bytes=_LARGEST_MESSAGE,
        retention_period=retention_period,
        visibility_timeout=visibility_timeout,
        dead_letter_queue=dead_letter_queue,
    )
