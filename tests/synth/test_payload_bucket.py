"""Buckets of payloads, the senders' and the service's own: who may do what with their objects, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from aws_cdk import Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from tests.synth.template import Template, image, placeholders, synth, synth_watchbot
from watchbot_cdk import Isolation, Watchbot

PROCESS: dict[str, Any] = {"isolation": Isolation.PROCESS, "command": ["work"]}


def _synth(arguments: dict[str, Any], **bucket: Any) -> Template:
    def build(stack: Stack) -> None:
        Watchbot(stack, "svc", image=image(), payload_bucket=s3.Bucket(stack, "Payloads", **bucket), **arguments)

    return synth(build)


def _allowed(template: Template, role: str) -> dict[str, list[str]]:
    """Give the resources of each action on S3 and KMS that a role has."""
    allowed: dict[str, list[str]] = {}
    for statement in template.statements(role):
        resource = statement["Resource"]
        for action in [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]:
            if action.startswith(("s3:", "kms:")):
                found = [placeholders(one) for one in (resource if isinstance(resource, list) else [resource])]
                allowed[action] = sorted([*allowed.get(action, []), *found])
    return allowed


def _bucket(template: Template, prefix: str) -> str:
    """Give the logical id of the bucket that starts so."""
    (bucket,) = [name for name in template.of_type("AWS::S3::Bucket") if name.startswith(prefix)]
    return bucket


def _arn(bucket: str) -> str:
    return f"<{bucket}.Arn>"


@pytest.mark.parametrize(
    ("arguments", "container", "role"), [({}, "watcher", "WatcherTask"), (PROCESS, "worker", "svcTaskTaskRole")]
)
@pytest.mark.parametrize("delete_payloads", [False, True])
def test_the_watcher_may_read_the_buckets_objects_and_delete_them_only_if_told_to(
    arguments: dict[str, Any], container: str, role: str, delete_payloads: bool
) -> None:
    template = _synth({**arguments, "delete_payloads": delete_payloads})
    bucket = _bucket(template, "Payloads")
    objects = _arn(bucket) + "/*"
    deleted = [objects] if delete_payloads else []
    expected = {"s3:GetObject": [objects], "s3:ListBucket": [_arn(bucket)]}
    if delete_payloads:
        expected["s3:DeleteObject"] = deleted
    if container == "watcher":
        # It has a bucket of its own besides.
        own = _bucket(template, "svcPayloadBucket")
        expected = {
            "s3:PutObject": [_arn(own) + "/*"],
            "s3:GetObject": [objects, _arn(own) + "/*"],
            "s3:DeleteObject": [*deleted, _arn(own) + "/*"],
            "s3:ListBucket": [_arn(bucket), _arn(own)],
        }
    assert _allowed(template, role) == expected
    environment = template.environment(container)
    assert environment["WATCHBOT_PAYLOAD_BUCKET"] == {"Ref": bucket}
    assert environment.get("WATCHBOT_DELETE_PAYLOADS") == ("true" if delete_payloads else None)


def test_the_workers_own_task_gets_no_right_to_the_bucket() -> None:
    assert _allowed(_synth({}), "WorkerTask") == {}


def test_an_encrypted_bucket_can_be_decrypted() -> None:
    def build(stack: Stack) -> None:
        bucket = s3.Bucket(stack, "Payloads", encryption_key=kms.Key(stack, "Key"))
        Watchbot(stack, "svc", image=image(), payload_bucket=bucket)

    template = synth(build)
    (key,) = template.of_type("AWS::KMS::Key")
    assert _allowed(template, "WatcherTask")["kms:Decrypt"] == [_arn(key)]


def test_the_service_has_a_bucket_of_its_own_for_messages_too_large_for_a_task() -> None:
    template = synth_watchbot()
    (bucket,) = template.of_type("AWS::S3::Bucket")
    assert bucket.startswith("svcPayloadBucket")
    assert template.environment("watcher")["WATCHBOT_TASK_PAYLOAD_BUCKET"] == {"Ref": bucket}
    objects = [_arn(bucket) + "/*"]
    assert _allowed(template, "WatcherTask") == {
        "s3:PutObject": objects,
        "s3:GetObject": objects,
        "s3:DeleteObject": objects,
        "s3:ListBucket": [_arn(bucket)],
    }
    assert _allowed(template, "WorkerTask") == {}


def test_the_services_own_bucket_is_private_and_keeps_nothing() -> None:
    template = synth_watchbot()
    bucket = template.one("AWS::S3::Bucket")
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert "VersioningConfiguration" not in bucket
    (lifecycle,) = bucket["LifecycleConfiguration"]["Rules"]
    assert (lifecycle["Status"], lifecycle["ExpirationInDays"]) == ("Enabled", 2)
    assert lifecycle["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 2}
    (statement,) = template.one("AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    (resource,) = [one for one in template.resources.values() if one["Type"] == "AWS::S3::Bucket"]
    assert resource["DeletionPolicy"] == "Delete"


def test_processes_need_no_bucket_of_their_own() -> None:
    template = synth_watchbot(**PROCESS)
    assert not template.of_type("AWS::S3::Bucket")
    assert "WATCHBOT_TASK_PAYLOAD_BUCKET" not in template.environment("worker")
