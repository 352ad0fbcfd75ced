"""Every right of every role and user: what the reviewed services have, and how it is read from their templates.

A right is an action, what it may be done with, and the keys of its conditions. Names are those of the construct,
without the service's: ``Queue`` is the queue of the service whose role it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from tests.synth.template import Template, placeholders

Rights: TypeAlias = frozenset[tuple[str, str, str]]
Roles: TypeAlias = Mapping[str, Rights]


def _on(resource: str, *actions: str, given: str = "") -> Rights:
    return frozenset((action, resource, given) for action in actions)


def _with(roles: Roles, **more: Rights) -> Roles:
    """Give these roles with more rights, or more roles."""
    return {**roles, **{role: roles.get(role, frozenset()) | rights for role, rights in more.items()}}


_RECEIVING = _on("Queue", "sqs:ReceiveMessage", "sqs:ChangeMessageVisibility", "sqs:DeleteMessage") | _on(
    "DeadLetterQueue", "sqs:SendMessage"
)
_LOGGING = _on("LogGroup", "logs:CreateLogStream", "logs:PutLogEvents")
_PULLING = _on(
    "repository/container-assets",
    "ecr:BatchCheckLayerAvailability",
    "ecr:GetDownloadUrlForLayer",
    "ecr:BatchGetImage",
) | _on("*", "ecr:GetAuthorizationToken")
_PUBLISHING = _on("Topic", "sns:Publish")
_RUNNING = (
    _on("task-definition/WorkerTask:*", "ecs:RunTask", given="ecs:cluster")
    | _on("task/cluster/*", "ecs:TagResource", given="ecs:CreateAction")
    | _on("task/cluster/*", "ecs:DescribeTasks", given="ecs:cluster")
    | _on("task/cluster/*", "ecs:StopTask", given="aws:ResourceTag/watchbot:family ecs:cluster")
    | _on("*", "ecs:ListTasks", given="ecs:cluster")
    | _on("WorkerTaskTaskRole", "iam:PassRole", given="iam:PassedToService")
    | _on("WorkerTaskTaskRoleExecutionRole", "iam:PassRole", given="iam:PassedToService")
)
_TASK: Roles = {
    "WorkerTaskTaskRole": _PUBLISHING,
    "WorkerTaskTaskRoleExecutionRole": _LOGGING,
    "WatcherTaskTaskRole": _RECEIVING
    | _RUNNING
    | _on("PayloadBucket/*", "s3:PutObject", "s3:GetObject", "s3:DeleteObject")
    | _on("PayloadBucket", "s3:ListBucket"),
    "WatcherTaskTaskRoleExecutionRole": _LOGGING | _PULLING,
}
_PROCESS: Roles = {
    "TaskTaskRole": _RECEIVING | _PUBLISHING | _on("task/cluster/*", "ecs:UpdateTaskProtection"),
    "TaskTaskRoleExecutionRole": _LOGGING | _PULLING,
}
_NETWORK: Roles = {
    "VpcFlowLogIAMRole": _on("FlowLogs", "logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams")
}
_WEBHOOKS: Roles = {
    **_NETWORK,
    "ApiGatewayRole": _on("*", "policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"),
}

_SENDING = _on("Queue", "sqs:SendMessage")
_FETCHING = _on("payloads/*", "s3:GetObject") | _on("payloads", "s3:ListBucket")
_DELETING = _on("payloads/*", "s3:DeleteObject")
_UNDER_THE_KEY = _on("Key", "kms:Decrypt", "kms:GenerateDataKey", given="kms:ViaService")
_FILES = _on(
    "Files",
    "elasticfilesystem:ClientMount",
    "elasticfilesystem:ClientWrite",
    given="elasticfilesystem:AccessPointArn",
)
_COUNTING = _on(
    "ProgressTable",
    "dynamodb:BatchGetItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Scan",
    "dynamodb:UpdateItem",
) | _on(
    "Key",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
    given="kms:ViaService",
)
_TELLING = _on("NotificationTopic", "sns:Publish")
_SCHEDULED = {"ScheduleRole": _SENDING}

RIGHTS: Mapping[str, Mapping[str, Roles]] = {
    "task": {"svc": _TASK, "Watchbot": _NETWORK},
    "process": {"svc": _PROCESS, "Watchbot": _NETWORK},
    "fifo": {"svc": _TASK, "Watchbot": _NETWORK},
    "payloads": {
        "task": _with(_TASK, WatcherTaskTaskRole=_FETCHING),
        "process": _with(_PROCESS, TaskTaskRole=_FETCHING | _DELETING),
        "Watchbot": _NETWORK,
    },
    "instances": {"task": _TASK, "process": _PROCESS},
    "webhooks": {
        "signed": _with(
            _TASK,
            WatcherTaskTaskRole=_on("secret:github-??????", "secretsmanager:GetSecretValue"),
            WebhookRole=_SENDING,
            PublisherUser=_PUBLISHING,
        ),
        "keyed": _with(_PROCESS, WebhookRole=_SENDING),
        "Watchbot": _WEBHOOKS,
    },
    "encrypted": {
        "task": _with(
            _TASK,
            WorkerTaskTaskRole=_FILES | _UNDER_THE_KEY | _COUNTING,
            WatcherTaskTaskRole=_UNDER_THE_KEY,
        ),
        "process": _with(_PROCESS, TaskTaskRole=_FILES | _UNDER_THE_KEY | _COUNTING),
    },
    "notified": {
        "task": _with(
            _TASK,
            WatcherTaskTaskRole=_TELLING | _on("log-group:LogGroup:log-stream:watchbot/worker/*", "logs:GetLogEvents"),
        ),
        "process": _with(_PROCESS, TaskTaskRole=_TELLING),
        "Watchbot": _NETWORK,
    },
    "sources": {
        "svc": _with(_TASK, **_SCHEDULED),
        "ordered": _with(_TASK, **_SCHEDULED),
        "Watchbot": _NETWORK,
    },
}
"""By stack and service; what a stack's services share is under Watchbot."""


