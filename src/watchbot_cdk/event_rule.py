"""Events of EventBridge as a source of jobs."""

from __future__ import annotations

import re
from collections.abc import Iterable

from aws_cdk import Token
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from watchbot_cdk.problems import kind_problems

_BUS_NAMES = ("event_bus_arn", "event_bus_ref")
"""What any bus has, or one of CloudFormation's own."""

_GROUP_ID = re.compile(r"[!-~]{1,100}")


def event_target(queue: sqs.Queue, dead_letter_queue: sqs.Queue, message_group_id: str | None) -> targets.SqsQueue:
    """Make the queue a target of rules: the body of a message is the event, as it is.

    What EventBridge has not delivered for a day becomes a dead letter, from where it can be redriven like any other.
    Only a standard queue can take it: with FIFO queues it is dropped.
    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html

    FIFO queues deduplicate by content, in which every event has its id: two are never the same.
    """
    return targets.SqsQueue(
        queue,
        dead_letter_queue=None if queue.fifo else dead_letter_queue,
        message_group_id=message_group_id,
    )


def add_event_rule(
    scope: Construct,
    construct_id: str,
    target: targets.SqsQueue,
    pattern: events.EventPattern,
    event_bus: events.IEventBus | None = None,
) -> events.Rule:
    """Create a rule that sends the events of a bus to the queue, whose policy then lets in this rule alone."""
    return events.Rule(
        scope, next_id(scope, construct_id), event_pattern=pattern, event_bus=event_bus, targets=[target]
    )


def next_id(scope: Construct, construct_id: str) -> str:
    """Count the constructs of one kind: Event, Event2, Event3 …, in the order of their creation."""
    number, free = 1, construct_id
    while scope.node.try_find_child(free) is not None:
        number += 1
        free = f"{construct_id}{number}"
    return free


def pattern_problems(pattern: object, event_bus: object) -> Iterable[str]:
    """Say what cannot be of a rule's pattern and bus.

    https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html
    """
    yield from kind_problems("pattern", pattern, events.EventPattern)
    if pattern == events.EventPattern():
        yield f"pattern must name at least one field of an event, such as source, got {pattern!r}"
    if event_bus is not None and not any(hasattr(event_bus, name) for name in _BUS_NAMES):
        yield f"event_bus must be an EventBus or None, got {event_bus!r}"


def group_problems(queue: sqs.Queue, message_group_id: object) -> Iterable[str]:
    """Say what is wrong with a group id, which EventBridge needs for FIFO queues.

    https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_SqsParameters.html
    """
    if message_group_id is None:
        if queue.fifo:
            yield "message_group_id is required with fifo=True, got None: messages of one group are worked on in order"
    elif not isinstance(message_group_id, str):
        yield f"message_group_id must be a str or None, got {message_group_id!r}"
    elif not Token.is_unresolved(message_group_id) and not _GROUP_ID.fullmatch(message_group_id):
        yield f"message_group_id must be 1 to 100 letters, digits and punctuation marks, got {message_group_id!r}"
