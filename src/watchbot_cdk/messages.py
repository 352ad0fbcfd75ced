"""Where jobs are sent and wait: a topic, a queue and its dead-letter queue."""

from __future__ import annotations

import dataclasses
import functools

from aws_cdk import Duration, Names
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from watchbot_cdk.arguments import Arguments

_LARGEST_MESSAGE = 1_048_576
_DEAD_LETTERS_KEPT = Duration.days(14)


@dataclasses.dataclass(frozen=True)
class Messages:
    """A topic whose messages, in SNS's envelope, go to a queue, and from there after too many receives to another."""

    topic: sns.Topic
    queue: sqs.Queue
    dead_letter_queue: sqs.Queue

    @functools.cached_property
    def topic_arn(self) -> str:
        """The topic's ARN; this and the addresses below are asked for once, as each question takes a call."""
        return self.topic.topic_arn

    @functools.cached_property
    def queue_url(self) -> str:
        """The queue's address."""
        return self.queue.queue_url

    @functools.cached_property
    def dead_letter_queue_url(self) -> str:
        """The dead-letter queue's address."""
        return self.dead_letter_queue.queue_url


def add_messages(scope: Construct, arguments: Arguments) -> Messages:
    """Create topic and queues, reached over TLS only, and encrypted at rest under the key given.

    Without one the queues are under SQS's own. SNS has no such keys, and the topic is not encrypted then: the key that
    AWS manages for it, alias/aws/sns, has a policy that cannot be changed, and keeps other services from publishing.
    https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html

    The queues take the most that SQS does, 1 MiB, whatever the default in a region is.
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html

    A FIFO topic leaves deduplication to the content where the sender names no deduplication id.
    """
    dead_letter_queue = _queue(scope, "DeadLetterQueue", arguments, retention_period=_DEAD_LETTERS_KEPT)
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
        master_key=arguments.encryption_key,
    )
    if arguments.encryption_key is None:
        topic.add_subscription(subscriptions.SqsSubscription(queue))
    else:
        _subscribe_encrypted(topic, queue)
    return Messages(topic, queue, dead_letter_queue)


def _subscribe_encrypted(topic: sns.Topic, queue: sqs.Queue) -> None:
    """Have the topic send to the queue, under the construct id that CDK's own subscription has.

    That one would also name the topic in the policy of the key, and the topic names the key: CloudFormation creates
    nothing in a circle.
    """
    queue.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[iam.ServicePrincipal("sns.amazonaws.com")],
            actions=["sqs:SendMessage"],
            resources=[queue.queue_arn],
            conditions={"ArnEquals": {"aws:SourceArn": topic.topic_arn}},
        )
    )
    sns.Subscription(
        queue,
        Names.node_unique_id(topic.node),
        topic=topic,
        protocol=sns.SubscriptionProtocol.SQS,
        endpoint=queue.queue_arn,
    )


def _queue(
    scope: Construct,
    construct_id: str,
    arguments: Arguments,
    *,
    retention_period: Duration,
    visibility_timeout: Duration | None = None,
    dead_letter_queue: sqs.DeadLetterQueue | None = None,
) -> sqs.Queue:
    key = arguments.encryption_key
    return sqs.Queue(
        scope,
        construct_id,
        encryption=sqs.QueueEncryption.SQS_MANAGED if key is None else sqs.QueueEncryption.KMS,
        encryption_master_key=key,
        enforce_ssl=True,
        fifo=True if arguments.fifo else None,
        content_based_deduplication=True if arguments.fifo else None,
        max_message_size_bytes=_LARGEST_MESSAGE,
        retention_period=retention_period,
        visibility_timeout=visibility_timeout,
        dead_letter_queue=dead_letter_queue,
    )
