"""Where the watcher puts messages that are too large for the environment of an ECS task."""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from watchbot_cdk.acknowledgements import acknowledge

_KEPT = Duration.days(2)
_PRIVATE = s3.BlockPublicAccess.BLOCK_ALL


def add_payload_bucket(scope: Construct, key: kms.IKey | None) -> s3.Bucket:
    """Create a private bucket of the service's own, reached over TLS only, whose objects live for two days at most.

    It is encrypted under the key given, else under S3's own.

    The watcher deletes them earlier, and the messages themselves stay in SQS: nothing is lost with an object. A stack
    whose bucket still holds some cannot be deleted; emptying it by itself would take a Lambda function.
    """
    bucket = s3.Bucket(
        scope,
        "PayloadBucket",
        block_public_access=_PRIVATE,
        encryption=s3.BucketEncryption.S3_MANAGED if key is None else s3.BucketEncryption.KMS,
        encryption_key=key,
        bucket_key_enabled=None if key is None else True,
        enforce_ssl=True,
        versioned=False,
        lifecycle_rules=[s3.LifecycleRule(expiration=_KEPT, abort_incomplete_multipart_upload_after=_KEPT)],
        removal_policy=RemovalPolicy.DESTROY,
    )
    acknowledge(bucket, {"AwsSolutions-S1": "the watcher alone uses it, for copies of messages that live two days"})
    return bucket
