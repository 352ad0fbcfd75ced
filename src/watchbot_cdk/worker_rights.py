"""What a worker may do: send further jobs, count its parts, and what its user says."""

from __future__ import annotations

from collections.abc import Iterable

from aws_cdk import Stack
from aws_cdk import aws_iam as iam

from watchbot_cdk.arguments import Arguments
from watchbot_cdk.encryption import USING, let_use
from watchbot_cdk.messages import Messages
from watchbot_cdk.progress_table import COUNTING, STORING
from watchbot_cdk.rights import Right


def working(arguments: Arguments, messages: Messages) -> Iterable[Right]:
    """Publish to the topic, and say in the progress table, if there is one, which parts are done."""
    yield Right(actions=["sns:Publish"], resources=[messages.topic_arn])
    if arguments.progress_table is not None:
        yield Right(actions=COUNTING, resources=[arguments.progress_table.table_arn])


def grant_permissions(role: iam.Role, arguments: Arguments, stack: Stack) -> None:
    """Let a worker use the key through topic and table, which are under it, and do what ``permissions`` say."""
    key = arguments.encryption_key
    if key is not None:
        let_use(role, key, USING, ("sns",), stack)
        if arguments.progress_table is not None:
            let_use(role, key, STORING, ("dynamodb",), stack)
    for statement in arguments.permissions:
        role.add_to_policy(statement)