def rights_in(template: Template, stack: str, services: Mapping[str, Roles]) -> dict[str, dict[str, Rights]]:
    """Read who may do what; a role or user of no such service is under its whole name."""
    found: dict[str, dict[str, Rights]] = {}
    for kind in ("AWS::IAM::Role", "AWS::IAM::User"):
        for logical_id, principal in template.of_type(kind).items():
            service = next((name for name in services if logical_id.startswith(name)), "")
            role = logical_id[:-8].removeprefix(service)
            rights = frozenset(_rights_of(template, logical_id, principal, stack, service))
            found.setdefault(service, {})[role] = rights
    return found


def _rights_of(
    template: Template, logical_id: str, principal: dict[str, Any], stack: str, service: str
) -> Iterator[tuple[str, str, str]]:
    for arn in principal.get("ManagedPolicyArns", []):
        yield placeholders(arn).rpartition(":aws:")[2], "*", ""
    documents = [policy["PolicyDocument"] for policy in principal.get("Policies", [])]
    for kind in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
        documents += [
            policy["PolicyDocument"]
            for policy in template.of_type(kind).values()
            if {"Ref": logical_id} in [*policy.get("Roles", []), *policy.get("Users", [])]
        ]
    for document in documents:
        for statement in document["Statement"]:
            yield from _rights_by(statement, stack, service)


def _rights_by(statement: dict[str, Any], stack: str, service: str) -> Iterator[tuple[str, str, str]]:
    assert statement.keys() <= {"Effect", "Action", "Resource", "Condition", "Sid"}, statement
    assert statement["Effect"] == "Allow"
    keys = sorted(key for condition in statement.get("Condition", {}).values() for key in condition)
    for action in as_list(statement["Action"]):
        for resource in as_list(statement["Resource"]):
            yield action, _named(placeholders(resource), stack, service), " ".join(keys)


def as_list(value: Any) -> list[Any]:
    """Give the entries of a policy's element, which is a list unless there is only one."""
    return value if isinstance(value, list) else [value]


def _named(resource: str, stack: str, service: str) -> str:
    """Name a resource as the construct does: without partition, account, region, hashes, and names of ours."""
    name = re.sub(r"<\{'Ref': 'AWS::(\w+)'\}>", r"\1", resource)
    name = re.sub(r"<(?:\{'Ref': ')?(\w+)(?:'\}|\.Arn)>", r"\1", name)
    name = re.sub(r"^arn:[^:]*:\w+:[^:]*:[^:]*:", "", name)
    name = re.sub(r"(?<=[a-z])[0-9A-F]{8}\b", "", name)
    name = re.sub(r"^repository/.*container-assets.*", "repository/container-assets", name)
    name = re.sub(r"^task/(WatchbotCluster|mine)/", "task/cluster/", name)
    return re.sub(rf"\b(?:{stack})?(?:{service}|Watchbot)(?=[A-Z])", "", name)
