"""The table in which workers keep which parts of a job are done."""

from __future__ import annotations

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct

from watchbot.contract import PROGRESS_EXPIRY, PROGRESS_KEY
from watchbot_cdk.acknowledgements import acknowledge
from watchbot_cdk.reduce_mode import ReduceMode

COUNTING = (
    "dynamodb:BatchGetItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:GetItem",
    "dynamodb:PutItem",
    "dynamodb:Scan",
    "dynamodb:UpdateItem",
)
"""What ``watchbot.progress`` and ``watchbot-progress`` call; Scan is ``list``."""

STORING = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
"""What these take of the key of an encrypted table.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
"""


def add_progress_table(scope: Construct, reduce: bool | ReduceMode, key: kms.IKey | None) -> dynamodb.Table | None:
    """Create the table, if asked for: billed by request, under the key or DynamoDB's own, gone with the stack.

    Jobs are forgotten by its time to live, and it holds nothing but what is done of them.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
    """
    mode = ReduceMode() if reduce is True else reduce
    if mode is False:
        return None
    recovery = dynamodb.PointInTimeRecoverySpecification(point_in_time_recovery_enabled=True)
    table = dynamodb.Table(
        scope,
        "ProgressTable",
        partition_key=dynamodb.Attribute(name=PROGRESS_KEY, type=dynamodb.AttributeType.STRING),
        billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        time_to_live_attribute=PROGRESS_EXPIRY,
        encryption=None if key is None else dynamodb.TableEncryption.CUSTOMER_MANAGED,
        encryption_key=key,
        point_in_time_recovery_specification=recovery if mode.point_in_time_recovery else None,
        removal_policy=RemovalPolicy.DESTROY,
    )
    if not mode.point_in_time_recovery:
        acknowledge(table, {"AwsSolutions-DDB3": "it holds jobs under way alone; ReduceMode switches recovery on"})
    return table
