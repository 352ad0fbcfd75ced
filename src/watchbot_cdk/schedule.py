"""The clock as a source of jobs, through EventBridge Scheduler."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from aws_cdk import Annotations, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_scheduler_targets as targets
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from watchbot_cdk.encryption import USING, let_use
from watchbot_cdk.event_rule import next_id

_DEFAULT_MESSAGE = json.dumps({"schedule": "<aws.scheduler.schedule-arn>", "time": "<aws.scheduler.scheduled-time>"})
_LARGEST_BYTES = 262_144
"""https://docs.aws.amazon.com/scheduler/latest/UserGuide/scheduler-quotas.html."""

_CONTEXT = "<aws.scheduler."
_OFTEN = re.compile(r"rate\([1-5] minutes?\)|cron\(\S*[*/,-]")


def add_schedule(
    scope: Construct,
    queue: sqs.Queue,
    schedule: scheduler.ScheduleExpression,
    message: str | None,
    message_group_id: str | None,
) -> scheduler.Schedule:
    """Create a schedule that sends a message, tried again for a day.

    It is EventBridge Scheduler's and no rule's, because only that knows time zones. It has no dead-letter queue:
    Scheduler would put its own request there, which redriven is no message of ours.
    https://docs.aws.amazon.com/scheduler/latest/UserGuide/configuring-schedule-dlq.html
    """
    if queue.fifo and message is not None and _CONTEXT not in message and _OFTEN.match(schedule.expression_string):
        Annotations.of(scope).add_warning_v2(
            "watchbot-cdk:sameMessage",
            "a FIFO queue drops a message that it got within the last five minutes, and this schedule sends the same "
            "one more often; put <aws.scheduler.scheduled-time> into it",
        )
    return scheduler.Schedule(
        scope,
        next_id(scope, "Schedule"),
        schedule=schedule,
        target=targets.SqsSendMessage(
            queue,
            input=scheduler.ScheduleTargetInput.from_text(_DEFAULT_MESSAGE if message is None else message),
            message_group_id=message_group_id,
            role=_role(scope, queue).without_policy_updates(),
        ),
    )


def schedule_problems(queue: sqs.Queue, schedule: object, message: object, message_group_id: object) -> Iterable[str]:
    """Say what cannot be, the group id aside."""
    if not isinstance(schedule, scheduler.ScheduleExpression):
        yield f"schedule must be a ScheduleExpression of aws_scheduler, got {schedule!r}"
    if message is not None and not (isinstance(message, str) and message):
        yield f"message must be a text or None, got {message!r}"
    elif isinstance(message, str) and (size := len(message.encode(errors="surrogatepass"))) > _LARGEST_BYTES:
        yield f"message must be at most {_LARGEST_BYTES} bytes, which EventBridge Scheduler sends, got {size}"
    if message_group_id is not None and not queue.fifo:
        yield f"message_group_id is for fifo=True, got {message_group_id!r}"


def _role(scope: Construct, queue: sqs.Queue) -> iam.Role:
    """Find or create the role that all schedules of a service send with, which no other account's Scheduler can assume.

    It sends to the queue and uses its key for that alone; the target would add a right to the key without a condition.
    https://docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
    """
    found = scope.node.try_find_child("ScheduleRole")
    if isinstance(found, iam.Role):
        return found
    stack = Stack.of(scope)
    group = stack.format_arn(service="scheduler", resource="schedule-group", resource_name="default")
    ours = {"StringEquals": {"aws:SourceAccount": stack.account, "aws:SourceArn": group}}
    role = iam.Role(scope, "ScheduleRole", assumed_by=iam.ServicePrincipal("scheduler.amazonaws.com", conditions=ours))
    iam.Grant.add_to_principal(grantee=role, actions=["sqs:SendMessage"], resource_arns=[queue.queue_arn])
    if queue.encryption_master_key is not None:
        let_use(role, queue.encryption_master_key, USING, ("sqs",), stack)
    return role
