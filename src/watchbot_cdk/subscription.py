"""Somebody's SNS topic as a source of jobs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aws_cdk import Annotations, Names, Token
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from watchbot_cdk.problems import is_map_to

_POLICIES: dict[str, type] = {
    "filter_policy": sns.SubscriptionFilter,
    "filter_policy_with_message_body": sns.FilterOrPolicy,
}


def add_subscription(
    scope: Construct,
    queue: sqs.Queue,
    topic: sns.ITopic,
    filter_policy: Mapping[str, sns.SubscriptionFilter] | None,
    filter_policy_with_message_body: Mapping[str, sns.FilterOrPolicy] | None,
) -> sns.Subscription:
    """Subscribe the queue; messages keep SNS's envelope, in which the watcher finds subject and attributes.

    It has no dead-letter queue: SNS tries for 23 days while SQS fails, and puts dead letters of a topic in another
    region into that region alone. https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
    """
    subscription = topic.add_subscription(
        subscriptions.SqsSubscription(
            queue,
            filter_policy=filter_policy,
            filter_policy_with_message_body=filter_policy_with_message_body,
        )
    )
    if _is_fifo(topic) and not queue.fifo:
        Annotations.of(scope).add_warning_v2(
            "watchbot-cdk:orderLost",
            f"{topic.node.path} is a FIFO topic, whose order a standard queue does not keep; fifo=True keeps it",
        )
    return subscription


def subscription_problems(
    queue: sqs.Queue, topic: sns.ITopic, filter_policy: object, filter_policy_with_message_body: object
) -> Iterable[str]:
    """Say what cannot be.

    A FIFO topic delivers to queues of both kinds, a standard topic to standard queues alone:
    https://docs.aws.amazon.com/sns/latest/dg/fifo-message-delivery.html
    """
    if not hasattr(topic, "topic_arn"):
        yield f"topic must be a Topic, got {topic!r}"
        return
    policies = (filter_policy, filter_policy_with_message_body)
    for (name, kind), policy in zip(_POLICIES.items(), policies, strict=True):
        if policy is not None and not (policy and is_map_to(kind, policy)):
            yield f"{name} must map names to {kind.__name__}, got {policy!r}"
    if None not in policies:
        yield f"{' and '.join(_POLICIES)} exclude each other: SNS filters by attributes or by body"
    if queue.fifo and _is_fifo(topic) is False:
        yield (
            f"topic must be FIFO with fifo=True, got {topic.node.path}, a standard topic, which SNS delivers to no "
            "FIFO queue"
        )
    if queue.node.try_find_child(Names.node_unique_id(topic.node)) is not None:
        yield f"topic {topic.node.path} is subscribed already, and SNS has one subscription for a queue"


def _is_fifo(topic: sns.ITopic) -> bool | None:
    """Whether a topic is FIFO; None for one whose name only the deployment knows."""
    if not isinstance(topic, sns.Topic) and not topic.fifo and Token.is_unresolved(topic.topic_arn):
        return None
    return topic.fifo
