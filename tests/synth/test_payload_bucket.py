"""Buckets of payloads, the senders' and the service's own: who may do what with their objects, and nothing else."""

from __future__ import annotations

import re
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


def _prefix(template: Template) -> str:
    """Give where in the bucket the service's own objects are."""
    prefix: str = template.environment("watcher")["WATCHBOT_TASK_PAYLOAD_PREFIX"]
    return prefix


def _watchers(template: Template) -> list[str]:
    """Give the logical ids of the watchers' roles."""
    return [name for name in template.of_type("AWS::IAM::Role") if "WatcherTaskTaskRole" in name]


def _arn(bucket: str) -> str:
    return f"<{bucket}.Arn>"


@pytest.mark.parametrize(
    ("arguments", "container", "role"), [({}, "watcher", "WatcherTask"), (PROCESS, "worker", "svcTaskTaskRole")]
)
def test_the_watcher_may_read_and_delete_the_buckets_objects(
    arguments: dict[str, Any], container: str, role: str
) -> None:
    template = _synth(arguments)
    bucket = _bucket(template, "Payloads")
    objects = _arn(bucket) + "/*"
    expected = {"s3:GetObject": [objects], "s3:DeleteObject": [objects], "s3:ListBucket": [_arn(bucket)]}
    if container == "watcher":
        own = f"{_arn(_bucket(template, 'WatchbotPayloads'))}/{_prefix(template)}*"
        expected = {
            "s3:PutObject": [own],
            "s3:GetObject": [objects, own],
            "s3:DeleteObject": [objects, own],
            "s3:ListBucket": [_arn(bucket)],
        }
    assert _allowed(template, role) == expected
    assert template.environment(container)["WATCHBOT_PAYLOAD_BUCKET"] == {"Ref": bucket}


def test_the_workers_own_task_gets_no_right_to_the_bucket() -> None:
    assert _allowed(_synth({}), "WorkerTask") == {}


def test_an_encrypted_bucket_can_be_decrypted() -> None:
    def build(stack: Stack) -> None:
        bucket = s3.Bucket(stack, "Payloads", encryption_key=kms.Key(stack, "Key"))
        Watchbot(stack, "svc", image=image(), payload_bucket=bucket)

    template = synth(build)
    (key,) = template.of_type("AWS::KMS::Key")
    assert _allowed(template, "WatcherTask")["kms:Decrypt"] == [_arn(key)]


def test_each_service_may_use_the_bucket_for_messages_too_large_for_a_task_under_a_prefix_of_its_own() -> None:
    def build(stack: Stack) -> None:
        # Two of them with a path in common, and one whose name would be a pattern.
        for name in ("svc", "svc2", "svc*"):
            Watchbot(stack, name, image=image())

    template = synth(build)
    (bucket,) = template.of_type("AWS::S3::Bucket")
    prefixes = set()
    for environment in template.environments("watcher"):
        assert environment["WATCHBOT_TASK_PAYLOAD_BUCKET"] == {"Ref": bucket}
        prefixes.add(environment["WATCHBOT_TASK_PAYLOAD_PREFIX"])
    assert len(prefixes) == 3
    assert all(re.fullmatch(r"[A-Za-z0-9]+/", prefix) for prefix in prefixes)
    rights = {frozenset(_allowed(template, role)["s3:GetObject"]) for role in _watchers(template)}
    assert rights == {frozenset([f"{_arn(bucket)}/{prefix}*"]) for prefix in prefixes}
    for role in _watchers(template):
        allowed = _allowed(template, role)
        assert allowed["s3:GetObject"] == allowed["s3:PutObject"] == allowed["s3:DeleteObject"]
        assert "s3:ListBucket" not in allowed
    assert _allowed(template, "WorkerTask") == {}


def test_services_under_different_keys_have_buckets_under_these_keys() -> None:
    def build(stack: Stack) -> None:
        one, two = kms.Key(stack, "One"), kms.Key(stack, "Two")
        for name, key in (("a", one), ("b", two), ("c", one), ("d", None)):
            Watchbot(stack, name, image=image(), encryption_key=key)

    template = synth(build)
    buckets = template.of_type("AWS::S3::Bucket")
    assert len(buckets) == 3
    keys = [
        bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]["ServerSideEncryptionByDefault"].get(
            "KMSMasterKeyID"
        )
        for bucket in buckets.values()
    ]
    assert len({str(key) for key in keys}) == 3


def test_the_bucket_is_private_and_keeps_nothing() -> None:
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
