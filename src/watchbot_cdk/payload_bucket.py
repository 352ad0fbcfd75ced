"""Where the watcher puts messages that are too large for the environment of an ECS task."""

from __future__ import annotations

import dataclasses

from aws_cdk import Duration, Names, RemovalPolicy, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from watchbot_cdk.acknowledgements import acknowledge
from watchbot_cdk.remembered import remembered

_KEPT = Duration.days(2)
_PRIVATE = s3.BlockPublicAccess.BLOCK_ALL

_ID = "WatchbotPayloads"


@dataclasses.dataclass(frozen=True)
class PayloadBucket:
    """A bucket of the stack's services under the same key, each of which has the objects under a prefix of its own."""

    name: str
    arn: str


@remembered
def payload_bucket(stack: Stack, key: kms.IKey | None) -> PayloadBucket:
    """Find or create the bucket: private, reached over TLS only, with objects that live for two days at most.

    It is encrypted under the key given, else under S3's own.

    The watcher deletes them earlier, and the messages themselves stay in SQS: nothing is lost with an object. A stack
    whose bucket still holds some cannot be deleted; emptying it by itself would take a Lambda function.
    """
    construct_id = _ID if key is None else f"{_ID}{Names.node_unique_id(key.node)}"
    found = stack.node.try_find_child(construct_id)
    bucket = found if isinstance(found, s3.Bucket) else _add_bucket(stack, construct_id, key)
    return PayloadBucket(bucket.bucket_name, bucket.bucket_arn)


def _add_bucket(stack: Stack, construct_id: str, key: kms.IKey | None) -> s3.Bucket:
    bucket = s3.Bucket(
        stack,
        construct_id,
        block_public_access=_PRIVATE,
        encryption=s3.BucketEncryption.S3_MANAGED if key is None else s3.BucketEncryption.KMS,
        encryption_key=key,
        bucket_key_enabled=None if key is None else True,
        enforce_ssl=True,
        versioned=False,
        lifecycle_rules=[s3.LifecycleRule(expiration=_KEPT, abort_incomplete_multipart_upload_after=_KEPT)],
        removal_policy=RemovalPolicy.DESTROY,
    )
    acknowledge(bucket, {"AwsSolutions-S1": "watchers alone use it, for copies of messages that live two days"})
    return bucket
