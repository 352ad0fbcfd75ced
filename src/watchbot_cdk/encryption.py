"""A service under a key of the user's own: who has to be able to use it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aws_cdk import Annotations, Stack, Token, TokenComparison
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from watchbot_cdk.stacks import arn_prefix

USING = ("kms:Decrypt", "kms:GenerateDataKey")
"""What sending to and receiving from an encrypted queue or topic takes, and writing and reading a bucket's objects.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
"""

READING = ("kms:Decrypt",)
_CARRYING = ("kms:Decrypt", "kms:GenerateDataKey*")
_LOGGING = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey")
_THIS_ACCOUNT = "with aws:SourceAccount this account"


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
    """Let the services of AWS that carry messages, alarms and log lines use the key."""
    _allow(scope, key, "encryption_key", list(_uses(Stack.of(scope))))


def allow_alarms(scope: Construct, key: kms.IKey) -> None:
    """Let alarms use the key of a notification topic that was given."""
    _allow(scope, key, "the key of notification_topic", [_alarms(Stack.of(scope))])


def let_use(
    grantee: iam.IGrantable, key: kms.IKey, actions: Sequence[str], services: Sequence[str], stack: Stack
) -> iam.Grant:
    """Let someone use the key through these services of AWS, and not by themselves.

    What follows the service's name in the condition differs from partition to partition; only AWS writes it, and a key
    is used through services of its own region. The policy of a key in this account leaves it to IAM who may use it, as
    CDK's keys do; that of one in another account has to allow this account as well.
    https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
    """
    through = {"StringLike": {"kms:ViaService": [f"{service}.*" for service in services]}}
    if Token.compare_strings(key.env.account, stack.account) is TokenComparison.DIFFERENT:
        key.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.AccountPrincipal(stack.account)],
                actions=list(actions),
                resources=["*"],
                conditions=through,
            )
        )
    return iam.Grant.add_to_principal(
        grantee=grantee, actions=list(actions), resource_arns=[key.key_arn], conditions=through
    )


def _allow(scope: Construct, key: kms.IKey, name: str, uses: Sequence[_Use]) -> None:
    """Add to the policy of the key.

    An alias or the ARN of a key has no policy that could be changed here: what it has to allow is told in a warning.
    """
    # All are tried: one that could be added is not to keep the others from being.
    added = [key.add_to_resource_policy(use.statement()).statement_added for use in uses]
    if not all(added):
        needs = "; ".join(f"{use.service.partition('.')[0]} {', '.join(use.actions)} ({use.told})" for use in uses)
        Annotations.of(scope).add_warning_v2(
            "watchbot-cdk:keyPolicy",
            f"the policy of {name} cannot be changed from this app; it has to allow the services {needs}",
        )


def _uses(stack: Stack) -> Iterable[_Use]:
    """Say who uses the key.

    The conditions keep other accounts from having these services use it. They name no topic, bucket or log group, which
    themselves may name the key: CloudFormation creates nothing in a circle. EventBridge gives KMS no source to compare,
    as SNS's page says; who may send is then in the policy of the queue. S3 is a source of the topic: CDK adds no
    statement for it, and S3 refuses to notify a topic that it cannot encrypt for.

    https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html#key-policy-sns-sqs
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
    """
    yield _of_account(stack, "sns", "*")
    yield _alarms(stack)
    yield _Use("events.amazonaws.com", _CARRYING, None, "without a condition")
    account = {"StringEquals": {"aws:SourceAccount": stack.account}}
    yield _Use("s3.amazonaws.com", _CARRYING, account, _THIS_ACCOUNT)
    groups = {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": f"{arn_prefix(stack, 'logs')}:log-group:*"}}
    logs = f"logs.{stack.region}.{stack.url_suffix}"
    yield _Use(logs, _LOGGING, groups, "with kms:EncryptionContext:aws:logs:arn a log group of this account")


def _alarms(stack: Stack) -> _Use:
    return _of_account(stack, "cloudwatch", "alarm:*")


def _of_account(stack: Stack, service: str, sources: str) -> _Use:
    conditions = {
        "StringEquals": {"aws:SourceAccount": stack.account},
        "ArnLike": {"aws:SourceArn": f"{arn_prefix(stack, service)}:{sources}"},
    }
    return _Use(f"{service}.amazonaws.com", _CARRYING, conditions, _THIS_ACCOUNT)
