"""What an operator may do with dead letters."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_iam as iam

from watchbot_cdk.encryption import USING, let_use
from watchbot_cdk.messages import Messages

_WITH_DEAD_LETTERS = (
    "sqs:StartMessageMoveTask",
    "sqs:ListMessageMoveTasks",
    "sqs:CancelMessageMoveTask",
    "sqs:ReceiveMessage",
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:PurgeQueue",
)


def grant_redriving(messages: Messages, grantee: iam.IGrantable, stack: Stack) -> iam.Grant:
    """Let someone look at dead letters, move them back into the queue, and delete them.

    SQS moves messages with the rights of whoever asked for it, on both queues and on their key.
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html
    """
    grant = messages.dead_letter_queue.grant(grantee, *_WITH_DEAD_LETTERS)
    grant = grant.combine(messages.queue.grant(grantee, "sqs:SendMessage", "sqs:GetQueueAttributes"))
    for queue in (messages.dead_letter_queue, messages.queue):
        if queue.encryption_master_key is not None:
            grant = grant.combine(let_use(grantee, queue.encryption_master_key, USING, ("sqs",), stack))
    return grant
