"""What a worker may do: send further jobs, count its parts, and what its user says."""

from __future__ import annotations

from collections.abc import Iterable

from aws_cdk import aws_ecs as ecs

from watchbot_cdk.arguments import Arguments
from watchbot_cdk.encryption import USING
from watchbot_cdk.messages import Messages
from watchbot_cdk.progress_table import COUNTING, STORING
from watchbot_cdk.rights import Right
from watchbot_cdk.roles import task_role


def working(arguments: Arguments, messages: Messages) -> Iterable[Right]:
    """Publish to the topic, and say in the progress table, if there is one, which parts are done."""
    yield Right(actions=["sns:Publish"], resources=[messages.topic_arn])
    if arguments.progress_table is not None:
        yield Right(actions=COUNTING, resources=[arguments.progress_table.table_arn])


def grant_permissions(definition: ecs.TaskDefinition, arguments: Arguments) -> None:
    """Let a task use the key that topic and table are encrypted with, and do what ``permissions`` say."""
    key = arguments.encryption_key
    if key is not None:
        key.grant(task_role(definition), *USING)
        if arguments.progress_table is not None:
            key.grant(task_role(definition), *STORING)
    for statement in arguments.permissions:
        definition.add_to_task_role_policy(statement)
