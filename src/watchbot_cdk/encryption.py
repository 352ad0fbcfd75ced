"""A service under a key of the user's own: who has to be able to use it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from aws_cdk import Annotations, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

USING = ("kms:Decrypt", "kms:GenerateDataKey")
"""What sending to and receiving from an encrypted queue or topic takes, and writing and reading a bucket's objects.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
"""

_CARRYING = ("kms:Decrypt", "kms:GenerateDataKey*")
_LOGGING = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey")


@dataclasses.dataclass(frozen=True)
class _Use:
    """What a service of AWS does with the key, under which conditions; ``told`` is these conditions in words."""

    service: str
    actions: tuple[str, ...]
    conditions: Mapping[str, Any] | None
    told: str

    def statement(self) -> iam.PolicyStatement:
        return iam.PolicyStatement(
            principals=[iam.ServicePrincipal(self.service)],
            actions=list(self.actions),
            resources=["*"],  # in a key's policy that is the key itself
            conditions=self.conditions,
        )


def encryption_key_problem(key: object) -> str | None:
    """Say that this is no key."""
    if key is None or hasattr(key, "key_arn"):
        return None
    return f"encryption_key must be a Key or None, got {key!r}"


def allow_services(scope: Construct, key: kms.IKey) -> None:
    """Let the services of AWS that carry messages, alarms and log lines use the key.

    An alias or the ARN of a key has no policy that could be changed here: what it has to allow is told in a warning.
    """
    uses = list(_uses(Stack.of(scope)))
    # All are tried: one that could be added is not to keep the others from being.
    added = [key.add_to_resource_policy(use.statement()).statement_added for use in uses]
    if not all(added):
        needs = "; ".join(f"{use.service.partition('.')[0]} {', '.join(use.actions)} ({use.told})" for use in uses)
        Annotations.of(scope).add_warning_v2(
            "watchbot-cdk:keyPolicy",
            f"the policy of encryption_key cannot be changed from this app; it has to allow the services {needs}",
        )


def _uses(stack: Stack) -> Iterable[_Use]:
    """Say who uses the key.

    The conditions keep other accounts from having these services use it. They name no topic or log group, which
    themselves name the key: CloudFormation creates nothing in a circle. EventBridge gives KMS no source to compare,
    as SNS's page says; who may send is then in the policy of the queue.

    https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    """
    for service, sources in (("sns", "*"), ("cloudwatch", "alarm:*")):
        conditions = {
            "StringEquals": {"aws:SourceAccount": stack.account},
            "ArnLike": {"aws:SourceArn": _arns(stack, service, sources)},
        }
        yield _Use(f"{service}.amazonaws.com", _CARRYING, conditions, "with aws:SourceAccount this account")
    yield _Use("events.amazonaws.com", _CARRYING, None, "without a condition")
    groups = {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": _arns(stack, "logs", "log-group:*")}}
    logs = f"logs.{stack.region}.{stack.url_suffix}"
    yield _Use(logs, _LOGGING, groups, "with kms:EncryptionContext:aws:logs:arn a log group of this account")


def _arns(stack: Stack, service: str, resources: str) -> str:
    return f"arn:{stack.partition}:{service}:{stack.region}:{stack.account}:{resources}"
